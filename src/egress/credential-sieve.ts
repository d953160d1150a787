/**
 * Lets an answer's bytes through once none of them can be the beginning of the credential. A gzip file of a
 * size that a program writes by itself is unpacked and searched as well, before any of it passes.
 */
import type { CredentialSearch } from './credential-search.ts';
import { egressLimits } from './limits.ts';
import type { Sieve } from './metered-stream.ts';

export function credentialSieve(search: CredentialSearch, found: () => void): Sieve {
  const latin1 = new TextDecoder('latin1');
  let held = new Uint8Array();
  const refuse = (): never => {
    found();
    throw new Error('the credential came back');
  };
  const isGzip = (): boolean => held[0] === 0x1f && held[1] === 0x8b;
  let begun = false;
  return {
    piece(chunk) {
      held = joined(held, chunk);
      if (search.finds(latin1.decode(held))) refuse();
      if (!begun && (held.byteLength < 2 || (isGzip() && held.byteLength <= egressLimits.searchedGzipBytes)))
        return new Uint8Array();
      begun = true;
      const passed = held.slice(0, Math.max(0, held.byteLength - search.longest));
      held = held.slice(passed.byteLength);
      return passed;
    },
    async rest() {
      if (!begun && isGzip() && (await findsUnpacked(held, search))) refuse();
      return held;
    },
  };
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(one.byteLength + other.byteLength);
  whole.set(one);
  whole.set(other, one.byteLength);
  return whole;
}

/** True also for what unpacks to more than anybody looks at. */
async function findsUnpacked(packed: Uint8Array<ArrayBuffer>, search: CredentialSearch): Promise<boolean> {
  const latin1 = new TextDecoder('latin1');
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  let bytes = 0;
  let text = '';
  try {
    for await (const chunk of unpacked) {
      bytes += chunk.byteLength;
      text = text.slice(-search.longest) + latin1.decode(chunk);
      if (bytes > egressLimits.unpackedBytes || search.finds(text)) return true;
    }
  } catch {
    // Not gzip after all, or damaged: what could be unpacked of it was searched.
  }
  return false;
}
