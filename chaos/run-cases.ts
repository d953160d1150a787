/** Runs cases in lanes side by side, and judges each by the invariants. */
import type { ChaosCase, CaseResult } from './case.ts';
import { settle, settleMs } from './invariants.ts';
import { startLane, type Lane } from './lane.ts';

/** Cases that harm only their own task run at once in one bot; it has eight sandboxes. */
const atOnce = 7;
/** Of the lanes, how many begin with such cases. The others mostly wait for one task each. */
const sharedLanes = 3;
/** For asking and the harm, in addition to the time of the recovery. */
const harmMs = 3 * 60_000;

export interface RunOptions {
  /** Bots side by side. */
  readonly lanes: number;
  readonly signal: AbortSignal;
  readonly progress: (line: string) => void;
  readonly onResult?: (result: CaseResult) => void;
}

/** Resolves with the results in the order of the cases. Rejects when it is interrupted. */
export async function runCases(
  cases: readonly ChaosCase[],
  { lanes, signal, progress, onResult }: RunOptions,
): Promise<readonly CaseResult[]> {
  const results = new Map<string, CaseResult>();
  const left = { shared: cases.filter(({ alone }) => !alone), alone: cases.filter(({ alone }) => alone) };
  const runOne = async (one: ChaosCase, lane: Lane): Promise<CaseResult> => {
    const result = await runCase(one, lane, signal);
    results.set(one.id, result);
    onResult?.(result);
    return result;
  };
  const drainShared = async (lane: Lane): Promise<void> => {
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        for (let one = left.shared.shift(); one !== undefined; one = left.shared.shift()) {
          signal.throwIfAborted();
          await runOne(one, lane);
        }
      }),
    );
  };
  const runLane = async (index: number): Promise<void> => {
    let lane: Lane | null = null;
    try {
      if (left.shared.length > 0 && (index < sharedLanes || left.alone.length === 0))
        await drainShared((lane = await startLane('shared')));
      for (let one = left.alone.shift(); one !== undefined; one = left.alone.shift()) {
        signal.throwIfAborted();
        lane ??= await startLane('alone');
        const { ok } = await runOne(one, lane);
        if (ok) continue;
        // What it left must not count against the next case.
        await lane.close();
        lane = null;
      }
    } finally {
      await lane?.close();
    }
  };
  const many = Math.min(lanes, Math.ceil(left.shared.length / atOnce) + left.alone.length);
  progress(`${cases.length} cases with ${many} bots side by side`);
  const ends = await Promise.allSettled(
    Array.from({ length: many }, async (_, index) => await runLane(index)),
  );
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return cases.flatMap(({ id }) => results.get(id) ?? []);
}

/** A lane in which a case did not end well is not used again, unless only for a report of more of them. */
export async function runCase(one: ChaosCase, lane: Lane, interrupted: AbortSignal): Promise<CaseResult> {
  const { id, group, phase, injected } = one;
  const named = { id, group, phase, injected };
  const startedAt = Date.now();
  try {
    const repository =
      one.owner === 'shared' ? lane.world.repository : await lane.createRepository(one.owner);
    const late = AbortSignal.timeout(harmMs + settleMs);
    const before = {
      pulls: (await lane.world.github.pulls(repository)).map(({ number }) => number),
      branches: (await lane.world.github.branches(repository)).map(({ name }) => name),
    };
    const place = { lane, repository, before, signal: AbortSignal.any([interrupted, late]) };
    const harm = await one.run(place);
    const { settledAt, sandboxGoneAt, ...findings } = await settle(harm, place);
    // What is left over now is cleaned up with the lane.
    interrupted.throwIfAborted();
    return {
      ...named,
      ...findings,
      met: harm.met ?? [],
      recoveryMs: settledAt - harm.at,
      cancelMs:
        harm.cancelledAt === undefined || sandboxGoneAt === null
          ? null
          : Math.max(0, sandboxGoneAt - harm.cancelledAt),
      ok: findings.problems.length === 0,
    };
  } catch (error) {
    interrupted.throwIfAborted();
    return {
      ...named,
      met: [],
      answers: 0,
      pullRequests: 0,
      sandboxesLeft: 0,
      tokensLeft: 0,
      recoveryMs: Date.now() - startedAt,
      cancelMs: null,
      outcome: 'unknown',
      ok: false,
      problems: [error instanceof Error ? error.message : String(error)],
    };
  }
}
