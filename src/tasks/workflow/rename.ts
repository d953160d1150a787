/** Handles a repository renamed meanwhile: the end says why, and a new attempt follows it. */
import type { Authorization } from '../../core/authorization.ts';
import { reasonOf } from '../../core/reason.ts';
import type { RepositoryFacts, RoutedRequest, TaskOutcome } from '../../core/task.ts';
import type { Stage, TaskDeps } from './stage.ts';

/** Edits the post under the present name, and names the rename as a failure's reason. Best effort. */
export async function explainRename(outcome: TaskOutcome, deps: TaskDeps): Promise<TaskOutcome> {
  const { record, codeHost, log } = deps;
  const authorization = (await record.snapshot())?.authorization ?? null;
  if (authorization === null) return outcome;
  const { facts } = authorization;
  const present = await codeHost.relocate(facts).catch((error: unknown) => {
    log('repository.not_relocated', { repositoryId: facts.repositoryId, error: String(error) });
    return null;
  });
  if (present === null || isSameName(facts, present)) return outcome;
  log('repository.renamed', { repositoryId: facts.repositoryId });
  await record.learn({ facts: present });
  if (outcome.kind !== 'failed') return outcome;
  const key = outcome.changeKept ? 'repository-renamed.kept' : 'repository-renamed';
  return { ...outcome, reason: reasonOf(key, { before: named(facts), now: named(present) }) };
}

/** What an attempt works on, under the present name, which the configuration has to allow too. */
export async function relocateForPublication({
  record,
  codeHost,
  policy,
}: TaskDeps): Promise<Stage<{ request: RoutedRequest; authorization: Authorization }>> {
  const snapshot = await record.snapshot();
  if (snapshot?.routed == null || snapshot.authorization === null)
    throw new Error('a task without an authorization has nothing to publish');
  const { routed: request, authorization } = snapshot;
  const { facts } = authorization;
  const present = await codeHost.relocate(facts);
  // Out of reach: publication finds out why, and says so.
  if (present === null || isSameName(facts, present)) return { go: true, value: { request, authorization } };
  if (!policy.forRepository(present).allowed) {
    const reason = reasonOf('renamed-not-allowed', { before: named(facts), now: named(present) });
    return { go: false, outcome: { kind: 'failed', reason, changeKept: true } };
  }
  const text = `${named(facts)} was renamed to ${named(present)}: the change goes there.`;
  await record.appendToLog({ kind: 'note', text });
  await record.learn({ facts: present });
  return { go: true, value: { request, authorization: { ...authorization, facts: present } } };
}

const named = ({ owner, name }: RepositoryFacts): string => `\`${owner}/${name}\``;

const isSameName = (a: RepositoryFacts, b: RepositoryFacts): boolean =>
  a.owner === b.owner && a.name === b.name;
