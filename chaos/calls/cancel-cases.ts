/**
 * Cancellations: in every phase of a task, from every place where a person can cancel it, and twice at once.
 * A phase is one of its calls that is held until the task was cancelled.
 */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { shortIdOf } from '../../src/core/ids.ts';
import type { TaskOutcome } from '../../src/core/task.ts';
import { askOn, api, until } from '../ask.ts';
import type { ChaosCase, Place } from '../case.ts';
import { askIn, ownerOf, type AskedPlace, type Surface } from './ask-in.ts';

/** Phase → call, on both surfaces; with `slack` where Slack's own call is another one. */
const phases = {
  authorize: { call: 'github GET /installation', late: false },
  acknowledge: { call: 'github GET /git/ref/heads/{branch}', late: false },
  provision: { call: 'sandbox-host POST /start', late: false },
  canary: { call: 'sandbox-host POST /exec canary', late: false },
  clone: { call: 'github POST /git/git-upload-pack', late: false },
  'start of Codex': { call: 'sandbox-host POST /runs/codex codex-driver', late: false },
  codex: { call: 'openai POST /v1/responses', late: false },
  collect: { call: 'sandbox-host POST /runs/collect collect', late: false },
  gate: { call: 'github GET /git/blobs/{sha}', late: false },
  // From here on the change may be public before the cancellation is read.
  publish: { call: 'github POST /git/trees', late: true },
  'opening the pull request': { call: 'github POST /pulls', late: true },
  report: { call: 'github POST /check-runs', late: true },
  cleanup: { call: 'sandbox-host DELETE /', late: true },
} as const;

type CancelPlace = 'comment' | 'button' | 'command' | 'api' | 'terminal' | 'twice';
const places: readonly (readonly [CancelPlace, Surface, words: string])[] = [
  ['comment', 'issue', 'cancelled by a comment'],
  ['api', 'issue', 'cancelled over the API'],
  ['terminal', 'issue', 'cancelled by npm run task'],
  ['twice', 'issue', 'cancelled by a comment and over the API at once'],
  ['button', 'slack', 'cancelled by the button in Slack'],
  ['command', 'slack', 'cancelled by /codex cancel'],
];

/** The longest that the call is held after the cancellation. */
const holdMs = 5_000;

export function cancelCases(): readonly ChaosCase[] {
  return Object.entries(phases).flatMap(([phase, { call, late }]) =>
    places
      // Until a task is acknowledged, Slack shows no button.
      .filter(([by]) => by !== 'button' || !['authorize', 'acknowledge'].includes(phase))
      .map(([by, surface, words]) => cancelCase(phase, call, late, by, surface, words)),
  );
}

function cancelCase(
  phase: string,
  call: string,
  late: boolean,
  by: CancelPlace,
  surface: Surface,
  words: string,
): ChaosCase {
  return {
    id: `cancel/${phase.replaceAll(' ', '-')}/${by}`,
    group: 'cancels',
    phase,
    injected: words,
    alone: false,
    owner: ownerOf(surface),
    run: async (place) => {
      const { lane, repository, signal } = place;
      const release = Promise.withResolvers<void>();
      let isHeld = false;
      lane.exchange.join(repository, ({ name }) => {
        if (isHeld || name !== call) return null;
        isHeld = true;
        return { kind: 'hold', until: release.promise };
      });
      try {
        const asked = await askIn(surface, place);
        await until(`the call ${call}`, () => isHeld || signal.aborted, { everyMs: 20 });
        const cancelledAt = Date.now();
        await cancel(by, asked, place);
        void sleep(holdMs).then(() => release.resolve());
        if (late) release.resolve();
        const ends: readonly TaskOutcome['kind'][] = late ? ['cancelled', 'pull-request'] : ['cancelled'];
        return { ...asked, at: cancelledAt, cancelledAt, ends };
      } catch (error) {
        release.resolve();
        throw error;
      }
    },
  };
}

async function cancel(by: CancelPlace, asked: AskedPlace, place: Place): Promise<void> {
  const { lane, repository } = place;
  const { world } = lane;
  const { taskId, asker, requester } = asked;
  switch (by) {
    case 'comment':
      if (asker.kind === 'issue') await askOn(world, asker.issue, '@airlock cancel', { repository });
      return;
    case 'api':
      await cancelOverApi(taskId, place);
      return;
    case 'twice':
      await Promise.all([cancel('comment', asked, place), cancel('api', asked, place)]);
      return;
    case 'terminal':
      await promisify(execFile)(process.execPath, ['cli/task.ts', 'cancel', taskId, '--url', world.bot.url], {
        env: { ...process.env, API_TOKEN: world.apiToken },
        timeout: 60_000,
      }).catch((error: unknown) => {
        // As over the API: it is published or has ended already.
        if (!String(error).includes('already')) throw error;
      });
      return;
    case 'button': {
      if (asker.kind !== 'slack') return;
      const { channel, threadTs } = asker;
      const message = () =>
        world.slack
          .thread(channel, threadTs)
          .find(({ fromBot, buttons }) => fromBot && buttons.includes('Cancel'));
      await until('the button', () => message() !== undefined);
      await world.slack.click({ user: requester, channel, ts: message()?.ts ?? '', button: 'Cancel' });
      return;
    }
    case 'command':
      await world.slack.slashCommand({
        user: requester,
        channel: 'dev',
        text: `cancel ${await shortIdOf(taskId)}`,
      });
  }
}

async function cancelOverApi(taskId: string, { lane }: Place): Promise<void> {
  const answer = await api(lane.world, `/api/tasks/${taskId}/cancel`, { method: 'POST' });
  // 409: it was cancelled or has ended already.
  if (![202, 409].includes(answer.status))
    throw new Error(`cancelling: ${answer.status} ${await answer.text()}`);
}
