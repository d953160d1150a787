/** Makes the body of a request from its description, inside the sandbox and in the drivers outside alike. */
import { gzipSync } from 'node:zlib';
import type { Body } from './plan.mts';

export function bytesOf(body: Body): Uint8Array {
  if ('text' in body) return Buffer.from(body.text);
  if ('base64' in body) return Buffer.from(body.base64, 'base64');
  if ('zeros' in body) return Buffer.alloc(body.zeros);
  if ('gzip' in body) return gzipSync(bytesOf(body.gzip));
  return Buffer.from(`${body.before ?? ''}${body.repeat.repeat(body.times)}${body.after ?? ''}`);
}
