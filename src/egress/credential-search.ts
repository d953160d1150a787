/**
 * Searches what a registry answers for the credential that it was sent. Pure. Finds it in any piece of a
 * longer text: as it is, in base64 and hex, and with characters escaped for URLs, JSON or HTML, also twice.
 */

/** Rounds of unescaping: `%252B` takes two. */
const rounds = 3;
/** Characters that an escape can take, `&#x0000002f;`, and some for nested ones. */
const widest = 16;

/** A shorter needle would be found by chance. */
const shortest = 8;

export interface CredentialSearch {
  /** `text`: bytes as characters of Latin-1. */
  finds(text: string): boolean;
  /** Bytes that the credential can take in an answer. */
  readonly longest: number;
}

/** `secrets`: visible ASCII, of at least eight characters each. */
export function credentialSearch(secrets: readonly string[]): CredentialSearch {
  const needles = [...new Set(secrets.flatMap(spellings).flatMap(asRead))];
  return {
    longest: widest * Math.max(...needles.map((needle) => needle.length)),
    finds(text) {
      let read = text;
      for (let round = 0; ; round += 1) {
        if (needles.some((needle) => read.includes(needle))) return true;
        const unescaped = round < rounds ? unescape(read) : read;
        if (unescaped === read) return false;
        read = unescaped;
      }
    },
  };
}

function spellings(secret: string): readonly string[] {
  const hex = secret
    .split('')
    .map((character) => character.charCodeAt(0).toString(16).padStart(2, '0'))
    .join('');
  const base64 = [0, 1, 2].map((shift) => base64Within(secret, shift));
  const urlSafe = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  // The last one is UTF-16, in either order of bytes.
  return [secret, ...base64, ...urlSafe, hex, hex.toUpperCase(), secret.split('').join('\0')];
}

/** What the rounds of unescaping leave of it: a secret can have something that looks like an escape. */
function asRead(spelled: string): readonly string[] {
  const read = unescape(spelled);
  return read === spelled || read.length < shortest ? [spelled] : [spelled, ...asRead(read)];
}

/** What base64 makes of a text this many bytes after the start of a group of three, whatever is around it. */
function base64Within(text: string, shift: number): string {
  const encoded = btoa('\0'.repeat(shift) + text);
  return encoded.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + text.length) * 8) / 6));
}

/** Every repetition is bounded, so that the search takes time in proportion to the text. */
const escaped =
  /%([0-9a-f]{2})|\\{1,8}(?:u00|x)([0-9a-f]{2})|&#x0{0,4}([0-9a-f]{2});?|&#0{0,4}(\d{2,3});?|&(amp|lt|gt|quot|apos);|\\{1,8}([^ux\\])/gi;
const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescape(text: string): string {
  if (!/[%\\&]/.test(text)) return text;
  return text.replace(
    escaped,
    (_, percent?: string, json?: string, hex?: string, decimal?: string, entity?: string, other?: string) => {
      if (entity !== undefined) return entities[entity.toLowerCase()] ?? '';
      if (other !== undefined) return other;
      const code = percent ?? json ?? hex;
      return String.fromCharCode(code === undefined ? Number(decimal) : Number.parseInt(code, 16));
    },
  );
}
