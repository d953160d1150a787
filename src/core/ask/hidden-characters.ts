/**
 * Removes characters that a reader cannot see. `hidden-text.ts` handles markup.
 *
 * Default_Ignorable_Code_Point covers zero-width characters, soft hyphen, bidi controls, variation selectors,
 * Hangul fillers and the tag characters of U+E0000. Each of them has been used to smuggle text past people.
 * Added to it: control characters other than tab and line feed, lone surrogates, interlinear annotation
 * marks. The price is that some emoji fall apart, which loses nothing that an instruction needs.
 */
const hidden = /[\p{Default_Ignorable_Code_Point}\p{Cs}\uFFF9-\uFFFB]|(?![\t\n])\p{Cc}/gu;

/** Line ends become `\n`, and every invisible character goes. Linear. */
export function stripHiddenCharacters(untrustedText: string): string {
  return untrustedText.replace(/\r\n?/g, '\n').replace(hidden, '');
}
