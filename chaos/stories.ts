/** The tasks that kill points are tried on. Together they run every step that the Workflow has. */
import { setTimeout as sleep } from 'node:timers/promises';
import { slackTaskId, taskIdFor } from '../src/core/ids.ts';
import type { TaskOutcome } from '../src/core/task.ts';
import { workflowIdOf } from '../src/tasks/start-task.ts';
import { ask, askOn, until, viewOf } from './ask.ts';
import type { ChaosCase, Harm, Place } from './case.ts';
import { journalOf } from './journal.ts';

export type AskedStory = Omit<Harm, 'at' | 'ends'>;

export interface Story {
  readonly name: string;
  readonly owner: ChaosCase['owner'];
  /** Each step of its run, with the engine's counter, in the order of their beginnings. */
  readonly steps: readonly string[];
  /** The steps at which it is killed; the others are those of another story. Default: all. */
  readonly killedAt?: readonly string[];
  readonly ends: readonly TaskOutcome['kind'][];
  ask(place: Place): Promise<AskedStory>;
}

const toSandbox = ['acknowledge-1', 'context-1', 'slot-1', 'provision-1', 'canary-1', 'clone-1'] as const;
const work = ['codex-1', 'codex-2', 'wait for Codex-1', 'codex-3', 'collect-1'] as const;
const publication = ['gate-1', 'publish-1', 'check-1'] as const;
const end = ['report-1', 'show-1', 'react-1', 'cleanup-1', 'remember-1', 'revoke-1'] as const;

/** A mention on an issue, in a repository with setup, with an attachment. */
async function askInComment({ lane, repository }: Place): Promise<AskedStory> {
  const { world } = lane;
  const attached = world.github.attach({ ...repository, file: 'numbers.log', content: '0.005 became 0.01' });
  const text = `@airlock mend it [mend] [numbers.log](${attached})`;
  const { taskId, issue } = await ask(world, text, { repository });
  return { taskId, asker: { kind: 'issue', issue } };
}

/** Milliseconds. Gives the wait for a choice a middle. */
const readingMs = 300;
/** Milliseconds for the bot to take the buttons away. It says so to the person if a click came to nothing. */
const patienceMs = 3_000;

/** A mention in a channel that belongs to no repository, so that Airlock asks which one. */
async function askInSlack({ lane, signal }: Place): Promise<AskedStory> {
  const { slack } = lane.world;
  const channel = slack.channel('ops').id;
  const said = await slack.say({ user: 'maria', channel, text: `<@${slack.botUserId}> mend it [mend]` });
  const asker = { kind: 'slack', channel, threadTs: said.ts } as const;
  const key = { event: 'message', teamId: slack.teamId, channelId: channel, ts: said.ts } as const;
  const taskId = await slackTaskId(key);
  // As a person does: reads first, and presses again while the bot does not answer or the buttons stay.
  const choose = async (): Promise<void> => {
    await journalOf(lane.botStateDir, taskId).until('wait for a choice-1', 'begun', signal);
    await sleep(readingMs, undefined, { signal });
    for (let wasHeard = false; !signal.aborted;) {
      const question = slack
        .thread(channel, said.ts)
        .find(({ fromBot, buttons }) => fromBot && buttons.includes('acme/split-bill'));
      if (question === undefined && wasHeard) return;
      const button = { user: 'maria', channel, ts: question?.ts ?? '', button: 'acme/split-bill' };
      const clicked = question === undefined ? null : await slack.click(button).catch(() => null);
      wasHeard ||= clicked?.status === 200;
      await sleep(wasHeard ? patienceMs : 50, undefined, { signal });
    }
  };
  void choose().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  return { taskId, asker };
}

/** A review of a person's pull request, with a line comment that gets a reply. */
async function askInReview({ lane, repository }: Place): Promise<AskedStory> {
  const { github } = lane.world;
  const branch = 'maria/notes';
  const pull = { author: 'maria', branch, base: 'main', title: 'Add notes', files: { 'NOTES.md': 'one\n' } };
  const { number, headSha } = await github.openPull({ ...repository, ...pull });
  const comments = [{ path: 'NOTES.md', line: 1, body: 'This line is wrong.' }];
  const body = '@airlock please do these [mend]';
  const review = await github.reviewPull({ ...repository, number, author: 'maria', body, comments });
  const taskId = taskIdFor({ event: 'review', repositoryId: repository.id, reviewId: review.id });
  const asker = { kind: 'issue', issue: number } as const;
  return { taskId, asker, continues: { number, headSha, branch } };
}

/** `retry` of a change that a ruleset refused at first. */
async function askForRetry(place: Place): Promise<AskedStory> {
  const { world } = place.lane;
  const { repository } = place;
  const rule = world.github.addRuleset({ ...repository, rules: [{ type: 'creation' }] });
  const { taskId, issue } = await ask(world, '@airlock mend it [mend]', { repository });
  await until('the change is kept', async () => {
    const view = await viewOf(world, taskId).catch(() => null);
    return view?.outcome?.kind === 'failed';
  });
  world.github.removeRuleset({ ...repository, id: rule.id });
  await askOn(world, issue, '@airlock retry', { repository });
  return { taskId, asker: { kind: 'issue', issue }, instanceId: workflowIdOf(taskId, 1) };
}

/** GitHub refuses to say what the requester may do. */
async function askWithoutPermission({ lane, repository }: Place): Promise<AskedStory> {
  const path = new RegExp(`/${repository.name}/collaborators/`);
  lane.world.github.failNext({
    method: 'GET',
    path,
    status: 403,
    message: 'Resource not accessible',
    times: 5,
  });
  const { taskId, issue } = await ask(lane.world, '@airlock mend it [mend]', { repository });
  return { taskId, asker: { kind: 'issue', issue } };
}

export const stories: readonly Story[] = [
  {
    name: 'comment',
    owner: 'full',
    steps: [
      'authorize-1',
      ...toSandbox,
      'setup-1',
      'wait for setup-1',
      'setup-2',
      'codex-1',
      'attachments-1',
      ...work.slice(1),
      ...publication,
      ...end,
    ],
    ends: ['pull-request'],
    ask: askInComment,
  },
  {
    name: 'slack',
    owner: 'shared',
    steps: [
      'route-1',
      'offer-1',
      'wait for a choice-1',
      'routed-1',
      'authorize-1',
      ...toSandbox,
      ...work,
      ...publication,
      ...end,
    ],
    killedAt: [
      'route-1',
      'offer-1',
      'wait for a choice-1',
      'routed-1',
      'acknowledge-1',
      'report-1',
      ...end.slice(1),
    ],
    ends: ['pull-request'],
    ask: askInSlack,
  },
  {
    name: 'review',
    owner: 'acme',
    steps: ['authorize-1', ...toSandbox, ...work, ...publication, ...end, 'reply-1'],
    killedAt: ['publish-1', 'report-1', 'show-1', 'reply-1'],
    ends: ['pull-request'],
    ask: askInReview,
  },
  {
    name: 'retry',
    owner: 'acme',
    steps: ['relocate-1', ...publication, ...end],
    killedAt: ['relocate-1', ...publication, 'report-1'],
    ends: ['pull-request'],
    ask: askForRetry,
  },
  {
    name: 'refusal',
    owner: 'acme',
    steps: ['authorize-1', 'explain-1', ...end],
    killedAt: ['explain-1', 'report-1', 'show-1'],
    ends: ['refused', 'failed'],
    ask: askWithoutPermission,
  },
];
