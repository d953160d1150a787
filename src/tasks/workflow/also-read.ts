/** Resolves `alsoRead`. If one cannot be read, the task ends before anything is spent. */
import type { GrantedRepository } from '../../core/grant.ts';
import type { CodeHost } from '../../core/ports/code-host.ts';
import { reasonOf } from '../../core/reason.ts';
import type { Reason, RepositoryFacts, RepositoryRef } from '../../core/task.ts';

export type AlsoRead =
  | { readonly ok: true; readonly repositories: readonly GrantedRepository[] }
  | { readonly ok: false; readonly reason: Reason };

/** Ids, because a name can move to another repository meanwhile. Rejects on transient errors. */
export async function locateAlsoRead(
  wanted: readonly RepositoryRef[],
  asked: RepositoryFacts,
  codeHost: Pick<CodeHost, 'locate'>,
): Promise<AlsoRead> {
  const found = await Promise.all(wanted.map(async (ref) => ({ ref, facts: await codeHost.locate(ref) })));
  const missing = found
    .filter(({ facts }) => facts === null)
    .map(({ ref }) => `\`${ref.owner}/${ref.name}\``);
  if (missing.length > 0) {
    // Everybody reads the comments of a public repository: they are no place for the names of private ones.
    const which = asked.private ? `${missing.join(', ')}, which` : 'a repository that';
    return { ok: false, reason: reasonOf('also-read-not-installed', { which }) };
  }
  const repositories = found.flatMap(({ facts }) => {
    // The repository itself is granted anyway.
    if (facts === null || facts.repositoryId === asked.repositoryId) return [];
    const { owner, name, installationId, repositoryId } = facts;
    return [{ owner, name, installationId, repositoryId }];
  });
  const byId = new Map(repositories.map((repository) => [repository.repositoryId, repository]));
  return { ok: true, repositories: [...byId.values()] };
}
