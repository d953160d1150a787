/**
 * Takes out of a Markdown text what a person reading it on GitHub does not see, since that is where instructions
 * to an agent are hidden: comments, the attributes of HTML tags, alternative texts, link titles, unused link definitions,
 * undisplayed elements and invisible characters. Code stays as it is but for invisible characters.
 *
 * Not taken out: what is visible and says bad things. That is what the sandbox is for.
 */
import { stripHiddenCharacters } from './hidden-characters.ts';
import { segmentMarkdown } from './markdown-segments.ts';

/** Elements that GitHub removes with their content. */
const undisplayed = new Set(['script', 'style', 'template', 'noscript', 'object', 'svg', 'math']);
/** Nobody sees what is in an element with one of these. GitHub drops most of them; losing visible text is the cheaper error. */
const hidingAttribute =
  /\s(?:hidden(?=[\s=>/])|style\s*=[^>]{0,500}?(?:display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0))/i;

/** Each alternative begins differently, and outside quotes a `<` ends the attempt: linear. */
const tag = /<(\/?)([A-Za-z][A-Za-z0-9-]*)(?=[\s/>])((?:"[^"]{0,5000}"|'[^']{0,5000}'|[^<>"'])*)>/g;

/** Lower case with every position kept, which `toLowerCase` does not promise (`İ` becomes two). */
export function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Tags go, what they enclose stays, unless it is not displayed. `<br>` and block ends become line breaks. */
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

/** Entities for characters that are not displayed; the others stay as they were typed. */
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

/** `[label]: url "title"` shows nothing: without a use of its label it goes whole, otherwise its title goes. An unused footnote goes too. */
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

/** Stands for a piece of code while the prose around it is worked on; U+E000 and U+E001 are for private use. */
const setAside = /\uE000(\d+)\uE001/g;

/** Linear in the length of the text. The result is trimmed, with line ends as `\n`. */
export function stripHidden(untrustedMarkdown: string): string {
  const markdown = untrustedMarkdown.replace(/\r\n?/g, '\n');
  // Code is set aside, not cut out, so that a tag or an element that encloses it is still seen as one.
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
