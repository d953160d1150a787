/** Decodes UTF-8 exactly: the text that is returned encodes to the same bytes. */

/** The number of bytes that a text has in UTF-8. */
export function utf8Length(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}

/** Returns null for bytes that are not UTF-8. Keeps a byte order mark. */
export function utf8Of(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
