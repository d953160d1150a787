/** Shows a change file by file. The patch is the Worker's own comparison; its names and lines are untrusted. */
import { parse } from 'diff2html/lib-esm/diff-parser.js';
import { visibleText, visibleLine } from './visible-text.ts';

type DiffFile = ReturnType<typeof parse>[number];
type Line = DiffFile['blocks'][number]['lines'][number];

/** Files with more changed lines are folded. */
const foldedFrom = 150;
const maxLineCharacters = 1000;

export interface ShownPatch {
  readonly text: string;
  readonly complete: boolean;
}

export function Diff({ patch, sides }: { readonly patch: ShownPatch; readonly sides: boolean }) {
  // One file at a time, so that a line of one cannot become a file of its own.
  const files = patch.text.split(/^(?=diff --git )/m).filter((text) => text.startsWith('diff --git '));
  return (
    <>
      {files.map((text) => (
        <File text={text} sides={sides} />
      ))}
      {patch.complete ? null : (
        <p class="quiet">
          The change is larger than what is shown here: the rest is too long, binary or secret.
        </p>
      )}
    </>
  );
}

function File({ text, sides }: { readonly text: string; readonly sides: boolean }) {
  const [file] = parse(text);
  if (file === undefined) return null;
  const why = /^# Not shown: (.{1,300})\.$/m.exec(text)?.[1];
  const changed = file.addedLines + file.deletedLines;
  return (
    <details class="file" open={changed <= foldedFrom}>
      <summary>
        <code>{nameOf(text)}</code>{' '}
        <span class="quiet">
          {whatOf(file)}
          <span class="added">+{file.addedLines}</span> <span class="deleted">−{file.deletedLines}</span>
        </span>
      </summary>
      {why === undefined ? null : <p class="quiet">Not shown: {visibleLine(why)}.</p>}
      {file.blocks.length === 0 ? null : (
        <div class="scroll" tabindex={0} role="region" aria-label={`Change of ${nameOf(text)}`}>
          <table class={sides ? 'diff sides' : 'diff'}>
            <tbody>{file.blocks.map((block) => blockRows(block.header, block.lines, sides))}</tbody>
          </table>
        </div>
      )}
    </details>
  );
}

/** From the header that the Worker wrote, which quotes a name with quotation marks. */
function nameOf(text: string): string {
  const [, quoted, plain] = /^diff --git (?:.* "b\/((?:[^"\\]|\\.)*)"|.* b\/(.*))$/m.exec(text) ?? [];
  return visibleLine(quoted?.replaceAll('\\"', '"') ?? plain ?? 'a file', 300);
}

const whatOf = ({ isNew, isDeleted }: DiffFile): string =>
  isNew === true ? 'new ' : isDeleted === true ? 'deleted ' : '';

function blockRows(header: string, lines: readonly Line[], sides: boolean) {
  return (
    <>
      <tr class="hunk">
        <td colspan={sides ? 4 : 3}>{visibleLine(header)}</td>
      </tr>
      {sides
        ? pairs(lines).map(([left, right]) => <Pair left={left} right={right} />)
        : lines.map((line) => <Row line={line} />)}
    </>
  );
}

function Row({ line }: { readonly line: Line }) {
  return (
    <tr class={line.type}>
      <td class="number">{line.oldNumber ?? ''}</td>
      <td class="number">{line.newNumber ?? ''}</td>
      <td class="code">{textOf(line)}</td>
    </tr>
  );
}

function Pair({ left, right }: { readonly left: Line | null; readonly right: Line | null }) {
  const side = (line: Line | null, number: number | undefined) => (
    <>
      <td class="number">{number ?? ''}</td>
      <td class={`code ${line === null ? 'nothing' : line.type}`}>{line === null ? '' : textOf(line)}</td>
    </>
  );
  return (
    <tr>
      {side(left, left?.oldNumber)}
      {side(right, right?.newNumber)}
    </tr>
  );
}

/** With its sign, which does not depend on colour. */
const textOf = ({ content }: Line): string => visibleText(content, maxLineCharacters);

/** Deleted lines to the left of those that were inserted in their place. */
function pairs(lines: readonly Line[]): (readonly [Line | null, Line | null])[] {
  const rows: (readonly [Line | null, Line | null])[] = [];
  let [gone, come]: [Line[], Line[]] = [[], []];
  const flush = () => {
    for (let at = 0; at < Math.max(gone.length, come.length); at += 1)
      rows.push([gone[at] ?? null, come[at] ?? null]);
    [gone, come] = [[], []];
  };
  for (const line of lines) {
    if (line.oldNumber === undefined) come.push(line);
    else if (line.newNumber === undefined) gone.push(line);
    else {
      flush();
      rows.push([line, line]);
    }
  }
  flush();
  return rows;
}
