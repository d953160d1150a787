/** Tests both forms of a private key against Node's cryptography. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createAppTokens } from '../../src/github/app-auth.ts';
import { pkcs8Pem } from '../../src/github/private-key.ts';
import { privateKeyMistake } from '../../src/lib/pem.ts';

const pkcs1 = (bits: number): string =>
  generateKeyPairSync('rsa', { modulusLength: bits }).privateKey.export({ type: 'pkcs1', format: 'pem' });
const key = pkcs1(2048);
const encrypted = createPrivateKey(key).export({
  type: 'pkcs8',
  format: 'pem',
  cipher: 'aes-256-cbc',
  passphrase: 'x',
});
const publicKey = createPublicKey(key).export({ type: 'spki', format: 'pem' });
const asPkcs8 = ({ privateKey }: { privateKey: KeyObject }) =>
  privateKey.export({ type: 'pkcs8', format: 'pem' });
const expected = createPrivateKey(key).export({ type: 'pkcs8', format: 'pem' });

describe('pkcs8Pem', () => {
  it.each([1024, 2048, 3072, 4096])('converts a PKCS#1 key of %i bits as node:crypto does', (bits) => {
    const pem = pkcs1(bits);
    expect(pkcs8Pem(pem)).toBe(createPrivateKey(pem).export({ type: 'pkcs8', format: 'pem' }));
  });

  it.each<[string, string]>([
    ['with escaped line breaks', key.replaceAll('\n', '\\n')],
    ['in quotes', JSON.stringify(key)],
    ['with Windows line ends', key.replaceAll('\n', '\r\n')],
    ['with surrounding spaces', `\n  ${key}  \n`],
    ['that is PKCS#8', expected],
  ])('accepts a key %s', (_, pem) => {
    expect(pkcs8Pem(pem)).toBe(expected);
  });

  it.each<[string, string]>([
    ['nothing', ''],
    ['a path', '/etc/key.pem'],
    ['the first line only', '-----BEGIN RSA PRIVATE KEY-----'],
    ['a key that lost lines', key.split('\n').toSpliced(5, 3).join('\n')],
    ['a key with other characters', key.replace('MII', 'M!I')],
    ['an encrypted key', key.replaceAll('RSA PRIVATE', 'ENCRYPTED PRIVATE')],
    ['a public key', key.replaceAll('PRIVATE', 'PUBLIC')],
  ])('names the setting for %s without repeating the value', (_, pem) => {
    expect(() => pkcs8Pem(pem)).toThrow(/^GITHUB_APP_PRIVATE_KEY /);
    expect(() => pkcs8Pem(pem)).not.toThrow(key.slice(40, 60));
  });

  it.each<[kind: string, pem: string, words: RegExp]>([
    [
      'PKCS#8 EC',
      asPkcs8(generateKeyPairSync('ec', { namedCurve: 'P-384' })),
      /is an EC key; GitHub signs with the RSA private key/,
    ],
    [
      'SEC 1 EC',
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'sec1', format: 'pem' }),
      /is an EC key/,
    ],
    ['Ed25519', asPkcs8(generateKeyPairSync('ed25519')), /is an Ed25519 key/],
    ['Ed448', asPkcs8(generateKeyPairSync('ed448')), /is an Ed448 key/],
    ['X25519', asPkcs8(generateKeyPairSync('x25519')), /is an X25519 key/],
    ['RSA-PSS', asPkcs8(generateKeyPairSync('rsa-pss', { modulusLength: 2048 })), /is an RSA-PSS key/],
    ['DSA', asPkcs8(generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 })), /is a DSA key/],
    ['public', publicKey, /is a public key/],
    ['public RSA', publicKey.replaceAll(' PUBLIC', ' RSA PUBLIC'), /is a public key/],
    ['public SSH', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA== maria@laptop', /is a public key/],
    ['OpenSSH', '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk=\n', /is an OpenSSH key/],
    ['certificate', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----', /is a certificate;/],
    ['fingerprint', 'SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8=', /is the fingerprint of a key/],
    ['base64 of the PEM', btoa(key), /is encoded as base64 once more: decode it/],
    ['first line only', '-----BEGIN RSA PRIVATE KEY-----', /its last line is missing\. In \.dev\.vars, put/],
    ['encrypted', encrypted, /is encrypted with a passphrase: store it without/],
  ])('says what a key is that is no RSA private key: %s', (_, pem, words) => {
    expect(() => pkcs8Pem(pem)).toThrow(words);
    expect(privateKeyMistake(pem)).toMatch(words);
  });

  it('names the setting when a key that is damaged inside fails to sign', async () => {
    const der = String.fromCharCode(0x30, 80, ...Array.from({ length: 80 }, () => 0));
    const damaged = `-----BEGIN RSA PRIVATE KEY-----\n${btoa(der)}\n-----END RSA PRIVATE KEY-----`;
    const tokens = createAppTokens({
      appId: 1,
      privateKey: damaged,
      apiUrl: 'http://127.0.0.1:9',
      fetch,
      now: Date.now,
    });
    await expect(tokens.appJwt()).rejects.toThrow(/^GITHUB_APP_PRIVATE_KEY /);
  });
});
