/** Checks write access by the permission API, not by `author_association`, a person's relation. */
import * as z from 'zod';
import type { RepositoryFacts } from '../core/task.ts';
import { unlessMissing, type GithubClient } from './client.ts';

/** GitHub reports `maintain` as `write` here, and a custom role as the role it is based on. */
const permissionSchema = z.object({
  permission: z.string(),
  user: z.object({ id: z.number().int() }).nullable(),
});
const accountSchema = z.object({ login: z.string() });
const writing = new Set(['admin', 'maintain', 'write']);

export type Permission = 'none' | 'read' | 'write';
type Name = Pick<RepositoryFacts, 'owner' | 'name'>;

/** GitHub's form of a login, including the suffix of an App's account. */
const login = /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,99})(?:\[bot\])?$/;

/** Whether an account can have this name. Only such a name may become part of a path or a commit. */
export function isLogin(untrustedText: string): boolean {
  return login.test(untrustedText);
}

/** Asks GitHub now. Compares ids, because logins change hands; follows a changed login. */
export async function permissionNow(client: GithubClient, at: Name, person: Person): Promise<Permission> {
  const asked = isLogin(person.login) ? await ask(client, at, person.login) : null;
  if (asked !== null && asked.id === person.id) return asked.permission;
  const account = await unlessMissing(client.request('GET /user/{account_id}', { account_id: person.id }));
  if (account === null) return 'none';
  const { login: present } = accountSchema.parse(account.data);
  const again = isLogin(present) ? await ask(client, at, present) : null;
  return again !== null && again.id === person.id ? again.permission : 'none';
}

export async function canWriteNow(client: GithubClient, at: Name, person: Person): Promise<boolean> {
  return (await permissionNow(client, at, person)) === 'write';
}

export interface Person {
  readonly login: string;
  readonly id: number;
}

/** Asks once per author, so use one per task. Rejects if GitHub cannot be asked: fail closed. */
export function writePermissions(
  clientFor: (facts: RepositoryFacts) => GithubClient,
): (facts: RepositoryFacts, login: string) => Promise<boolean> {
  const known = new Map<string, Promise<boolean>>();
  return async (facts, untrustedLogin) => {
    if (!isLogin(untrustedLogin)) return false;
    const key = `${facts.repositoryId}:${untrustedLogin.toLowerCase()}`;
    const cached = known.get(key);
    if (cached !== undefined) return await cached;
    const answer = ask(clientFor(facts), facts, untrustedLogin).then(
      (found) => found?.permission === 'write',
    );
    known.set(key, answer);
    // Do not cache an error: the next call asks again.
    answer.catch(() => known.delete(key));
    return await answer;
  };
}

/** null: there is no such account, for example because it was deleted. */
async function ask(
  client: GithubClient,
  { owner, name }: Name,
  username: string,
): Promise<{ readonly id: number | null; readonly permission: Permission } | null> {
  const found = await unlessMissing(
    client.request('GET /repos/{owner}/{repo}/collaborators/{username}/permission', {
      owner,
      repo: name,
      username,
    }),
  );
  if (found === null) return null;
  const { permission, user } = permissionSchema.parse(found.data);
  const granted = writing.has(permission) ? 'write' : permission === 'read' ? 'read' : 'none';
  return { id: user?.id ?? null, permission: granted };
}
