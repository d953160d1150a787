/** A workspace with all kinds of people, and waits for what they see. */
import type { Interaction, MessageView } from '../../simulators/slack/contract-views.ts';
import type { SlackSimulator } from '../../simulators/slack/contract.ts';
import type { WorldOptions } from '../../cli/demo/world.ts';
import { splitBillPatch } from '../../cli/demo/demo-script.ts';
import { applyPatch, finish, plan, shell, type Move } from '../../simulators/openai/script.ts';
import { startFlow, until, type FlowWorld } from './ask.ts';

export const people = [
  { name: 'maria', displayName: 'Maria' },
  { name: 'omar', displayName: 'Omar' },
  { name: 'gast', kind: 'guest' },
  { name: 'fremd', kind: 'stranger' },
] as const;
export const channels = [
  { name: 'dev', members: ['maria', 'omar', 'gast', 'fremd'] },
  { name: 'ops', members: ['maria', 'omar'] },
  { name: 'secret', private: true, members: ['maria'], withBot: false },
] as const;

/** `dev` is split-bill's channel; `ops` has to choose; `acme/till` is for Omar alone. */
export const config = (slack: SlackSimulator): string =>
  JSON.stringify({
    slack: {
      team: slack.teamId,
      channels: { [slack.channel('dev').id]: 'bill' },
      people: { [slack.user('maria').id]: 'maria' },
    },
    prices: { 'gpt-6.1-sol': { input: 2, cachedInput: 0.5, output: 8 } },
    repositories: {
      'acme/split-bill': { aliases: ['bill'], slack: 'workspace' },
      'acme/till': { slack: { users: [slack.user('omar').id] } },
      'acme/menu': { slack: 'workspace' },
    },
  });

export async function startSlackFlow(
  options: Partial<WorldOptions> & Pick<WorldOptions, 'script'>,
): Promise<FlowWorld> {
  return await startFlow({
    slack: { users: people, channels, deliverTo: 'http' },
    configText: config,
    ...options,
  });
}

/** A run of the model that mends the bug and says so. */
export const mend: readonly Move[] = [
  applyPatch(splitBillPatch),
  finish({ title: 'Hand out every cent', summary: 'Counts in whole cents.' }),
];

/** The same with a plan and tests, which cost much more processor time. */
export const mendAndTest: readonly Move[] = [
  plan(['Read it', 'Mend it'], 0),
  shell('node --test'),
  plan(['Read it', 'Mend it'], 1),
  applyPatch(splitBillPatch),
  shell('node --test'),
  plan(['Read it', 'Mend it'], 2),
  ...mend.slice(-1),
];

/** The bot's messages of a thread, without what people said. */
export function botMessages(
  slack: SlackSimulator,
  channel: string,
  threadTs: string,
): readonly MessageView[] {
  return slack.thread(channel, threadTs).filter(({ fromBot }) => fromBot);
}

/** Until a message of the bot's at the top of a channel shows `text`. */
export async function untilPosted(
  slack: SlackSimulator,
  channel: string,
  text: string | RegExp,
): Promise<MessageView> {
  return await untilOne(`a message in ${channel} with ${String(text)}`, () =>
    slack.messages(channel).filter((message) => message.fromBot && shows(message, text)),
  );
}

/** Until the bot's `nth` message (from 1) in a thread shows `text`. */
export async function untilReplied(
  { slack, channel, threadTs }: { slack: SlackSimulator; channel: string; threadTs: string },
  text: string | RegExp,
  nth = 1,
): Promise<MessageView> {
  return await untilOne(`message ${nth} of the bot in the thread with ${String(text)}`, () => {
    const message = botMessages(slack, channel, threadTs)[nth - 1];
    return message !== undefined && shows(message, text) ? [message] : [];
  });
}

/** Waits until the current version of the message shows `text`. */
export async function untilShows(
  slack: SlackSimulator,
  { channelId, ts }: Pick<MessageView, 'channelId' | 'ts'>,
  text: string | RegExp,
): Promise<MessageView> {
  return await untilOne(`the message shows ${String(text)}`, () => {
    const message = slack.message(channelId, ts);
    return message !== null && shows(message, text) ? [message] : [];
  });
}

async function untilOne(what: string, find: () => readonly MessageView[]): Promise<MessageView> {
  await until(what, () => find().length > 0);
  const [message] = find();
  if (message === undefined) throw new Error(`gone again: ${what}`);
  return message;
}

function shows({ shown, text }: MessageView, wanted: string | RegExp): boolean {
  const all = `${text}\n${shown}`;
  return typeof wanted === 'string' ? all.includes(wanted) : wanted.test(all);
}

/** Rejects when the app did not take it in time. */
export function taken<T extends Pick<Interaction, 'status' | 'ms' | 'body'>>(answer: T): T {
  if (answer.status !== 200) throw new Error(`not taken: ${String(answer.status)} ${answer.body}`);
  return answer;
}

/** Tasks that the bot has ever started, by its own log. */
export function startedTasks(flow: FlowWorld): readonly string[] {
  return [...new Set(flow.logged('task.phase_entered').map((line) => String(line['taskId'])))];
}
