/** What a story of the demo is: the world it needs, what people do in it, and what can be looked at afterwards. */
import type { World, WorldOptions } from './world.ts';

export interface Story {
  readonly world: Pick<WorldOptions, 'configText' | 'slack'>;
  /**
   * Plays it and prints it as it goes. Resolves with whether everything held that it promises; rejects when the world
   * itself breaks, or `signal` is aborted.
   */
  play(world: World, signal: AbortSignal): Promise<boolean>;
  /** What it is → where it is. */
  addresses(world: World): readonly (readonly [string, string])[];
}

export const splitBill = { owner: 'acme', name: 'split-bill' } as const;

/** US dollars for a million tokens: made up, so that a cost is shown. */
export const prices = { 'gpt-6.1-sol': { input: 2, cachedInput: 0.5, output: 8 } } as const;

export const say = (line = '') => void process.stdout.write(`${line}\n`);
