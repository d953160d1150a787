/**
 * `approve` on GitHub: publishes the held change of this conversation whose hash begins with what was
 * written. The record decides whether this person may (`core/access/approver.ts`); their write access was
 * checked before, and is again before the publication.
 */
import { shortIdOf } from '../../core/ids.ts';
import type { RepositoryFacts, RoutedRequest, TaskOutcome } from '../../core/task.ts';
import { begunPublication, publishOnce, type PublicationStart } from './publish-once.ts';
import type { TaskDeps } from './stage.ts';

export async function approveHeld(
  hash: string,
  request: RoutedRequest,
  facts: RepositoryFacts,
  deps: TaskDeps,
): Promise<TaskOutcome> {
  const begun = await begunPublication(deps);
  const [found, another] = begun === null ? await heldHere(hash, request, facts, deps) : [begun];
  if (found === undefined) return answered(noneText(hash));
  if (another !== undefined)
    return answered(`More than one held change has a hash that begins with \`${hash}\`. Write more of it.`);
  const refused = await publishOnce(found, request.requester, deps);
  const name = await shortIdOf(found.taskId);
  return answered(
    refused === null
      ? `The change of task ${name} is approved and being published. The comment of its task shows the result.`
      : `The change of task ${name} was not published. ${refused}`,
  );
}

async function heldHere(
  hash: string,
  { trigger }: RoutedRequest,
  { repositoryId }: RepositoryFacts,
  deps: TaskDeps,
): Promise<PublicationStart[]> {
  if (trigger.kind !== 'github') return [];
  // Newest first. A retry can make the same change again.
  const held = new Map<string, PublicationStart>();
  for (const taskId of await deps.issueTasks.onIssue(repositoryId, trigger.issueNumber)) {
    const outcome = (await deps.recordOf(taskId).snapshot())?.outcome;
    if (outcome?.kind !== 'held' || outcome.changeHash?.startsWith(hash) !== true) continue;
    const { changeHash } = outcome;
    if (!held.has(changeHash)) held.set(changeHash, { taskId, changeHash });
  }
  return [...held.values()];
}

const answered = (message: string): TaskOutcome => ({ kind: 'answered', message });

const noneText = (hash: string): string =>
  `No held change here has a hash that begins with \`${hash}\`, so nothing was published. The comment of the held task names its hash.`;
