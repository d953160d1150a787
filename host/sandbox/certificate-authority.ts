/**
 * One sandbox's certificate authority: lives in memory, signs for that sandbox alone, and is gone with it. Its private key
 * never leaves this process; what the sandbox gets is the public certificate.
 */
// @peculiar/x509 looks its parsers up through this at import.
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
  /** For clients that name no host: a certificate that fits none. */
  readonly noName: { readonly key: string; readonly cert: string };
  /** A server certificate for a valid host name (see `parseHostname`), made at its first use. */
  contextFor(hostname: string): Promise<SecureContext>;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
/** Names are chosen by the sandbox, so there must be a bound; a task speaks to a handful. */
const maxLeaves = 100;
const hourMs = 3_600_000;
/** The sandbox's clock is the host's, but libraries differ in how they take "not before now". */
const backdatedMs = hourMs;
/** Far beyond any task's deadline. */
const validMs = 48 * hourMs;

/** About 5 ms; the first call in a process some tens more. */
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
  // One key for all names: they all end in this process, so a key for each would part nothing.
  const leafKeyPem = PemConverter.encode(
    await crypto.subtle.exportKey('pkcs8', leafKeys.privateKey),
    'PRIVATE KEY',
  );
  const leaves = new Map<string, Promise<SecureContext>>();

  async function sign(hostname: string): Promise<{ key: string; cert: string }> {
    const leaf = await X509CertificateGenerator.create({
      // The name stands in the alternative names alone: a common name holds no more than 64 characters.
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
    noName: await sign('no-name.invalid'),
    contextFor(hostname) {
      const known = leaves.get(hostname);
      const leaf =
        known ?? sign(hostname).then((pems) => createSecureContext({ ...pems, minVersion: 'TLSv1.2' }));
      // Put back at the end, so that the first in the map is the one longest unused.
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
