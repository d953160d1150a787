/** Makes untrusted text safe for a terminal: it can neither move the cursor nor forge a line. */

/** Returns one line: line breaks and tabs become spaces; control and format (bidi) characters are removed. */
export function plain(untrusted: string): string {
  return untrusted.replace(/[\n\r\t]+/g, ' ').replace(/[\p{Cc}\p{Cf}]/gu, '');
}

/** Returns the non-empty lines, each made safe by `plain`. */
export function plainLines(untrusted: string): string[] {
  return untrusted
    .split('\n')
    .map((text) => plain(text))
    .filter((text) => text.trim() !== '');
}
