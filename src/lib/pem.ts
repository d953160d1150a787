/** Tells what a text given as the App's private key is; people also paste other keys and paths. */

/** Undoes what environment files do to a PEM: quotes around it, `\n` as two characters, Windows line ends. */
export function pemText(pem: string): string {
  return pem
    .trim()
    .replace(/^(["'])(.*)\1$/s, '$2')
    .replaceAll('\\n', '\n')
    .replaceAll('\r', '');
}

const labels: readonly (readonly [RegExp, string])[] = [
  [/ENCRYPTED/, 'is encrypted with a passphrase: store it without (openssl rsa -in key.pem -out plain.pem)'],
  [/-----BEGIN (?:RSA )?PUBLIC KEY-----|^(?:ssh-|ecdsa-)\S+ AAAA/, 'is a public key'],
  [/-----BEGIN EC PRIVATE KEY-----/, 'is an EC key'],
  [/-----BEGIN DSA PRIVATE KEY-----/, 'is a DSA key'],
  [/-----BEGIN OPENSSH PRIVATE KEY-----/, 'is an OpenSSH key'],
  [/^PuTTY-User-Key-File/, 'is a PuTTY key'],
  [/-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----/, 'is a certificate request'],
  [/-----BEGIN (?:TRUSTED )?CERTIFICATE-----/, 'is a certificate'],
  [/^SHA256:/, 'is the fingerprint of a key'],
  [/^LS0tLS1CRUdJTi/, 'is encoded as base64 once more: decode it (base64 -d)'],
];
/** Algorithms of PKCS#8, by the object identifier's bytes in hexadecimal. */
const algorithms: Readonly<Record<string, string>> = {
  '2a8648ce3d0201': 'is an EC key',
  '2a8648ce380401': 'is a DSA key',
  '2a864886f70d01010a': 'is an RSA-PSS key',
  '2b6570': 'is an Ed25519 key',
  '2b6571': 'is an Ed448 key',
  '2b656e': 'is an X25519 key',
  '2b656f': 'is an X448 key',
};
const wanted =
  'GitHub signs with the RSA private key that “Generate a private key” on the App’s page downloads';

/** Completes “GITHUB_APP_PRIVATE_KEY …” with what is wrong; null for a PEM that can be an RSA private key. */
export function privateKeyMistake(pem: string): string | null {
  const text = pemText(pem);
  const found = labels.find(([label]) => label.test(text))?.[1] ?? algorithms[algorithmOf(text)];
  if (found !== undefined) return found.includes(':') ? found : `${found}; ${wanted}`;
  if (!/-----BEGIN (?:RSA )?PRIVATE KEY-----/.test(text))
    return 'has to be the PEM text itself (-----BEGIN RSA PRIVATE KEY----- or -----BEGIN PRIVATE KEY-----), not the path of its file';
  if (!text.includes('-----END'))
    return 'is not a complete PEM private key: its last line is missing. In .dev.vars, put the whole text in double quotes';
  return null;
}

/** The object identifier in a PKCS#8 PEM as hexadecimal; empty if there is none. */
function algorithmOf(text: string): string {
  const body = /-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)/.exec(text)?.[1]?.replaceAll(/\s/g, '') ?? '';
  let head: string;
  try {
    head = atob(body.slice(0, 64));
  } catch {
    return '';
  }
  const hex = Array.from(head, (byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join('');
  // SEQUENCE { version, SEQUENCE { OBJECT IDENTIFIER, … } }; a length takes one to three bytes.
  const size = '(?:[0-7].|81..|82....)';
  const found = new RegExp(`^30${size}02010[01]30${size}06(..)(.*)$`).exec(hex);
  return (found?.[2] ?? '').slice(0, Number.parseInt(found?.[1] ?? '0', 16) * 2);
}
