/** Defines a story of the demo: its world, the actions of people, and the addresses to visit afterwards. */
import type { World, WorldOptions } from './world.ts';

export interface Story {
  readonly world: Pick<WorldOptions, 'configText' | 'slack'>;
  /** Whether all checks passed. Rejects if the world itself fails, or `signal` is aborted. */
  play(world: World, signal: AbortSignal): Promise<boolean>;
  /** Pairs of name and address. */
  addresses(world: World): readonly (readonly [string, string])[];
}

export const splitBill = { owner: 'acme', name: 'split-bill' } as const;

/** US dollars per million tokens. Invented, so that the demo shows a cost. */
export const prices = { 'gpt-6.1-sol': { input: 2, cachedInput: 0.5, output: 8 } } as const;

export const say = (line = '') => void process.stdout.write(`${line}\n`);
