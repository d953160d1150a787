/** GitHub's signatures of commits: which it makes, and which it verifies. No others are known here. */
import { createHmac, randomBytes } from 'node:crypto';

/** The simulator's signing key, in place of GitHub's. */
const key = randomBytes(32);

/** Salted, so that two commits that are equal in all else have two ids, as two seconds give them. */
function signatureOf(payload: string, salt = randomBytes(16).toString('hex')): string {
  const mac = createHmac('sha256', key).update(`${salt}${payload}`).digest('hex');
  return `-----BEGIN PGP SIGNATURE-----\n\n${salt}\n${mac}\n-----END PGP SIGNATURE-----`;
}

interface Verification {
  readonly verified: boolean;
  readonly reason: 'valid' | 'unsigned' | 'invalid';
  readonly signature: string | null;
  readonly payload: string | null;
  readonly verified_at: string | null;
}

export function verificationOf(commit: {
  readonly signature: string | null;
  /** The commit without its signature. */
  readonly payload: string;
  readonly committer: { readonly date: string };
}): Verification {
  const { signature, payload, committer } = commit;
  if (signature === null)
    return { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null };
  const salt = signature.split('\n')[2] ?? '';
  const verified = signatureOf(payload, salt) === signature;
  const reason = verified ? 'valid' : 'invalid';
  return { verified, reason, signature, payload, verified_at: verified ? committer.date : null };
}

const intoHeader = (signature: string): string => `\ngpgsig ${signature.replaceAll('\n', '\n ')}\n\n`;
const header = /\ngpgsig ((?:[^\n]*\n )*[^\n]*)/;

/** Puts the signature into the text of a commit object. */
export function signed(payload: string): string {
  return payload.replace('\n\n', () => intoHeader(signatureOf(payload)));
}

export function unsigned(text: string): { readonly payload: string; readonly signature: string | null } {
  const end = text.indexOf('\n\n');
  const head = end < 0 ? text : text.slice(0, end);
  const found = header.exec(head);
  if (found === null) return { payload: text, signature: null };
  const payload = `${head.replace(found[0], '')}${text.slice(head.length)}`;
  return { payload, signature: (found[1] ?? '').replaceAll('\n ', '\n') };
}
