/** Derives keys for different uses from one secret: HKDF with SHA-256. */

type Derivation = Parameters<typeof crypto.subtle.deriveKey>;

/** Derives the key on first use. `use`: what it is for; keys for two uses tell nothing of each other. */
export function derivedKey(
  secret: string,
  use: string,
  kind: Derivation[2],
  usages: Derivation[4],
): () => Promise<CryptoKey> {
  // Not its promise: in workerd no request may await another's.
  let key: CryptoKey | null = null;
  return async () => (key ??= await derive(secret, use, kind, usages));
}

async function derive(
  secret: string,
  use: string,
  kind: Derivation[2],
  usages: Derivation[4],
): Promise<CryptoKey> {
  const utf8 = (text: string) => new TextEncoder().encode(text);
  const material = await crypto.subtle.importKey('raw', utf8(secret), 'HKDF', false, ['deriveKey']);
  const how = { name: 'HKDF', hash: 'SHA-256', salt: utf8('airlock'), info: utf8(use) };
  return await crypto.subtle.deriveKey(how, material, kind, false, usages);
}
