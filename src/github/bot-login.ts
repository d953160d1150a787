/** Asks GitHub for the App's names. */
import * as z from 'zod';
import type { GithubClient } from './client.ts';

/** Returns the App's URL-friendly name. `asApp` authenticates with the App's JWT. */
export async function appSlug(asApp: GithubClient): Promise<string> {
  return z.object({ slug: z.string().min(1) }).parse((await asApp.request('GET /app')).data).slug;
}

/** Returns the login of the App's account, which writes its comments. */
export async function botLogin(asApp: GithubClient): Promise<string> {
  return `${await appSlug(asApp)}[bot]`;
}
