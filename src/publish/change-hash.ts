/** What a person's approval is bound to: the change as the record keeps it, so that it holds for this change and no other. */
import { sha256Hex } from '../lib/digest.ts';

/** Hex SHA-256 of the collector's lines in UTF-8, exactly as they are kept: not of what a parser makes of them. */
export async function changeHash(lines: string): Promise<string> {
  return await sha256Hex(lines);
}
