import { createHash, X509Certificate } from 'node:crypto';
import { expect, it } from 'vitest';
import { createCertificateAuthority } from './certificate-authority.ts';
import { javaTrustStore } from './java-trust-store.ts';

it('holds the one certificate in the JKS format, with the checksum of keytool’s usual password', async () => {
  const { certificatePem } = await createCertificateAuthority(Date.now());
  const { raw } = new X509Certificate(certificatePem);
  const store = Buffer.from(javaTrustStore(certificatePem, 1_700_000_000_000));
  const fields = [
    ['feedfeed', '00000002', '00000001'],
    ['00000002', `0007${Buffer.from('airlock').toString('hex')}`, '0000018bcfe56800'],
    [
      `0005${Buffer.from('X.509').toString('hex')}`,
      raw.length.toString(16).padStart(8, '0'),
      raw.toString('hex'),
    ],
  ];
  const body = store.subarray(0, -20);
  expect(body.toString('hex')).toBe(fields.flat().join(''));
  const salt = 'changeit'.replaceAll(/./g, '\0$&');
  expect(store.subarray(-20)).toEqual(
    createHash('sha1').update(`${salt}Mighty Aphrodite`).update(body).digest(),
  );
});
