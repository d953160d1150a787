/**
 * Every repository that the App is installed on, for a person to choose from. Who may choose which is not decided here.
 *
 * GitHub lists an installation's repositories to an installation token alone, and one that is narrowed to repositories
 * lists only those. So the token here is not narrowed to repositories, but to `metadata: read`: it names repositories and
 * opens none.
 */
import * as z from 'zod';
import { repositoryRefSchema, type RepositoryRef } from '../core/task.ts';
import type { AppTokens } from './app-auth.ts';
import { boundedAll } from '../lib/bounded-all.ts';
import { githubClient, GithubRefusal, type GithubApi, type GithubClient } from './client.ts';

/** The port's bound. */
const maxRepositories = 500;
/** One page: an App of one's own is installed on a few accounts. */
const maxInstallations = 100;
const pageSize = 100;
const installationsAtOnce = 4;
/** Milliseconds for all of it: somebody looks at an empty list meanwhile. */
const deadlineMs = 10_000;

const installationsSchema = z.array(
  z.object({ id: z.number().int().positive(), suspended_at: z.string().nullish() }),
);
const pageSchema = z.object({
  total_count: z.number().int().nonnegative(),
  repositories: z.array(z.object({ name: z.string(), owner: z.object({ login: z.string() }) })),
});

/** Sorted by owner and name. Rejects when the deadline passes: a part of the list would look like all of it. */
export async function listInstalledRepositories(
  deps: GithubApi & { readonly tokens: AppTokens; readonly deadlineMs?: number },
): Promise<readonly RepositoryRef[]> {
  const withinMs = deps.deadlineMs ?? deadlineMs;
  const stop = new AbortController();
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new Error(`GitHub did not list the repositories within ${withinMs} ms`));
    stop.abort();
  }, withinMs);
  try {
    return await Promise.race([list(deps, stop.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function list(
  deps: GithubApi & { readonly tokens: AppTokens },
  signal: AbortSignal,
): Promise<readonly RepositoryRef[]> {
  const { tokens } = deps;
  const asApp = githubClient(deps, async () => await tokens.appJwt());
  const { data } = await asApp.request('GET /app/installations', {
    per_page: maxInstallations,
    request: { signal },
  });
  const active = installationsSchema.parse(data).filter(({ suspended_at }) => suspended_at == null);
  const found: RepositoryRef[] = [];
  await boundedAll(active, installationsAtOnce, async ({ id }) => {
    if (found.length >= maxRepositories) return;
    const client = githubClient(deps, async () => await tokens.listingToken(id));
    try {
      await addRepositories(client, found, signal);
    } catch (error) {
      if (!(error instanceof GithubRefusal)) throw error;
      // Revoked ahead of time, for example: the next list mints another.
      tokens.dropListing(id);
      // Suspended or removed since it was listed: the others are still worth showing.
      if (error.status !== 403 && error.status !== 404) throw error;
    }
  });
  const name = (repository: RepositoryRef): string => `${repository.owner}/${repository.name}`.toLowerCase();
  return found.toSorted((one, other) => (name(one) < name(other) ? -1 : 1)).slice(0, maxRepositories);
}

async function addRepositories(
  client: GithubClient,
  found: RepositoryRef[],
  signal: AbortSignal,
): Promise<void> {
  for (let page = 1; page <= maxRepositories / pageSize; page += 1) {
    const { data } = await client.request('GET /installation/repositories', {
      per_page: pageSize,
      page,
      request: { signal },
    });
    const { total_count: total, repositories } = pageSchema.parse(data);
    for (const { name, owner } of repositories) {
      const repository = repositoryRefSchema.safeParse({ owner: owner.login, name });
      if (repository.success) found.push(repository.data);
    }
    if (page * pageSize >= total || repositories.length === 0 || found.length >= maxRepositories) return;
  }
}
