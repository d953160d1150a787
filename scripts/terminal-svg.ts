/**
 * Draws lines of a terminal, with colours (SGR sequences), as an SVG picture on a dark background. It uses
 * installed fonts only: each run of one style is stretched to its cells.
 */

interface Style {
  readonly bold: boolean;
  readonly dim: boolean;
  /** null: the default colour. */
  readonly colour: string | null;
}
interface Run {
  readonly text: string;
  readonly style: Style;
}

export interface Picture {
  /** Shown in the title bar, and read by screen readers. */
  readonly title: string;
  /** Cells per line. Longer lines are wrapped at a space and indented to the start of their text. */
  readonly columns: number;
}

const plain: Style = { bold: false, dim: false, colour: null };
const colours: Readonly<Record<string, string>> = {
  31: '#ff7b72',
  32: '#56d364',
  33: '#e3b341',
  34: '#79c0ff',
  35: '#d2a8ff',
  36: '#76e3ea',
};
const cell = { width: 8, height: 19 } as const;
const fontSize = 13.3;
const margin = { left: 18, top: 54, bottom: 18 } as const;

/** Emoji, also by U+FE0F, are two cells wide in a terminal; everything else that the demo prints is one. */
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
const cellsOf = (grapheme: string): number => (/\p{Emoji_Presentation}|\uFE0F/u.test(grapheme) ? 2 : 1);
const widthOf = (text: string): number =>
  [...segmenter.segment(text)].reduce((sum, { segment }) => sum + cellsOf(segment), 0);

/** Splits a line into runs of one style. Expects SGR sequences only; ignores unknown codes. */
export function readRuns(line: string): readonly Run[] {
  const runs: Run[] = [];
  let style = plain;
  // eslint-disable-next-line no-control-regex -- escape sequences begin with it
  for (const [index, part] of line.split(/\u001B\[([\d;]*)m/).entries()) {
    if (index % 2 === 1) for (const code of part.split(';')) style = applied(style, code);
    else if (part !== '') runs.push({ text: part, style });
  }
  return runs;
}

function applied(style: Style, code: string): Style {
  if (code === '' || code === '0') return plain;
  if (code === '1') return { ...style, bold: true };
  if (code === '2') return { ...style, dim: true };
  if (code === '22') return { ...style, bold: false, dim: false };
  if (code === '39') return { ...style, colour: null };
  return { ...style, colour: colours[code] ?? style.colour };
}

export const withoutColour = (line: string): string =>
  readRuns(line)
    .map(({ text }) => text)
    .join('');

/** Wraps to lines of at most `columns` cells. Splits a word that is longer than a line. */
function wrapped(runs: readonly Run[], columns: number): readonly (readonly Run[])[] {
  const text = runs.map((run) => run.text).join('');
  if (widthOf(text) <= columns) return [runs];
  const indent = /^\s*(?:\d+\.\ds\s+)?(?:\S+\s{2,})?/.exec(text)?.[0].length ?? 0;
  const cut = text.lastIndexOf(' ', columns) > indent ? text.lastIndexOf(' ', columns) : columns;
  const [head, tail] = split(runs, cut);
  const [first, ...others] = tail;
  const rest = first === undefined ? [] : [{ ...first, text: first.text.trimStart() }, ...others];
  return [head, ...wrapped([{ text: ' '.repeat(indent), style: plain }, ...rest], columns)];
}

function split(runs: readonly Run[], at: number): readonly [readonly Run[], readonly Run[]] {
  const head: Run[] = [];
  const tail: Run[] = [];
  let position = 0;
  for (const run of runs) {
    const here = Math.max(0, Math.min(run.text.length, at - position));
    if (here > 0) head.push({ ...run, text: run.text.slice(0, here) });
    if (here < run.text.length) tail.push({ ...run, text: run.text.slice(here) });
    position += run.text.length;
  }
  return [head, tail];
}

/** Returns the SVG document. */
export function terminalSvg(lines: readonly string[], picture: Picture): string {
  const rows = lines.flatMap((line) => wrapped(readRuns(line), picture.columns));
  const width = picture.columns * cell.width + 2 * margin.left;
  const height = rows.length * cell.height + margin.top + margin.bottom;
  const title = escaped(picture.title);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${title}">`,
    `<title>${title}</title>`,
    '<style>text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace;',
    `font-size:${fontSize}px;fill:#e6edf3;white-space:pre}.b{font-weight:600}.d{fill:#8b949e}</style>`,
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="9" fill="#0d1117" stroke="#444c56"/>`,
    ...['#ff5f57', '#febc2e', '#28c840'].map(
      (fill, index) => `<circle cx="${22 + index * 20}" cy="20" r="6" fill="${fill}"/>`,
    ),
    `<text class="d" x="${width / 2}" y="25" text-anchor="middle">${title}</text>`,
    ...rows.flatMap((runs, row) => drawn(runs, margin.top + row * cell.height)),
    '</svg>',
    '',
  ].join('\n');
}

function drawn(runs: readonly Run[], y: number): string[] {
  const texts: string[] = [];
  let column = 0;
  for (const { text, style } of runs) {
    for (const piece of pieces(text)) {
      const cells = widthOf(piece);
      const shown = piece.trim();
      const start = column + widthOf(piece.slice(0, piece.length - piece.trimStart().length));
      column += cells;
      if (shown === '') continue;
      const classes = [style.bold ? 'b' : '', style.dim ? 'd' : ''].filter((name) => name !== '').join(' ');
      texts.push(
        `<text${classes === '' ? '' : ` class="${classes}"`} x="${margin.left + start * cell.width}" y="${y}" textLength="${widthOf(shown) * cell.width}"${style.colour === null ? '' : ` fill="${style.colour}" style="fill:${style.colour}"`}>${escaped(shown)}</text>`,
      );
    }
  }
  return texts;
}

/** Symbols apart: fallback fonts with other widths would shift the text after them. */
function pieces(text: string): string[] {
  return text.split(/([^\u0020-\u024F\u2018-\u201D\u2026]+| {2,})/u).filter((piece) => piece !== '');
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
