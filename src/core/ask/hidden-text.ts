/**
 * Removes from Markdown what a person reading it on GitHub does not see, because instructions to an agent
 * hide there: comments, the attributes of HTML tags, alternative texts, link titles, unused link definitions,
 * undisplayed elements and invisible characters. In code it removes only invisible characters.
 *
 * It does not remove visible text that says bad things. The sandbox guards against that.
 */
import { stripHiddenCharacters } from './hidden-characters.ts';
import { segmentMarkdown } from './markdown-segments.ts';

/** Elements that GitHub removes with their content. */
const undisplayed = new Set(['script', 'style', 'template', 'noscript', 'object', 'svg', 'math']);
/**
 * Elements with one of these hide their content. GitHub drops most of them; losing visible text is the
 * cheaper error.
 */
const hidingAttribute =
  /\s(?:hidden(?=[\s=>/])|style\s*=[^>]{0,500}?(?:display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0))/i;

/** Linear: each alternative begins differently, and outside quotes a `<` ends the attempt. */
const tag = /<(\/?)([A-Za-z][A-Za-z0-9-]*)(?=[\s/>])((?:"[^"]{0,5000}"|'[^']{0,5000}'|[^<>"'])*)>/g;

/** Lower case with every position kept, which `toLowerCase` does not guarantee (`İ` becomes two). */
export function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/**
 * Removes tags and keeps what they enclose, unless GitHub does not display it. `<br>` and block ends become
 * line breaks.
 */
function dropTags(html: string): string {
  const lower = lowerAscii(html);
  let kept = '';
  let done = 0;
  tag.lastIndex = 0;
  for (let found = tag.exec(html); found !== null; found = tag.exec(html)) {
    const name = (found[2] ?? '').toLowerCase();
    kept += html.slice(done, found.index);
    done = found.index + found[0].length;
    const opens = found[1] === '' && name !== 'img' && name !== 'br' && name !== 'input';
    if (opens && (undisplayed.has(name) || hidingAttribute.test(`${found[3] ?? ''}>`))) {
      const close = lower.indexOf(`</${name}`, done);
      if (close === -1) return kept;
      const closeEnd = html.indexOf('>', close);
      done = closeEnd === -1 ? html.length : closeEnd + 1;
      tag.lastIndex = done;
    } else if (name === 'img') kept += '[image]';
    else if (name === 'br') kept += '\n';
  }
  return kept + html.slice(done);
}

/** Removes entities for invisible characters and keeps the others as typed. */
function dropHiddenEntities(text: string): string {
  return text
    .replace(
      /&(?:shy|zwj|zwnj|lrm|rlm|ZeroWidthSpace|NoBreak|InvisibleTimes|InvisibleComma|ApplyFunction|it|ic|af);/g,
      '',
    )
    .replace(
      /&#(?:[xX]([0-9a-fA-F]{1,6})|(\d{1,7}));/g,
      (entity, hex: string | undefined, decimal: string | undefined) => {
        const codePoint = hex === undefined ? Number.parseInt(decimal ?? '0', 10) : Number.parseInt(hex, 16);
        if (codePoint === 0 || codePoint > 0x10_ff_ff) return '';
        return stripHiddenCharacters(String.fromCodePoint(codePoint)) === '' ? '' : entity;
      },
    );
}

const definition =
  /^ {0,3}\[([^\][\n]{1,999})\]:[ \t]{0,50}(?:\n[ \t]{0,50})?(<[^<>\n]{0,2000}>|\S+)(?:(?:[ \t]{1,50}|[ \t]{0,50}\n[ \t]{0,50})(?:"[^"]{0,2000}"|'[^']{0,2000}'|\([^()]{0,2000}\)))?[ \t]*$/gm;
const footnote = /^ {0,3}\[(\^[^\][\s]{1,999})\]:[^\n]*$/gm;

/**
 * `[label]: url "title"` shows nothing. Removes it when nothing uses the label, otherwise removes its title.
 * Removes unused footnotes too.
 */
function dropDefinitions(text: string): string {
  if (!text.includes(']:')) return text;
  const uses = new Map<string, number>();
  for (const use of text.matchAll(/\[([^\][\n]{1,999})\]/g)) {
    const label = (use[1] ?? '').toLowerCase();
    uses.set(label, (uses.get(label) ?? 0) + 1);
  }
  const used = (label: string): boolean => (uses.get(label.toLowerCase()) ?? 0) > 1;
  return text
    .replace(footnote, (line, label: string) => (used(label) ? line : ''))
    .replace(definition, (line, label: string, target: string) => {
      if (label.startsWith('^')) return line;
      return used(label) ? `[${label}]: ${target}` : '';
    });
}

function dropAttributesOfLinks(text: string): string {
  return text
    .replace(/!\[[^\][\n]{0,1000}\](?:\([^()\n]{0,2000}\)|\[[^\][\n]{0,200}\])/g, '[image]')
    .replace(
      /(\]\([^()\s]{1,2000})\s{1,20}(?:"[^"\n]{0,2000}"|'[^'\n]{0,2000}'|\([^()\n]{0,2000}\))\s{0,20}\)/g,
      '$1)',
    );
}

/** Replaces a piece of code while the prose around it is processed. U+E000 and U+E001 are for private use. */
const setAside = /\uE000(\d+)\uE001/g;

/** Linear in the length of the text. Trims the result; line ends are `\n`. */
export function stripHidden(untrustedMarkdown: string): string {
  const markdown = untrustedMarkdown.replace(/\r\n?/g, '\n');
  // Code is replaced, not cut out, so that a tag or an element that encloses it is still recognized.
  const codes: string[] = [];
  let prose = '';
  for (const { start, end, kind } of segmentMarkdown(markdown)) {
    const piece = markdown.slice(start, end);
    if (kind === 'text') prose += piece.replace(/[\uE000\uE001]/g, '');
    else if (kind === 'code') {
      prose += `\uE000${codes.length}\uE001`;
      codes.push(stripHiddenCharacters(piece));
    }
  }
  const shown = stripHiddenCharacters(
    dropAttributesOfLinks(dropTags(dropDefinitions(dropHiddenEntities(prose)))),
  );
  return shown
    .replace(setAside, (_, index: string) => codes[Number(index)] ?? '')
    .replace(/\n{4,}/g, '\n\n\n')
    .trim();
}
