/** Asks GitHub what a person may do in a repository now, and whether that is private, for the pages. */
import type { RepositoryAccess } from '../core/access/page-access.ts';
import type { RepositoryPlace } from '../core/task.ts';
import { locatedSchema, purposes, type AppTokens } from './app-auth.ts';
import { githubClient, unlessMissing, type GithubApi } from './client.ts';
import { permissionNow, type Person } from './write-permission.ts';

/** Null: the repository is gone. Rejects if GitHub cannot be asked. */
export async function repositoryAccess(
  deps: GithubApi & { readonly tokens: Pick<AppTokens, 'lend'> },
  place: RepositoryPlace,
  person: Person,
): Promise<RepositoryAccess | null> {
  return await deps.tokens.lend({ ...place, permissions: purposes.read }, async (token) => {
    const client = githubClient(deps, async () => await Promise.resolve(token));
    const found = await unlessMissing(client.request('GET /repositories/{id}', { id: place.repositoryId }));
    if (found === null) return null;
    const { owner, name, private: isPrivate } = locatedSchema.parse(found.data);
    const at = { owner: owner.login, name };
    return { permission: await permissionNow(client, at, person), private: isPrivate };
  });
}
