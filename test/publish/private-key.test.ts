/** Tests both forms of a private key against Node's cryptography. */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createAppTokens } from '../../src/github/app-auth.ts';
import { pkcs8Pem } from '../../src/github/private-key.ts';

const pkcs1 = (bits: number): string =>
  generateKeyPairSync('rsa', { modulusLength: bits }).privateKey.export({ type: 'pkcs1', format: 'pem' });
const key = pkcs1(2048);
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

  it('names the setting when a key of another kind fails to sign', async () => {
    const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    });
    const tokens = createAppTokens({
      appId: 1,
      privateKey: elliptic,
      apiUrl: 'http://127.0.0.1:9',
      fetch,
      now: Date.now,
    });
    await expect(tokens.appJwt()).rejects.toThrow(/^GITHUB_APP_PRIVATE_KEY /);
  });
});
