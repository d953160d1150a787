/** What a person's approval is bound to: the change as the record keeps it, so that it holds for this change and no other. */

/** Hex SHA-256 of the collector's lines in UTF-8, exactly as they are kept: not of what a parser makes of them. */
export async function changeHash(lines: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(lines));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
