/** Text of sandbox, repository and model for a terminal: nothing in it can move the cursor or forge a line. */

/** One line: control, format (bidi) and line-breaking characters become spaces or go. */
export function plain(untrusted: string): string {
  return untrusted.replace(/[\n\r\t]+/g, ' ').replace(/[\p{Cc}\p{Cf}]/gu, '');
}

/** Its lines, without empty ones. */
export function plainLines(untrusted: string): string[] {
  return untrusted
    .split('\n')
    .map((text) => plain(text))
    .filter((text) => text.trim() !== '');
}
