/** Signs short texts that people carry back to us: sessions, sign-ins under way, one-time links, forms. */
import { decodeBase64Url, encodeBase64Url } from './base64.ts';
import { derivedKey } from './derived-key.ts';
import { utf8Of } from './utf8.ts';

export interface Signer {
  /** `purpose` binds the signature to one use, so that a text signed for one is worth nothing in another. */
  sign(purpose: string, text: string): Promise<string>;
  /** The signed text; null if we did not sign it for this purpose. */
  open(purpose: string, signed: string): Promise<string | null>;
}

const utf8 = (text: string) => new TextEncoder().encode(text);

/** HMAC-SHA-256 under a key derived from `secret`. */
export function createSigner(secret: string): Signer {
  const kind = { name: 'HMAC', hash: 'SHA-256', length: 256 };
  const key = derivedKey(secret, 'signed texts', kind, ['sign', 'verify']);
  const bound = (purpose: string, text: string) => utf8(`${purpose}\0${text}`);
  return {
    async sign(purpose, text) {
      const mac = await crypto.subtle.sign('HMAC', await key(), bound(purpose, text));
      return `${encodeBase64Url(utf8(text))}.${encodeBase64Url(new Uint8Array(mac))}`;
    },
    async open(purpose, signed) {
      const [, text, mac] = /^([\w-]{1,4000})\.([\w-]{43})$/.exec(signed) ?? [];
      if (text === undefined || mac === undefined) return null;
      try {
        const opened = utf8Of(decodeBase64Url(text));
        if (opened === null) return null;
        // Compares in constant time.
        const isOurs = await crypto.subtle.verify(
          'HMAC',
          await key(),
          decodeBase64Url(mac),
          bound(purpose, opened),
        );
        return isOurs ? opened : null;
      } catch {
        return null;
      }
    },
  };
}

/** 256 random bits in base64url. */
export const randomWord = (): string => encodeBase64Url(crypto.getRandomValues(new Uint8Array(32)));
