/** What this checkout is, to be compared with what a bot or a deployment says of itself. */
import { createHash } from 'node:crypto';
import { airlockVersion } from '../../src/version.ts';

export interface Checkout {
  readonly version: string;
  /** Hex SHA-256 of the configuration's text; null when it cannot be read. */
  readonly configHash: string | null;
}

export function checkoutWith(configText: string | null): Checkout {
  const configHash = configText === null ? null : createHash('sha256').update(configText).digest('hex');
  return { version: airlockVersion, configHash };
}
