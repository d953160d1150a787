/** Encrypts tokens for storage: AES-GCM under a key from the App's private key, bound to the owner. */
import { decodeBase64 } from '../lib/base64.ts';
import { derivedKey } from '../lib/derived-key.ts';

export interface TokenSeal {
  seal(token: string, owner: string): Promise<string>;
  /** Null if it was sealed for another owner or under another private key. */
  open(sealed: string, owner: string): Promise<string | null>;
}

const ivBytes = 12;
const utf8 = (text: string) => new TextEncoder().encode(text);

export function createTokenSeal(privateKeyPem: string): TokenSeal {
  const kind = { name: 'AES-GCM', length: 256 };
  const key = derivedKey(privateKeyPem, 'installation tokens', kind, ['encrypt', 'decrypt']);
  const parameters = (iv: Uint8Array<ArrayBuffer>, owner: string) => ({
    name: 'AES-GCM',
    iv,
    additionalData: utf8(owner),
  });
  return {
    async seal(token, owner) {
      const iv = crypto.getRandomValues(new Uint8Array(ivBytes));
      const encrypted = await crypto.subtle.encrypt(parameters(iv, owner), await key(), utf8(token));
      return btoa(String.fromCharCode(...iv, ...new Uint8Array(encrypted)));
    },
    async open(sealed, owner) {
      try {
        const bytes = decodeBase64(sealed);
        const from = parameters(bytes.slice(0, ivBytes), owner);
        const token = await crypto.subtle.decrypt(from, await key(), bytes.slice(ivBytes));
        return new TextDecoder().decode(token);
      } catch {
        return null;
      }
    },
  };
}
