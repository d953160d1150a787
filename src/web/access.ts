/**
 * Who may use the HTTP API: the holder of `API_TOKEN`. Refused altogether when no token is configured.
 */

export type AccessVerdict = 'granted' | 'disabled' | 'denied';

/** Compares digests in constant time, so that neither length nor content of the token shows in the timing. */
export async function checkBearer(
  authorization: string | null,
  apiToken: string | null,
): Promise<AccessVerdict> {
  if (apiToken === null) return 'disabled';
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (given === undefined) return 'denied';
  const [a, b] = await Promise.all([sha256(given), sha256(apiToken)]);
  let difference = 0;
  for (const [index, byte] of a.entries()) difference |= byte ^ (b[index] ?? 0xff);
  return difference === 0 ? 'granted' : 'denied';
}

async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
}
