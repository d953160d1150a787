/** Kill points outside the steps: while a mention arrives, while nothing runs, and again and again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, untilCommand, type Asked } from './ask.ts';
import type { ChaosCase, Harm, Place } from './case.ts';
import { journalOf } from './journal.ts';
import { killTargets } from './lane.ts';

export function killsOutsideSteps(): readonly ChaosCase[] {
  return [
    ...(['worker', 'host'] as const).flatMap((target) => [
      killCase(
        `intake/accepted/${target}`,
        'the mention was just accepted',
        killTargets[target],
        async (place) => {
          const asked = await askedIn(place);
          return harmTo(asked, await place.lane.kill(target));
        },
      ),
      killCase(
        `intake/arriving/${target}`,
        'the mention is written while nothing runs',
        killTargets[target],
        async (place) => {
          let asked: Asked | null = null;
          const at = await place.lane.kill(target, async () => void (asked = await askedIn(place)));
          if (asked === null) throw new Error('nothing was asked');
          return harmTo(asked, at);
        },
      ),
    ]),
    killCase(
      'again/worker',
      'provision-1, then twice while Codex works',
      'workerd is killed three times',
      killedAgain,
    ),
  ];
}

function killCase(id: string, phase: string, injected: string, run: ChaosCase['run']): ChaosCase {
  return { id: `kill/${id}`, group: 'kills', phase, injected, alone: true, owner: 'acme', run };
}

const askedIn = async ({ lane, repository }: Place): Promise<Asked> =>
  await ask(lane.world, '@airlock mend it [mend]', { repository });

const harmTo = ({ taskId, issue }: Asked, at: number): Harm => ({
  taskId,
  asker: { kind: 'issue', issue },
  at,
  ends: ['pull-request'],
});

async function killedAgain({ lane, repository, signal }: Place): Promise<Harm> {
  const asked = await ask(lane.world, '@airlock mend it [slow]', { repository });
  await journalOf(lane.botStateDir, asked.taskId).until('provision-1', 'attempted', signal);
  await lane.kill('worker');
  await untilCommand(lane.world, asked.taskId, 'echo first');
  await lane.kill('worker');
  await sleep(200);
  return harmTo(asked, await lane.kill('worker'));
}
