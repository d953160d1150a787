/** Makes untrusted text safe to read: what a reader could not see is shown by its number. Escapes nothing. */
import { stackedMarks } from '../../core/ask/hidden-characters.ts';
import { headOf, tailOf } from '../../lib/cut-text.ts';

const hidden = new RegExp(
  // Emoji need a joiner and a variation selector after a picture.
  '(?<![\\p{Extended_Pictographic}\\p{Emoji_Modifier}\\u{FE0F}])(?:\\u{200D}|\\u{FE0F})|' +
    '(?!\\u{200D}|\\u{FE0F})[\\p{Default_Ignorable_Code_Point}\\p{Cs}\\u{FFF9}-\\u{FFFB}]|' +
    '(?![\\t\\n\\u{1B}])\\p{Cc}',
  'gu',
);

export function visibleText(untrustedText: string, max = 20_000): string {
  const left = untrustedText.length - max;
  const shown = left > 0 ? `${headOf(untrustedText, max)}\n… ${left} more characters` : untrustedText;
  return revealed(shown).replaceAll('\x1b', '⟨U+001B⟩');
}

/** For output with colours: keeps the escape character, and the end of what is too long. */
export function visibleOutput(untrustedText: string, max = 20_000): string {
  const left = untrustedText.length - max;
  return revealed(left > 0 ? `… ${left} more characters\n${tailOf(untrustedText, max)}` : untrustedText);
}

const revealed = (text: string): string =>
  text
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(hidden, (character) => {
      const number = character.codePointAt(0) ?? 0;
      return `⟨U+${number.toString(16).toUpperCase().padStart(4, '0')}⟩`;
    })
    .replaceAll(stackedMarks, '');

/** One line. */
export const visibleLine = (untrustedText: string, max = 500): string =>
  visibleText(headOf(untrustedText, max).replaceAll(/\s+/g, ' ').trim());
