/**
 * Lists every repository that the App is installed on, for a person to choose from. GitHub lists them only to
 * a token that is not narrowed to repositories; it has `metadata: read` and cannot read them.
 */
import * as z from 'zod';
import { repositoryRefSchema, type RepositoryRef } from '../core/task.ts';
import type { AppTokens } from './app-auth.ts';
import { boundedAll } from '../lib/bounded-all.ts';
import { githubClient, GithubRefusal, type GithubApi, type GithubClient } from './client.ts';

/** The bound that the port documents. */
const maxRepositories = 500;
/** One page: a self-hosted App is installed on a few accounts. */
const maxInstallations = 100;
const pageSize = 100;
const installationsAtOnce = 4;
/** Milliseconds for the whole list, because a person waits for it. */
const deadlineMs = 10_000;

const installationsSchema = z.array(
  z.object({ id: z.number().int().positive(), suspended_at: z.string().nullish() }),
);
const pageSchema = z.object({
  total_count: z.number().int().nonnegative(),
  repositories: z.array(z.object({ name: z.string(), owner: z.object({ login: z.string() }) })),
});

/** Sorts by owner and name. Rejects at the deadline, because a partial list would look complete. */
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
    try {
      await tokens.withListingToken(id, async (token) => {
        await addRepositories(
          githubClient(deps, () => Promise.resolve(token)),
          found,
          signal,
        );
      });
    } catch (error) {
      if (!(error instanceof GithubRefusal)) throw error;
      // Skip an installation that was suspended or removed since it was listed.
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
