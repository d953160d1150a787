/**
 * What a repository is called now. Names change hands, ids do not: who is redirected, or finds nothing under a name, asks here and is
 * never led by the redirect itself. Whether the new name may be used is the caller's question.
 */
import * as z from 'zod';
import type { GrantedRepository } from '../core/grant.ts';
import { repositoryRefSchema, type RepositoryFacts, type RepositoryRef } from '../core/task.ts';
import { purposes, type AppTokens } from './app-auth.ts';
import { GithubMovedError, GithubRefusal, githubClient, type GithubApi } from './client.ts';

type Known = Pick<GrantedRepository, 'installationId' | 'repositoryId'>;

/** null: GitHub does not show it to us any more. Rejects on what may pass, within `timeoutMs`. */
export type CurrentName = (taskId: string, repository: Known) => Promise<RepositoryRef | null>;

/** Somebody waits for it in the middle of a fetch. Tried once. */
const timeoutMs = 5_000;
/** How long an answer is good for who asks often, and how many are kept. */
const memory = { ms: 10_000, repositories: 1_000 } as const;

const documentSchema = z.object({
  id: z.number().int(),
  name: z.string(),
  owner: z.object({ login: z.string() }),
});

/** Asks with the task's read token, which is bound to the id. */
export function createCurrentName(deps: GithubApi & { readonly tokens: AppTokens }): CurrentName {
  const { tokens } = deps;
  return async (taskId, { installationId, repositoryId }) => {
    const scope = { taskId, installationId, repositoryId, permissions: purposes.read };
    const client = githubClient({ ...deps, timeoutMs }, async () => await tokens.tokenFor(scope));
    try {
      const answer: { readonly data: unknown } = await client.request('GET /repositories/{repository_id}', {
        repository_id: repositoryId,
        request: { retries: 0 },
      });
      const { id, name, owner } = documentSchema.parse(answer.data);
      const named = repositoryRefSchema.safeParse({ owner: owner.login, name });
      return id === repositoryId && named.success ? named.data : null;
    } catch (error) {
      if (error instanceof GithubMovedError) return null;
      if (!(error instanceof GithubRefusal)) throw error;
      if (error.status === 401) tokens.drop(scope);
      // 403, 404: it is closed to us; 422: the installation no longer has it.
      if ([403, 404, 422].includes(error.status)) return null;
      throw error;
    }
  };
}

/**
 * For who is asked by a sandbox: at most once in ten seconds for a repository, so that a sandbox cannot use up GitHub's rate limit of
 * a whole installation, and null also when GitHub cannot be asked. Never rejects.
 */
export function rarelyAsked(ask: CurrentName, now: () => number): CurrentName {
  // Values only: in a Worker no request may wait for another one's I/O.
  const answers = new Map<number, { readonly name: RepositoryRef | null; readonly until: number }>();
  return async (taskId, repository) => {
    const { repositoryId } = repository;
    const known = answers.get(repositoryId);
    if (known !== undefined && known.until > now()) return known.name;
    const name = await ask(taskId, repository).catch(() => null);
    const [oldest] = answers.keys();
    if (answers.size >= memory.repositories && oldest !== undefined) answers.delete(oldest);
    answers.delete(repositoryId);
    answers.set(repositoryId, { name, until: now() + memory.ms });
    return name;
  };
}

/**
 * Does the work, and once more under the present name where GitHub does not know the repository by the one it had. Only for what is
 * bound to the repository in another way than by its name, as a comment under its issue is.
 */
export async function underPresentName<T>(
  facts: RepositoryFacts,
  currentName: () => Promise<RepositoryRef | null>,
  work: (facts: RepositoryFacts) => Promise<T>,
): Promise<T> {
  try {
    return await work(facts);
  } catch (error) {
    // 403 and 404: another repository may have taken the name, which the token does not open.
    const mayBeMoved =
      error instanceof GithubMovedError ||
      (error instanceof GithubRefusal && (error.status === 404 || error.status === 403));
    const named = mayBeMoved ? await currentName() : null;
    if (named === null || (named.owner === facts.owner && named.name === facts.name)) throw error;
    return await work({ ...facts, ...named });
  }
}
