/** Asks GitHub for the App's account, as commits name it. */
import * as z from 'zod';
import { unlessMissing, type GithubClient } from './client.ts';

export interface BotIdentity {
  /** `slug[bot]` */
  readonly name: string;
  readonly email: string;
}

/** Returns the App's URL-friendly name. `asApp` authenticates with the App's JWT. */
export async function appSlug(asApp: GithubClient): Promise<string> {
  return z.object({ slug: z.string().min(1) }).parse((await asApp.request('GET /app')).data).slug;
}

/** GitHub links an address to the App's account by the account's id, which is not the App's id. */
export async function botIdentity(asApp: GithubClient, client: GithubClient): Promise<BotIdentity> {
  const name = `${await appSlug(asApp)}[bot]`;
  const account = await unlessMissing(client.request('GET /users/{username}', { username: name }));
  const id = account === null ? '' : `${z.object({ id: z.number().int() }).parse(account.data).id}+`;
  return { name, email: `${id}${name}@users.noreply.github.com` };
}
