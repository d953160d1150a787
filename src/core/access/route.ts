/**
 * Which repository a request from a chat is about, when its place does not say: what was named, else the task of the
 * thread, else the channel's default, else the only one there is, else a person chooses.
 *
 * Whether the person may use it is asked afterwards, and that is deliberate: what somebody named, continues or set up
 * for a channel is never silently replaced by another repository that happens to be open to them. They are told instead.
 */
import type { NamedBy, RoutedBy, Routing } from '../chat.ts';
import { sameRepository } from '../ids.ts';
import type { Reason, RepositoryRef } from '../task.ts';

export interface RouteInput {
  /** What the request itself says: by name or alias in its words, in the form, or as the task that is tried again. */
  readonly explicit: { readonly repository: RepositoryRef; readonly by: NamedBy } | null;
  /** The latest task of the thread that this was said in, if that task had come to a repository. */
  readonly thread: { readonly repository: RepositoryRef; readonly taskId: string } | null;
  readonly channelDefault: RepositoryRef | null;
  /** What this person may use here, in the order in which it would be shown. */
  readonly candidates: readonly RepositoryRef[];
}

export type RouteVerdict =
  | {
      readonly kind: 'repository';
      readonly routing: Routing;
      /** The thread's task, when this is about the same repository: its branch may be worked on. null: a new one. */
      readonly continues: string | null;
    }
  /** At least two, each once. */
  | { readonly kind: 'ask'; readonly choices: readonly RepositoryRef[] }
  | { readonly kind: 'none'; readonly reason: Reason };

/** Says nothing of the configuration: whoever may use nothing gets the same, whatever there is. */
const nothingToUse: Reason = {
  code: 'no-repository',
  message:
    'There is no repository that you may use from here. Whoever runs this bot decides who may use which repository, and from which channels.',
};

export function route({ explicit, thread, channelDefault, candidates }: RouteInput): RouteVerdict {
  const to = (repository: RepositoryRef, by: RoutedBy): RouteVerdict => ({
    kind: 'repository',
    routing: { repository, by },
    continues: thread !== null && sameRepository(thread.repository, repository) ? thread.taskId : null,
  });
  if (explicit !== null) return to(explicit.repository, explicit.by);
  if (thread !== null) return to(thread.repository, 'thread');
  if (channelDefault !== null) return to(channelDefault, 'channel');
  const choices = candidates.filter(
    (candidate, index) => candidates.findIndex((other) => sameRepository(other, candidate)) === index,
  );
  const [only, ...more] = choices;
  if (only === undefined) return { kind: 'none', reason: nothingToUse };
  return more.length === 0 ? to(only, 'only') : { kind: 'ask', choices };
}

/** Why it is this repository, for after its name: “acme/shop, this channel's default”. Plain text. */
export function routedByWords(by: RoutedBy): string {
  switch (by) {
    case 'named':
      return 'named in the message';
    case 'form':
      return 'chosen in the form';
    case 'again':
      return 'as the task before';
    case 'thread':
      return "this thread's task";
    case 'channel':
      return "this channel's default";
    case 'only':
      return 'the only repository you may use here';
    case 'chosen':
      return 'chosen by hand';
  }
}
