/** Wraps GitHub's PKCS#1 key (`BEGIN RSA PRIVATE KEY`) as PKCS#8 (RFC 5208), which WebCrypto reads. */

import { decodeBase64 } from '../lib/base64.ts';
import { pemText, privateKeyMistake } from '../lib/pem.ts';

/** SEQUENCE { OID rsaEncryption, NULL } */
const rsaAlgorithm = [
  0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];
const version0 = [0x02, 0x01, 0x00];

/** Encodes a DER length: one byte below 128, otherwise the number of length bytes and then these bytes. */
function derLength(length: number): readonly number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 + bytes.length, ...bytes];
}

function derValue(tag: number, content: Uint8Array): Uint8Array {
  return Uint8Array.from([tag, ...derLength(content.length), ...content]);
}

/** Whether the bytes are exactly one DER SEQUENCE. Detects a key that lost lines when it was copied. */
function isOneSequence(der: Uint8Array): boolean {
  const first = der[1] ?? 0;
  const lengthBytes = first < 0x80 ? 0 : first - 0x80;
  let length = first < 0x80 ? first : 0;
  for (let at = 0; at < lengthBytes; at += 1) length = length * 256 + (der[2 + at] ?? 0);
  return der[0] === 0x30 && lengthBytes <= 3 && der.length > 64 && 2 + lengthBytes + length === der.length;
}

export class PrivateKeyError extends Error {
  override readonly name = 'PrivateKeyError';
}

/** Also accepts `\n` as two characters and quotes. @throws PrivateKeyError without the key. */
export function pkcs8Pem(pem: string): string {
  const text = pemText(pem);
  const mistake = privateKeyMistake(pem);
  if (mistake !== null) throw new PrivateKeyError(`GITHUB_APP_PRIVATE_KEY ${mistake}`);
  const found =
    /-----BEGIN (RSA )?PRIVATE KEY-----\s([A-Za-z0-9+/=\s]+)-----END (?:RSA )?PRIVATE KEY-----/.exec(text);
  if (found === null)
    throw new PrivateKeyError('GITHUB_APP_PRIVATE_KEY is damaged: it has characters that no PEM has');
  const [, pkcs1, body = ''] = found;
  let der: Uint8Array;
  try {
    der = decodeBase64(body.replaceAll(/\s/g, ''));
  } catch {
    throw new PrivateKeyError('GITHUB_APP_PRIVATE_KEY is damaged: its body is not base64');
  }
  if (!isOneSequence(der))
    throw new PrivateKeyError('GITHUB_APP_PRIVATE_KEY is damaged: a part of it is missing');
  const framed =
    pkcs1 === undefined
      ? der
      : derValue(0x30, Uint8Array.from([...version0, ...rsaAlgorithm, ...derValue(0x04, der)]));
  const base64 = btoa(String.fromCharCode(...framed))
    .replaceAll(/.{64}/g, '$&\n')
    .trimEnd();
  return `-----BEGIN PRIVATE KEY-----\n${base64}\n-----END PRIVATE KEY-----\n`;
}
