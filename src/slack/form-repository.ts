/**
 * Which repository a form begins with: the one that a task asked for in that place would get, as far as that is known in time. Where
 * such a task would ask, or be refused, the form begins with none: the person chooses.
 */
import { route } from '../core/access/route.ts';
import type { RepositoryRef } from '../core/task.ts';
import { withDeadline } from '../lib/with-deadline.ts';
import { candidates, usableOf, type Who } from './candidates.ts';
import type { Intake } from './intake.ts';

/** Milliseconds. Without a repository the form opens as well, and what opens it is good for 3 s. */
const prefillDeadlineMs = 700;

export interface FormPlace extends Who {
  /** Root of the thread that the task will be asked in; null: in none. */
  readonly threadTs: string | null;
}

/** `named`: by the words that open the form. Never rejects. */
export async function formRepository(
  intake: Intake,
  place: FormPlace,
  named: RepositoryRef | null,
): Promise<RepositoryRef | null> {
  try {
    return await withDeadline(
      routed(intake, place, named),
      prefillDeadlineMs,
      'the repository that the form begins with',
    );
  } catch (error) {
    intake.deps.log('slack.prefill_skipped', { error: String(error) });
    return null;
  }
}

async function routed(
  intake: Intake,
  place: FormPlace,
  explicit: RepositoryRef | null,
): Promise<RepositoryRef | null> {
  const thread = explicit === null ? await taskOfThread(intake, place) : null;
  const channelDefault = intake.slack.channelDefaults.get(place.channelId) ?? null;
  // Only where nothing else says: the list may have to be asked of GitHub.
  const listed = explicit === null && thread === null && channelDefault === null;
  const usable = listed ? (await candidates(intake, place)).repositories : [];
  const named = explicit === null ? null : { repository: explicit, by: 'named' as const };
  const verdict = route({ explicit: named, thread, channelDefault, candidates: usable });
  if (verdict.kind !== 'repository') return null;
  const { repository } = verdict.routing;
  if (listed) return repository;
  // What an alias, a thread or a channel's default stands for is told to those alone who may use it.
  return (await usableOf(intake, place, [repository])).repositories[0] ?? null;
}

async function taskOfThread(
  { deps }: Intake,
  { channelId, threadTs }: FormPlace,
): Promise<{ readonly repository: RepositoryRef; readonly taskId: string } | null> {
  const task = threadTs === null ? null : await deps.index.inThread(channelId, threadTs);
  const view = task === null ? null : await deps.task(task.taskId).view();
  return task === null || view?.repository == null
    ? null
    : { repository: view.repository, taskId: task.taskId };
}
