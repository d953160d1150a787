/**
 * Fault cases: every call that a task makes to GitHub, git, OpenAI, Slack and the sandbox host fails once in
 * every way. The calls are those that a recorded run makes, so a new call of the product is a new case.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { viewOf } from '../ask.ts';
import type { ChaosCase, Place } from '../case.ts';
import { settle } from '../invariants.ts';
import { startLane, type Lane } from '../lane.ts';
import { askIn, ownerOf, type Surface } from './ask-in.ts';
import type { SeenCall } from './exchange.ts';
import { applies, faultKinds, faultOf, type FaultKind } from './fault-kinds.ts';

/** How long after its end a task still makes calls: the last edit, the revocations. */
const afterEndMs = 20_000;

/** For one undisturbed task. */
const recordMs = 5 * 60_000;

/** How their ids begin. */
export const callIds = 'call/';

/** A call belongs to the first surface on which it is made. */
const surfaces: readonly Surface[] = ['issue', 'slack'];

/** Of calls that repeat, such as the edits of a post, the first and the second are broken. */
const timesAtMost = 2;
/** Reads of a run's output repeat until it ends. */
const polls = /^sandbox-host GET \/runs\//;

interface RecordedRun {
  readonly surface: Surface;
  readonly calls: readonly SeenCall[];
}

/** Runs a task on each surface without harm, and says which calls it makes. */
async function record(lane: Lane, interrupted: AbortSignal): Promise<readonly RecordedRun[]> {
  const recorded: RecordedRun[] = [];
  const known = new Set<string>();
  for (const surface of surfaces) {
    const repository = await lane.createRepository(ownerOf(surface));
    lane.exchange.join(repository);
    const signal = AbortSignal.any([interrupted, AbortSignal.timeout(recordMs)]);
    const before = { pulls: [], branches: ['main'] };
    const place = { lane, repository, before, signal };
    const asked = await askIn(surface, place);
    const { problems } = await settle({ ...asked, at: Date.now(), ends: ['pull-request'] }, place);
    interrupted.throwIfAborted();
    if (problems.length > 0) throw new Error(`a task of ${surface} fails by itself: ${problems.join('; ')}`);
    const calls = lane.exchange
      .callsOf(repository)
      .filter(({ name, nth }) => nth <= (polls.test(name) ? 1 : timesAtMost))
      .filter(({ name, nth }) => !known.has(`${name} ${nth}`));
    for (const { name, nth } of calls) known.add(`${name} ${nth}`);
    recorded.push({ surface, calls });
  }
  return recorded;
}

/** Starts a bot to find out which calls there are. */
export async function callCases(signal: AbortSignal): Promise<readonly ChaosCase[]> {
  const lane = await startLane('alone');
  let recorded: readonly RecordedRun[];
  try {
    recorded = await record(lane, signal);
  } finally {
    await lane.close();
  }
  return recorded.flatMap(({ surface, calls }) =>
    calls.flatMap((call) =>
      faultKinds
        .filter((kind) => applies(kind, call.service, call.method))
        .map((kind) => callCase(surface, call, kind)),
    ),
  );
}

const words: Readonly<Record<FaultKind, string>> = {
  reset: 'the connection is reset before the call is performed',
  lost: 'the call is performed and its answer never arrives',
  error: 'it is answered with 500',
  limited: 'it is refused for a rate limit',
  slow: 'it is answered late',
  duplicate: 'it is performed twice',
};

export function callCase(surface: Surface, call: SeenCall, kind: FaultKind): ChaosCase {
  const name = call.name.replaceAll(/[^\w.:,{}]+/g, '-');
  return {
    id: `${callIds}${surface}/${name}/${call.nth}/${kind}`,
    group: 'calls',
    phase: `${call.name}, ${call.nth === 1 ? 'first' : 'second'} time`,
    injected: words[kind],
    alone: false,
    owner: ownerOf(surface),
    run: async (place) => {
      const broken = Promise.withResolvers<number>();
      place.lane.exchange.join(place.repository, (seen) => {
        if (seen.name !== call.name || seen.nth !== call.nth) return null;
        broken.resolve(Date.now());
        return faultOf(kind, call.service, call.method);
      });
      const asked = await askIn(surface, place);
      const at = await Promise.race([broken.promise, untilEnded(asked.taskId, place)]);
      if (at === null) throw new Error('the task has ended and did not make this call');
      return { ...asked, at, ends: ['pull-request'] };
    },
  };
}

/** Until the task has ended, and has had time for the calls that follow. */
async function untilEnded(taskId: string, { lane, signal }: Place): Promise<null> {
  const view = async () => await viewOf(lane.world, taskId).catch(() => null);
  while (((await view())?.outcome ?? null) === null) await sleep(500, undefined, { signal });
  return await sleep(afterEndMs, null);
}
