/** Encrypts tokens for storage: AES-GCM under a key from the App's private key, bound to the owner. */
export interface TokenSeal {
  seal(token: string, owner: string): Promise<string>;
  /** Null if it was sealed for another owner or under another private key. */
  open(sealed: string, owner: string): Promise<string | null>;
}

const ivBytes = 12;
const utf8 = (text: string) => new TextEncoder().encode(text);

export function createTokenSeal(privateKeyPem: string): TokenSeal {
  let key: CryptoKey | null = null;
  const derived = async (): Promise<CryptoKey> => (key ??= await deriveKey(privateKeyPem));
  const parameters = (iv: Uint8Array<ArrayBuffer>, owner: string) => ({
    name: 'AES-GCM',
    iv,
    additionalData: utf8(owner),
  });
  return {
    async seal(token, owner) {
      const iv = crypto.getRandomValues(new Uint8Array(ivBytes));
      const encrypted = await crypto.subtle.encrypt(parameters(iv, owner), await derived(), utf8(token));
      return btoa(String.fromCharCode(...iv, ...new Uint8Array(encrypted)));
    },
    async open(sealed, owner) {
      try {
        const bytes = Uint8Array.from(atob(sealed), (character) => character.charCodeAt(0));
        const from = parameters(bytes.slice(0, ivBytes), owner);
        const token = await crypto.subtle.decrypt(from, await derived(), bytes.slice(ivBytes));
        return new TextDecoder().decode(token);
      } catch {
        return null;
      }
    },
  };
}

async function deriveKey(privateKeyPem: string): Promise<CryptoKey> {
  const secret = await crypto.subtle.importKey('raw', utf8(privateKeyPem), 'HKDF', false, ['deriveKey']);
  const how = { name: 'HKDF', hash: 'SHA-256', salt: utf8('airlock'), info: utf8('installation tokens') };
  return await crypto.subtle.deriveKey(how, secret, { name: 'AES-GCM', length: 256 }, false, [
    'encrypt',
    'decrypt',
  ]);
}
