/**
 * Which earlier turn of a conversation a task continues, and whether it may see that turn's Codex thread. An
 * issue, the pull requests that its tasks opened and a Slack thread about them are one conversation. Pure.
 */
import type { Authorization } from './authorization.ts';
import type { ChatMessageRef } from './chat.ts';
import type { RepositoryRef, TaskOutcome, TaskRequest } from './task.ts';

/** What a task has to be known by: where it was asked, and the pull requests that it led to. */
export interface TurnPlace {
  readonly trigger: TaskRequest['trigger'];
  readonly authorization: Pick<Authorization, 'facts' | 'continues' | 'pull'>;
  readonly outcome: TaskOutcome | null;
  /** The task's message in Slack; null if there is none. */
  readonly slackPost: ChatMessageRef | null;
}

const numbered = (number: number): string => `#${number}`;

/** Where a turn is found again, within its repository. */
export interface Places {
  /** Without duplicates. */
  readonly places: readonly string[];
  /** Whether everybody who may write to the repository may read the words of the conversation. */
  readonly shared: boolean;
}

export function placesOf({ trigger, authorization, outcome, slackPost }: TurnPlace): Places {
  const places: string[] = [];
  const inSlack = (channelId: string, ts: string) =>
    trigger.kind === 'slack' && places.push(`slack:${trigger.teamId}:${channelId}:${ts}`);
  if (trigger.kind === 'slack') {
    if (trigger.threadTs !== null) inSlack(trigger.channelId, trigger.threadTs);
    // A post of its own is the root of a thread.
    if (slackPost !== null && (trigger.threadTs === null || slackPost.channelId !== trigger.channelId))
      inSlack(slackPost.channelId, slackPost.ts);
  }
  if (trigger.kind === 'github') places.push(numbered(trigger.issueNumber));
  const { continues, pull } = authorization;
  const opened = outcome?.kind === 'pull-request' ? outcome.pullRequest : null;
  for (const led of [continues, pull, opened]) if (led !== null) places.push(numbered(led.number));
  return { places: [...new Set(places)], shared: trigger.kind !== 'slack' };
}

/**
 * The places of the issues and pull requests of a repository that words name: `acme/shop#7`, or an address.
 * People join a conversation of GitHub from Slack by naming it.
 */
export function placesNamedIn(untrustedWords: string, { owner, name }: RepositoryRef): readonly string[] {
  const escaped = `${owner}/${name}`.replace(/[.]/g, '\\$&');
  const named = new RegExp(`(?<![\\w.-])${escaped}(?:#|/(?:issues|pull)/)([1-9]\\d{0,8})(?!\\d)`, 'giu');
  const places = [...untrustedWords.matchAll(named)].map(([, number]) => `#${number}`);
  return [...new Set(places)].slice(0, 5);
}

/** The thread of a task in a fork's pull request continues there alone, where nothing can be written. */
export function isOfFork(
  { pull: earlier }: Pick<Authorization, 'pull'>,
  { pull: now }: Pick<Authorization, 'pull'>,
): boolean {
  return earlier?.fork === true && now?.number !== earlier.number;
}

/** What decides who may read a turn's thread. */
export interface Readers {
  readonly trigger: TaskRequest['trigger'];
  readonly authorization: Pick<Authorization, 'facts' | 'alsoRead'>;
  /** Slack channels whose words are in the thread. */
  readonly heard: readonly string[];
}

/** The Slack channels whose words a task's thread holds, with those of the thread that it resumed. */
export function heardIn(trigger: TaskRequest['trigger'], before: readonly string[]): readonly string[] {
  return [...new Set([...before, ...(trigger.kind === 'slack' ? [trigger.channelId] : [])])];
}

/**
 * Whether a task may resume the thread of an earlier one. The thread can hold everything that the earlier
 * sandbox could read, and the words of the conversation that it was asked in.
 */
export function mayResume(earlier: Readers, now: Omit<Readers, 'heard'>): boolean {
  if (earlier.authorization.facts.repositoryId !== now.authorization.facts.repositoryId) return false;
  const readable = new Set(now.authorization.alsoRead.map(({ repositoryId }) => repositoryId));
  if (!earlier.authorization.alsoRead.every(({ repositoryId }) => readable.has(repositoryId))) return false;
  const { trigger } = now;
  // Who may read a channel is not known: the id of a private one can begin with a C, too.
  return earlier.heard.every((channelId) => trigger.kind === 'slack' && channelId === trigger.channelId);
}
