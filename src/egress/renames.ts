/**
 * Renamed repositories: GitHub answers their old address with a redirect. Decides whether a redirect leads to the same
 * repository, and remembers the new name for a while, because the body of a POST cannot be sent twice.
 */
import type { Grant, GrantedRepository } from '../core/grant.ts';
import { fetchable, grantedByName, sameName } from './github-rules.ts';
import { egressLimits } from './limits.ts';
import type { GithubVerdict } from './verdict.ts';

/** Below a repository's address, what is asked of GitHub itself. */
export type Endpoint = GithubVerdict['endpoint'] | 'info/lfs/objects/batch';

export interface RepositoryName {
  readonly owner: string;
  readonly name: string;
}

/** Owner and name that a redirect leads to, if it leads to the same endpoint of a repository on the same GitHub; else null. */
export function redirectedName(
  location: string | null,
  githubUrl: string,
  endpoint: Endpoint,
): RepositoryName | null {
  const base = URL.parse(githubUrl.endsWith('/') ? githubUrl : `${githubUrl}/`);
  const target = base === null ? null : URL.parse(location ?? '', base);
  if (base === null || target === null) return null;
  if (target.origin !== base.origin || target.username !== '' || target.password !== '' || target.hash !== '')
    return null;
  if (!target.pathname.startsWith(base.pathname)) return null;
  const rest = `${target.pathname.slice(base.pathname.length)}${target.search}`;
  const [, owner, name, after] = /^([A-Za-z0-9_-]+)\/([A-Za-z0-9._-]+)\/(.*)$/.exec(rest) ?? [];
  if (owner === undefined || name === undefined || after !== endpoint) return null;
  return { owner, name: name.replace(/\.git$/i, '') };
}

/**
 * The repository whose token goes to the new name. By name: the grant itself has it. By id: it is what GitHub calls the repository
 * of the grant now. Anything else is another repository.
 */
export function decideRename(
  to: RepositoryName,
  from: GrantedRepository,
  current: RepositoryName | null,
  grant: Grant,
): GrantedRepository | null {
  const byName = grantedByName(fetchable(grant), to);
  if (byName !== undefined) return byName;
  const isSame = current !== null && sameName(current.owner, to.owner) && sameName(current.name, to.name);
  return isSame ? { ...from, ...current } : null;
}

/** In memory only: a name that is forgotten is asked for again. */
const names = new Map<string, RepositoryName & { readonly until: number }>();
const keyOf = (githubUrl: string, { repositoryId }: GrantedRepository) => `${repositoryId} ${githubUrl}`;

export function rememberName(
  githubUrl: string,
  granted: GrantedRepository,
  to: RepositoryName,
  now: number,
): void {
  const [oldest] = names.keys();
  if (names.size >= egressLimits.renames && oldest !== undefined) names.delete(oldest);
  names.set(keyOf(githubUrl, granted), {
    owner: to.owner,
    name: to.name,
    until: now + egressLimits.renameMs,
  });
}

export function presentName(githubUrl: string, granted: GrantedRepository, now: number): RepositoryName {
  const known = names.get(keyOf(githubUrl, granted));
  return known !== undefined && known.until > now ? known : granted;
}
