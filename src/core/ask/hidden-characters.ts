/**
 * Removes characters that a reader cannot see. `github/displayed-text.ts` handles markup.
 *
 * Default_Ignorable_Code_Point covers zero-width characters, soft hyphen, bidi controls, variation selectors,
 * Hangul fillers and the tag characters of U+E0000. Each of them has been used to smuggle text past people.
 * Added to it: control characters other than tab and line feed, lone surrogates, interlinear annotation
 * marks. The price is that some emoji fall apart, which loses nothing that an instruction needs.
 *
 * A single zero-width joiner or non-joiner stays inside a word of a script that is spelled with it, such as
 * Persian or Hindi: there it changes how the word is displayed.
 */
const joining =
  '\\p{scx=Arab}\\p{scx=Syrc}\\p{scx=Nkoo}\\p{scx=Mong}\\p{scx=Deva}\\p{scx=Beng}\\p{scx=Guru}\\p{scx=Gujr}' +
  '\\p{scx=Orya}\\p{scx=Taml}\\p{scx=Telu}\\p{scx=Knda}\\p{scx=Mlym}\\p{scx=Sinh}\\p{scx=Mymr}\\p{scx=Khmr}';
const hidden = new RegExp(
  `(?!(?:(?<=(?=\\p{L}|\\p{M})[${joining}])[\\u200C\\u200D](?=[\\p{L}\\p{M}\\p{N}])|` +
    `(?<=[\\p{L}\\p{M}\\p{N}])[\\u200C\\u200D](?=[${joining}])(?=\\p{L}|\\p{M})))` +
    '(?:[\\p{Default_Ignorable_Code_Point}\\p{Cs}\\uFFF9-\\uFFFB]|(?![\\t\\n])\\p{Cc})',
  'gu',
);

/** More marks on one letter cover the lines around it. No script is written with so many. */
export const stackedMarks = /(?<=\p{M}{8})\p{M}+/gu;

/** Line ends become `\n`, and every invisible character goes. Linear. */
export function stripHiddenCharacters(untrustedText: string): string {
  return untrustedText.replace(/\r\n?/g, '\n').replace(hidden, '').replace(stackedMarks, '');
}
