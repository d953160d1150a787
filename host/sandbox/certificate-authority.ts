/** Creates one sandbox's certificate authority, in memory. Its private key never leaves this process. */
// @peculiar/x509 needs the Reflect metadata API when it is imported.
import 'reflect-metadata';
import { createSecureContext, type SecureContext } from 'node:tls';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

export interface CertificateAuthority {
  readonly certificatePem: string;
  /** For clients that send no server name (SNI): a certificate that matches no host. */
  readonly withoutServerName: { readonly key: string; readonly cert: string };
  /** Returns the server certificate for a host name that `parseHostname` accepts. Signs it on first use. */
  contextFor(hostname: string): Promise<SecureContext>;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
/** The sandbox chooses the names, so the cache is bounded; a task uses a handful. */
const maxLeaves = 100;
const hourMs = 3_600_000;
/** The sandbox shares the host's clock, but some TLS libraries reject a "not before" of this very second. */
const backdatedMs = hourMs;
/** Longer than any task can run. */
const validMs = 48 * hourMs;

/** Takes about 5 ms; the first call in a process a few tens more. */
export async function createCertificateAuthority(now: number): Promise<CertificateAuthority> {
  const [caKeys, leafKeys] = await Promise.all([generateKeys(), generateKeys()]);
  const notBefore = new Date(now - backdatedMs);
  const notAfter = new Date(now + validMs);
  const authority = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=Airlock sandbox gateway (ephemeral)',
    keys: caKeys,
    signingAlgorithm: algorithm,
    notBefore,
    notAfter,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  const certificatePem = authority.toString('pem');
  // All server certificates share one key: this process terminates every connection, so separate keys add
  // nothing.
  const leafKeyPem = PemConverter.encode(
    await crypto.subtle.exportKey('pkcs8', leafKeys.privateKey),
    'PRIVATE KEY',
  );
  const leaves = new Map<string, Promise<SecureContext>>();

  async function sign(hostname: string): Promise<{ key: string; cert: string }> {
    const leaf = await X509CertificateGenerator.create({
      // The host name is only in the alternative names: a common name is limited to 64 characters.
      subject: 'CN=Airlock sandbox gateway',
      issuer: authority.subject,
      publicKey: leafKeys.publicKey,
      signingKey: caKeys.privateKey,
      signingAlgorithm: algorithm,
      notBefore,
      notAfter,
      extensions: [
        new SubjectAlternativeNameExtension([{ type: 'dns', value: hostname }]),
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      ],
    });
    return { key: leafKeyPem, cert: leaf.toString('pem') };
  }

  return {
    certificatePem,
    withoutServerName: await sign('no-name.invalid'),
    contextFor(hostname) {
      const cached = leaves.get(hostname);
      const leaf =
        cached ?? sign(hostname).then((pems) => createSecureContext({ ...pems, minVersion: 'TLSv1.2' }));
      // Re-inserted at the end, so that the first entry of the map is the least recently used.
      leaves.delete(hostname);
      leaves.set(hostname, leaf);
      const [oldest] = leaves.keys();
      if (leaves.size > maxLeaves && oldest !== undefined) leaves.delete(oldest);
      return leaf;
    },
  };
}

async function generateKeys(): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}
