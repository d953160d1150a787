/** Identifies this checkout, for comparison with a bot or a deployment. */
import { createHash } from 'node:crypto';
import { airlockVersion } from '../../src/version.ts';

export interface Checkout {
  readonly version: string;
  /** Hex SHA-256 of the configuration's text; null if it cannot be read. */
  readonly configHash: string | null;
}

export function checkoutWith(configText: string | null): Checkout {
  const configHash = configText === null ? null : createHash('sha256').update(configText).digest('hex');
  return { version: airlockVersion, configHash };
}
