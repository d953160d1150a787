/**
 * Writes a trust store of Java, which reads no PEM file and no variable: the JKS format, one certificate. The
 * Java of Debian and its like reads it at `javaTrustStorePath`.
 */
import { createHash, X509Certificate } from 'node:crypto';

export const javaTrustStorePath = '/etc/ssl/certs/java/cacerts';

/** Every store of Java has this one. It protects nothing: the certificate is public. */
const password = 'changeit';

/** `now`: milliseconds, the date of the entry. */
export function javaTrustStore(certificatePem: string, now: number): Uint8Array {
  const der = new X509Certificate(certificatePem).raw;
  const entry = [uint32(2), text('airlock'), date(now), text('X.509'), uint32(der.length), der];
  const store = Buffer.concat([uint32(0xfeedfeed), uint32(2), uint32(1), ...entry]);
  const key = Buffer.from(password, 'utf16le').swap16();
  const digest = createHash('sha1').update(key).update('Mighty Aphrodite').update(store).digest();
  return Buffer.concat([store, digest]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function date(milliseconds: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(milliseconds));
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value.length);
  return Buffer.concat([bytes, Buffer.from(value, 'latin1')]);
}
