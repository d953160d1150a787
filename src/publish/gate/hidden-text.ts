/** Finds text that a reader does not see, or sees in another order than a program reads it. Pure. */

export interface HiddenText {
  /** `hidden`: carries a payload or moves code. `invisible`: a stray character. */
  readonly kind: 'hidden' | 'invisible';
  /** Names the characters, such as `U+202E`. */
  readonly what: string;
}

const bidi = /[\u202A-\u202E\u2066-\u2069]/gu;
const overrides = /[\u202D\u202E]/u;
const rightToLeft = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;
const directionMarks = /[\u061C\u200E\u200F]/gu;
/** The flags of England, Scotland and Wales: a black flag and invisible letters. */
const flags = /\u{1F3F4}[\u{E0030}-\u{E0039}\u{E0061}-\u{E007A}]{1,6}\u{E007F}/gu;
const tags = /[\u{E0000}-\u{E007F}]+/u;
/** A variation selector after another one has no character to select a form of. */
const selectorRun = /[\uFE00-\uFE0F\u{E0100}-\u{E01EF}]{2,}/u;
const straySelector = /(?<=^|[\p{ASCII}\p{Script=Latin}])(?<![0-9#*])[\uFE00-\uFE0F\u{E0100}-\u{E01EF}]/u;
/** Blank, but letters of a name for JavaScript. */
const fillers = /(?<!\p{Script=Hangul})[\u115F\u1160\u3164\uFFA0](?!\p{Script=Hangul})/u;
const comment = /#|\/[/*]|--/;
/** End a line for JavaScript, Python or C#, but not for every viewer. */
const lineEnds = /[\u2028\u2029]|\r(?=[^\r])/;
const control = /(?![\t\n\v\f\r\x85])\p{Cc}/u;

const zeroWidth = String.raw`[\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180E\u200B-\u200F\u2060-\u206F\u3164\uFEFF\uFFA0\uFFF9-\uFFFB\u{1BCA0}-\u{1BCA3}\u{1D173}-\u{1D17A}]`;
/** Enough for one hidden byte. */
const zeroWidthRun = new RegExp(`${zeroWidth}{8,}`, 'u');
/** Scripts other than Latin need joiners and marks next to their letters, and emoji are joined. */
const letter = String.raw`(?!\p{Script=Latin})[\p{L}\p{M}]`;
const emoji = String.raw`[\p{Extended_Pictographic}\p{Emoji_Modifier}\uFE0F\u20E3]`;
const stray = (count: string): RegExp =>
  new RegExp(`(?<!${emoji}|${letter}|${zeroWidth})${zeroWidth}${count}(?!${letter}|${zeroWidth})`, 'u');
const [strayInCode, strayInProse] = [stray('+'), stray('{2,}')];

/** Plain ASCII, in which nothing can be found. */
export const isPlain = (text: string): boolean => !/[^\t\n\r\x20-\x7E]|\r(?!\n)/.test(text);

/** `isProse`: pairs of directional controls and single zero-width characters are part of such texts. */
export function hiddenIn(line: string, isProse: boolean): HiddenText | null {
  if (isPlain(line)) return null;
  const controls = line.match(bidi) ?? [];
  if (controls.length > 0 && (!isProse || overrides.test(line) || !arePaired(controls)))
    return { kind: 'hidden', what: codePoints(controls.join('')) };
  const payload =
    tags.exec(line.replaceAll(flags, '')) ??
    selectorRun.exec(line) ??
    zeroWidthRun.exec(line) ??
    (isProse ? null : (fillers.exec(line) ?? commentEnd(line)));
  if (payload !== null) return { kind: 'hidden', what: codePoints(payload[0]) };
  const ordinary = rightToLeft.test(line) ? line.replaceAll(directionMarks, '') : line;
  const single = isProse
    ? strayInProse.exec(ordinary)
    : (strayInCode.exec(ordinary) ?? straySelector.exec(ordinary) ?? control.exec(ordinary));
  return single === null ? null : { kind: 'invisible', what: codePoints(single[0]) };
}

/** What follows is code again. */
function commentEnd(line: string): RegExpExecArray | null {
  const start = line.search(comment);
  return start < 0 ? null : lineEnds.exec(line.slice(start));
}

/** Each is closed by its own kind before the line ends. */
function arePaired(controls: readonly string[]): boolean {
  const open: string[] = [];
  for (const found of controls) {
    if (found === '\u202C' || found === '\u2069') {
      if (open.pop() !== found) return false;
    } else open.push(found >= '\u2066' ? '\u2069' : '\u202C');
  }
  return open.length === 0;
}

/** Each once, at most four. */
export function codePoints(text: string): string {
  const names = Array.from(
    new Set(text),
    (found) => `U+${(found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`,
  );
  return [...names.slice(0, 4), ...(names.length > 4 ? ['…'] : [])].join(' ');
}
