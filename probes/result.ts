/** Compares the result of a probe with the results that are right. */
import { existsSync } from 'node:fs';
import type { HostProbe } from './exhaustion-bench.ts';
import type { Probe } from './probe.ts';

export interface Result {
  readonly id: string;
  readonly group: string;
  readonly attack: string;
  readonly expected: string;
  readonly got: string;
  readonly ok: boolean;
  /** false: the probe itself did not work, so its result means nothing. */
  readonly ran: boolean;
  /** The machine outside has no such file, so there was nothing to reach. */
  readonly nothingThere?: true;
}

/** `group/id`: unique in the suite. */
export const keyOf = (group: string, id: string): string => (id.includes('/') ? id : `${group}/${id}`);

export function resultOf(
  group: string,
  probe: Pick<Probe, 'id' | 'attack' | 'expected' | 'outside'>,
  got: string,
  ran: boolean,
): Result {
  const id = keyOf(group, probe.id);
  // A sentence of Codex has a known beginning, and a name behind it.
  const ok =
    ran &&
    probe.expected.some((expected) => (expected.endsWith(' ') ? got.startsWith(expected) : got === expected));
  const result = { id, group, attack: probe.attack, expected: probe.expected.join(' or '), got, ok, ran };
  return probe.outside === undefined || existsSync(probe.outside)
    ? result
    : { ...result, nothingThere: true };
}

export async function hostResult<Bench>(
  group: string,
  probe: HostProbe<Bench>,
  bench: Bench,
): Promise<Result> {
  let why = 'it got nothing';
  try {
    const got = await probe.run(bench);
    if (got !== '') return resultOf(group, probe, got, true);
  } catch (error) {
    why = error instanceof Error ? error.message : String(error);
  }
  return resultOf(group, probe, `could not try: ${why}`, false);
}
