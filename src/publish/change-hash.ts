/** Hashes a kept change, so that an approval is bound to exactly this change. */
import { sha256Hex } from '../lib/digest.ts';

/** Returns the hex SHA-256 of the collector's lines in UTF-8, exactly as the record keeps them. */
export async function changeHash(lines: string): Promise<string> {
  return await sha256Hex(lines);
}
