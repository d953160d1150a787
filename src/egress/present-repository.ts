/** Where a granted repository is now: asks GitHub what `renames.ts` decides by, and remembers it. Sends nothing of the sandbox. */
import type { GrantedRepository } from '../core/grant.ts';
import { sameName } from './github-rules.ts';
import { decideRename, redirectedName, rememberName, type Endpoint, type RepositoryName } from './renames.ts';
import { trimSlash, type Passage } from './upstream.ts';

/** The new name, remembered; null when the redirect leads anywhere but to a repository of the grant. */
export async function renamedTo(
  { grant, deps }: Passage,
  repository: GrantedRepository,
  endpoint: Endpoint,
  upstream: Response,
): Promise<GrantedRepository | null> {
  const to = redirectedName(upstream.headers.get('location'), deps.githubUrl, endpoint);
  if (to === null) return null;
  const byName = decideRename(to, repository, null, grant);
  if (byName !== null) return byName;
  const current = (await deps.currentName?.(grant.taskId, repository)) ?? null;
  const renamed = decideRename(to, repository, current, grant);
  if (renamed !== null) rememberName(deps.githubUrl, repository, renamed, deps.now());
  return renamed;
}

/**
 * Where a repository is that is not there under its name: no redirect leads to it any more once another has taken that name, which its
 * token does not open. The new name, remembered; null when it is no other.
 */
export async function hiddenAt(
  { grant, deps }: Passage,
  repository: GrantedRepository,
  asked: RepositoryName,
): Promise<RepositoryName | null> {
  const current = (await deps.currentName?.(grant.taskId, repository)) ?? null;
  if (current === null || (sameName(current.owner, asked.owner) && sameName(current.name, asked.name)))
    return null;
  rememberName(deps.githubUrl, repository, current, deps.now());
  return current;
}

export function addressOf(githubUrl: string, { owner, name }: RepositoryName, endpoint: Endpoint): string {
  return `${trimSlash(githubUrl)}/${owner}/${name}.git/${endpoint}`;
}
