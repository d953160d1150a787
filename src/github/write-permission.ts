/**
 * Who has write access to a repository, from the collaborator permission API. Not from `author_association`, which
 * says how somebody is related to the repository and not what they may do.
 */
import * as z from 'zod';
import type { RepositoryFacts } from '../core/task.ts';
import { unlessMissing, type GithubClient } from './client.ts';

/** GitHub reports `maintain` as `write` here; custom roles by the role they are built on. */
const permissionSchema = z.object({ permission: z.string() });
const writing = new Set(['admin', 'maintain', 'write']);

/** GitHub's own form of a login, with the suffix of an App's account. Anything else is not asked for. */
const login = /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,99})(?:\[bot\])?$/;

/** Whether an account can have this name: what goes into a path and a commit. */
export function isLogin(untrustedText: string): boolean {
  return login.test(untrustedText);
}

/**
 * Answers are kept as long as the returned function, which is for one task: each person is asked about once.
 * Rejects when GitHub cannot be asked; the caller fails closed.
 */
export function writePermissions(
  clientFor: (facts: RepositoryFacts) => GithubClient,
): (facts: RepositoryFacts, login: string) => Promise<boolean> {
  const known = new Map<string, Promise<boolean>>();
  return async (facts, untrustedLogin) => {
    if (!isLogin(untrustedLogin)) return false;
    const key = `${facts.repositoryId}:${untrustedLogin.toLowerCase()}`;
    const cached = known.get(key);
    if (cached !== undefined) return await cached;
    const answer = ask(clientFor(facts), facts, untrustedLogin);
    known.set(key, answer);
    // An error is not an answer: the next caller asks again.
    answer.catch(() => known.delete(key));
    return await answer;
  };
}

async function ask(client: GithubClient, facts: RepositoryFacts, username: string): Promise<boolean> {
  const found = await unlessMissing(
    client.request('GET /repos/{owner}/{repo}/collaborators/{username}/permission', {
      owner: facts.owner,
      repo: facts.name,
      username,
    }),
  );
  // No such person, for example an account deleted meanwhile.
  return found !== null && writing.has(permissionSchema.parse(found.data).permission);
}
