/**
 * Decides which repository a chat request is about: the named one, else the thread's, else the channel's
 * default, else the only candidate, else a person chooses. Access is checked afterwards, on purpose: a
 * repository that was named is never silently replaced by one that the person may use.
 */
import type { NamedBy, RoutedBy, Routing } from '../chat.ts';
import { sameRepository } from '../ids.ts';
import { reasonOf } from '../reason.ts';
import type { Reason, RepositoryRef } from '../task.ts';

export interface RouteInput {
  /** What the request itself says: by name or alias in its words, in the form, or as the task to retry. */
  readonly explicit: { readonly repository: RepositoryRef; readonly by: NamedBy } | null;
  /** The latest task of this thread, if that task had a repository. */
  readonly thread: { readonly repository: RepositoryRef; readonly taskId: string } | null;
  readonly channelDefault: RepositoryRef | null;
  /** The repositories that this person may use here, in the order in which people see them. */
  readonly candidates: readonly RepositoryRef[];
}

export type RouteVerdict =
  | {
      readonly kind: 'repository';
      readonly routing: Routing;
      /** The thread's task, if it is about the same repository, to whose branch the work may go. */
      readonly continues: string | null;
    }
  /** At least two, each once. */
  | { readonly kind: 'ask'; readonly choices: readonly RepositoryRef[] }
  | { readonly kind: 'none'; readonly reason: Reason };

/** Reveals nothing about the configuration: everybody who may use nothing gets the same answer. */
const nothingToUse = (): Reason => reasonOf('no-repository');

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
  if (only === undefined) return { kind: 'none', reason: nothingToUse() };
  return more.length === 0 ? to(only, 'only') : { kind: 'ask', choices };
}

/** The reason for this repository, to follow its name: “acme/shop, this channel's default”. Plain text. */
export function routedByWords(by: RoutedBy): string {
  switch (by) {
    case 'named':
      return 'named in the message';
    case 'form':
      return 'chosen in the form';
    case 'again':
      return "the earlier task's repository";
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
