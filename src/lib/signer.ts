/** Signs short texts that people carry back to us: sessions, sign-ins under way, one-time links, forms. */
export interface Signer {
  /** `purpose` binds the signature to one use, so that a text signed for one is worth nothing in another. */
  sign(purpose: string, text: string): Promise<string>;
  /** The signed text; null if we did not sign it for this purpose. */
  open(purpose: string, signed: string): Promise<string | null>;
}

const utf8 = (text: string) => new TextEncoder().encode(text);

/** HMAC-SHA-256 under a key derived from `secret`. */
export function createSigner(secret: string): Signer {
  // Not its promise: in workerd no request may await another's.
  let key: CryptoKey | null = null;
  const derived = async (): Promise<CryptoKey> => (key ??= await deriveKey(secret));
  const bound = (purpose: string, text: string) => utf8(`${purpose}\0${text}`);
  return {
    async sign(purpose, text) {
      const mac = await crypto.subtle.sign('HMAC', await derived(), bound(purpose, text));
      return `${encode(utf8(text))}.${encode(new Uint8Array(mac))}`;
    },
    async open(purpose, signed) {
      const [, text, mac] = /^([\w-]{1,4000})\.([\w-]{43})$/.exec(signed) ?? [];
      if (text === undefined || mac === undefined) return null;
      try {
        const opened = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(decode(text));
        // Compares in constant time.
        const isOurs = await crypto.subtle.verify(
          'HMAC',
          await derived(),
          decode(mac),
          bound(purpose, opened),
        );
        return isOurs ? opened : null;
      } catch {
        return null;
      }
    },
  };
}

async function deriveKey(secret: string): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey('raw', utf8(secret), 'HKDF', false, ['deriveKey']);
  const how = { name: 'HKDF', hash: 'SHA-256', salt: utf8('airlock'), info: utf8('signed texts') };
  const kind = { name: 'HMAC', hash: 'SHA-256', length: 256 };
  return await crypto.subtle.deriveKey(how, material, kind, false, ['sign', 'verify']);
}

/** 256 random bits in base64url. */
export const randomWord = (): string => encode(crypto.getRandomValues(new Uint8Array(32)));

/** Base64url without padding. */
export function encode(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

function decode(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) =>
    character.charCodeAt(0),
  );
}
