import { sha256 } from './digest.ts';

/** Compares digests in constant time, so that neither length nor content shows in the timing. */
export async function sameSecret(given: string, secret: string): Promise<boolean> {
  const [a, b] = await Promise.all([sha256(given), sha256(secret)]);
  let difference = 0;
  for (const [index, byte] of a.entries()) difference |= byte ^ (b[index] ?? 0xff);
  return difference === 0;
}
