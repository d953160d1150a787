/**
 * Kill points: at each boundary between two steps of the Workflow and in the middle of each step, the Worker,
 * the host, the sandbox or all of them are killed. `stories.ts` names the steps; a run of a story without any
 * harm proves that these are all, and measures where the middle of each is.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TaskOutcome } from '../src/core/task.ts';
import type { ChaosCase, Place } from './case.ts';
import { journalOf, type StepEntry } from './journal.ts';
import { killTargets, type KillTarget } from './lane.ts';
import { stories, type Story } from './stories.ts';

type Moment = 'middle of' | 'after';

/** Steps that have a sandbox which a kill can end. */
const firstWithSandbox = 'provision-1';
const lastWithSandbox = 'collect-1';

export function killPoints(): readonly ChaosCase[] {
  return stories.flatMap((story) => [
    baseline(story),
    ...(story.killedAt ?? story.steps).flatMap((step) =>
      (['middle of', 'after'] as const).flatMap((moment) =>
        targetsAt(story, step, moment).map((target) => killPoint(story, step, moment, target)),
      ),
    ),
  ]);
}

/** Host and all differ only while a sandbox runs. */
function targetsAt({ steps }: Story, step: string, moment: Moment): readonly KillTarget[] {
  const at = steps.indexOf(step);
  const [first, last] = [steps.indexOf(firstWithSandbox), steps.indexOf(lastWithSandbox)];
  const hasSandbox = first !== -1 && at >= first && (moment === 'after' ? at < last : at <= last);
  if (!hasSandbox) return ['worker', 'host'];
  const isAgentRunning = step.startsWith('wait for Codex') && moment === 'middle of';
  return ['worker', 'all', 'sandbox', ...(isAgentRunning ? (['agent'] as const) : [])];
}

/** Where the middle of a step is, ms after its beginning; measured by the baseline of its story. */
const middles = new Map<string, number>();
/** For a step that was not measured, as with `--only`. */
const unmeasuredMs = 15;

function baseline(story: Story): ChaosCase {
  return {
    id: `kill/${story.name}/baseline`,
    group: 'kills',
    phase: 'whole task',
    injected: 'nothing; its steps are compared with the list',
    alone: true,
    owner: story.owner,
    run: async (place) => {
      const asked = await story.ask(place);
      const journal = journalOf(place.lane.botStateDir, asked.instanceId ?? asked.taskId);
      while (!journal.hasEnded()) await sleep(100, undefined, { signal: place.signal });
      const entries = journal.entries();
      // How often a wait looks depends on the machine.
      const seen = entries.map(({ step }) => nameOf(step));
      const listed = story.steps.map((step) => nameOf(step));
      const other = [
        ...seen.filter((step) => !listed.includes(step)),
        ...listed.filter((step) => !seen.includes(step)),
      ];
      if (other.length > 0)
        throw new Error(
          `the steps of ${story.name} in chaos/stories.ts are not those of a run: ${other.join(', ')}`,
        );
      for (const step of story.steps) middles.set(`${story.name} ${step}`, durationOf(entries, step) / 2);
      return { ...asked, at: Date.now(), ends: story.ends };
    },
  };
}

/** Steps that had begun by then and were not done. */
function openAt(entries: readonly StepEntry[], at: number): readonly string[] {
  const before = entries.filter((entry) => entry.at <= at);
  const of = (wanted: StepEntry['what']) =>
    before.filter(({ what }) => what === wanted).map(({ step }) => step);
  const done = [...of('done'), ...of('failed')];
  return of('begun').filter((step) => !done.includes(step));
}

/** Without the engine's counter. */
export const nameOf = (step: string): string => step.replace(/-\d+$/, '');

function durationOf(entries: readonly StepEntry[], step: string): number {
  const at = (wanted: StepEntry['what']) =>
    entries.find((entry) => entry.step === step && entry.what === wanted)?.at;
  return Math.max(0, (at('done') ?? 0) - (at('attempted') ?? at('begun') ?? Infinity));
}

function killPoint(story: Story, step: string, moment: Moment, target: KillTarget): ChaosCase {
  return {
    id: `kill/${story.name}/${moment === 'after' ? 'after' : 'middle'}/${step.replaceAll(' ', '-')}/${target}`,
    group: 'kills',
    phase: `${moment} ${step}`,
    injected: killTargets[target],
    alone: true,
    owner: story.owner,
    run: async (place) => {
      const asked = await story.ask(place);
      await untilMoment(story, step, moment, asked.instanceId ?? asked.taskId, place);
      const at = await place.lane.kill(target);
      const entries = journalOf(place.lane.botStateDir, asked.instanceId ?? asked.taskId).entries();
      return { ...asked, at, met: openAt(entries, at), ends: endsAfter(story, step, target) };
    },
  };
}

async function untilMoment(
  story: Story,
  step: string,
  moment: Moment,
  instanceId: string,
  { lane, signal }: Place,
): Promise<void> {
  const journal = journalOf(lane.botStateDir, instanceId);
  if (moment === 'after') return await journal.until(step, 'done', signal);
  await journal.until(step, step.startsWith('wait for') ? 'begun' : 'attempted', signal);
  await sleep(middles.get(`${story.name} ${step}`) ?? unmeasuredMs, undefined, { signal });
}

/** A task that has lost its sandbox before its change was collected has to say so. */
function endsAfter(story: Story, step: string, target: KillTarget): readonly TaskOutcome['kind'][] {
  const { steps, ends } = story;
  const at = steps.indexOf(step);
  const needsSandbox = steps.includes(lastWithSandbox) && at <= steps.indexOf(lastWithSandbox);
  // Acknowledging and reading run while the sandbox starts.
  const hadSandbox = needsSandbox && at >= steps.indexOf('authorize-1');
  return target === 'worker' || !hadSandbox ? ends : [...new Set([...ends, 'failed' as const])];
}
