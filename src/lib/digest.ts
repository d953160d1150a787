/** SHA-256 of text in UTF-8. */

export async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
}

/** 64 hexadecimal digits in lower case. */
export async function sha256Hex(text: string): Promise<string> {
  const digest = await sha256(text);
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
