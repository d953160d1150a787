/** Preselects the repository that a task from the same place would get, or none if in doubt or late. */
import { route } from '../core/access/route.ts';
import type { RepositoryRef } from '../core/task.ts';
import { withDeadline } from '../lib/with-deadline.ts';
import { candidates, filterUsable, type Asker } from './candidates.ts';
import type { Intake } from './intake.ts';

/** The trigger id expires after 3 s, and the form also opens without a repository. */
const prefillDeadlineMs = 700;

export interface FormPlace extends Asker {
  /** The root of the thread of the future task; null outside a thread. */
  readonly threadTs: string | null;
}

/** Returns the repository to preselect, or null. `named` comes from the command. Never rejects. */
export async function formRepository(
  intake: Intake,
  place: FormPlace,
  named: RepositoryRef | null,
): Promise<RepositoryRef | null> {
  try {
    return await withDeadline(
      routed(intake, place, named),
      prefillDeadlineMs,
      'preselecting the repository of the form',
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
  // List repositories only if nothing else decides, because that may need a call to GitHub.
  const listed = explicit === null && thread === null && channelDefault === null;
  const usable = listed ? (await candidates(intake, place)).repositories : [];
  const named = explicit === null ? null : { repository: explicit, by: 'named' as const };
  const verdict = route({ explicit: named, thread, channelDefault, candidates: usable });
  if (verdict.kind !== 'repository') return null;
  const { repository } = verdict.routing;
  if (listed) return repository;
  // Reveal the repository of an alias, a thread or a channel default only to users who can use it.
  return (await filterUsable(intake, place, [repository])).repositories[0] ?? null;
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
