/**
 * Reads the lines that a change adds, for text that misleads who reviews it ("Trojan Source",
 * https://trojansource.codes). `measure-change.ts` calls it, because only the base has the lines before.
 */
import type { Measure } from '../../core/change-set.ts';
import { plainPath } from './safe-path.ts';
import { hiddenIn, isPlain } from './hidden-text.ts';
import { isForeign, lookAlikeIn } from './look-alikes.ts';
import type { Find } from './rule.ts';

export type TextFinding = Measure['texts'][number];

/** Of one rule in one file. */
const maxFindings = 3;
/** Of one rule: those of a rule that marks must not crowd out those of one that holds. */
const maxListed = 200;

/** Words and translations, where characters of other scripts and their marks are at home. */
const prose =
  /(?:^|\/)(?:readme|changelog|changes|history|news|authors|contributors|license|licence|copying|notice|thanks|todo)$|\.(?:md|mdx|markdown|txt|rst|adoc|asciidoc|textile|org|tex|po|pot|ftl|strings|xliff|xlf|arb|resx|properties|json5?|ya?ml|csv|tsv|srt|vtt|html?|xml|svg|ipynb|eml|ics|vcf)$/;
/** Attributes with which a diff folds a file, calls it binary, or leaves it out of an archive. */
const hidesDiff =
  /^(?!\S*\.(?:png|jpe?g|gif|ico|webp|avif|pdf|zip|t?gz|jar|woff2?|ttf|otf|eot|mp[34]|mov|wav|wasm|so|dll|exe|bin|db)\s).*\s(?:-diff|binary|diff=|export-ignore|linguist-(?:generated|vendored|documentation))/;

/** The lines in which there may be something to find, to know them again. */
export function oddLines(path: string, before: Uint8Array): string[] {
  return [...lines(textOf(before) ?? '')].filter((line) => isAttributes(path) || !isPlain(line));
}

/** `isKnown`: true for a line that the base has, in this file or in one that the change deletes. */
export function textFindings(
  path: string,
  after: Uint8Array,
  isKnown: (line: string) => boolean,
): TextFinding[] {
  const text = textOf(after);
  if (text === null) return [];
  const ofAttributes = isAttributes(path);
  if (isPlain(text) && !ofAttributes) return [];
  const isProse = prose.test(path.toLowerCase());
  const inForeign = once(() => isForeign(text));
  const found: TextFinding[] = [];
  let line = 0;
  for (const words of lines(text)) {
    line += 1;
    if ((isPlain(words) && !ofAttributes) || isKnown(words)) continue;
    const add = (rule: TextFinding['rule'], what: string) => {
      if (found.filter((one) => one.rule === rule).length < maxFindings)
        found.push({ rule, path, line, what });
    };
    const hidden = hiddenIn(words, isProse);
    if (hidden !== null) add(hidden.kind === 'hidden' ? 'hidden-text' : 'invisible-characters', hidden.what);
    const lookAlike = lookAlikeIn(words, isProse ? () => true : inForeign);
    if (lookAlike !== null) add('look-alikes', lookAlike);
    if (ofAttributes && hidesDiff.test(words)) add('hides-diff', 'An attribute');
  }
  return found;
}

const isAttributes = (path: string): boolean => /(?:^|\/)\.gitattributes$/.test(plainPath(path));

export function listedTexts(found: readonly TextFinding[]): TextFinding[] {
  const counts = new Map<string, number>();
  return found.filter(({ rule }) => {
    const count = (counts.get(rule) ?? 0) + 1;
    counts.set(rule, count);
    return count <= maxListed;
  });
}

/** Of the files for which the rule applies. What a full list leaves out can be in one of them. */
export function textRule(rule: TextFinding['rule']): Find {
  return ({ change: { files, measure } }) => {
    const paths = new Set(files.map(({ path }) => path));
    const listed = measure.texts.filter((found) => found.rule === rule);
    const found = listed.filter(({ path }) => paths.has(path));
    return found.length === 0 && files.length > 0 && listed.length >= maxListed
      ? [`More than ${maxListed} lines`]
      : found.map(({ what, path, line }) => `${what} in ${path}, line ${line}`);
  };
}

/** Also in the names of new files. */
export const lookAlikes: Find = (input) => {
  const { files, measure } = input.change;
  const before = new Set(measure.modesBefore.map(([path]) => path));
  const named = files.flatMap(({ path, type }) => {
    const found = type === 'file' && !before.has(path) ? lookAlikeIn(path, () => true) : null;
    return found === null ? [] : [`${found} in the name of ${path}`];
  });
  return [...named, ...textRule('look-alikes')(input)];
};

/** UTF-16 if it says so; null for what git calls binary. Bytes that are no UTF-8 hide nothing else. */
function textOf(bytes: Uint8Array): string | null {
  const [first, second] = bytes;
  const isLittle = first === 0xff && second === 0xfe;
  const isBig = first === 0xfe && second === 0xff;
  if (!isLittle && !isBig && bytes.subarray(0, 8000).includes(0)) return null;
  const text = new TextDecoder(isLittle ? 'utf-16le' : isBig ? 'utf-16be' : 'utf-8').decode(bytes);
  // A carriage return ends a line only where nothing else does.
  return text.includes('\n') ? text : text.replaceAll('\r', '\n');
}

function* lines(text: string): Generator<string> {
  for (let from = 0; from <= text.length;) {
    const newline = text.indexOf('\n', from);
    const end = newline < 0 ? text.length : newline;
    yield text.slice(from, text[end - 1] === '\r' && end > from ? end - 1 : end);
    from = end + 1;
  }
}

function once(decide: () => boolean): () => boolean {
  let known: boolean | null = null;
  return () => (known ??= decide());
}
