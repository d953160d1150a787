/** The storage of job logs: another host than the API's, with signed addresses. Refuses a credential. */
import { randomBytes } from 'node:crypto';
import { Hono } from 'hono';
import type { CheckRun } from './commit-reports.ts';

export interface JobLogs {
  /** A new address, valid for one minute as on GitHub. */
  addressOf(run: CheckRun): string;
  /** Where `addressOf` leads to instead; null: to the storage again. */
  redirectTo(address: string | null): void;
  readonly pages: Hono;
}

const lifetimeMs = 60_000;

export function createJobLogs(url: () => string): JobLogs {
  const addresses = new Map<string, { readonly run: CheckRun; readonly expiresAt: number }>();
  let elsewhere: string | null = null;
  const pages = new Hono();
  pages.get('/_storage/logs/:key', (c) => {
    // The real storage answers 400 to two ways of authentication at once.
    if (c.req.header('authorization') !== undefined) return c.text('InvalidAuthenticationInfo', 400);
    const found = addresses.get(c.req.param('key'));
    if (found === undefined || found.expiresAt < Date.now()) return c.text('AuthenticationFailed', 403);
    return c.text(found.run.log ?? '');
  });
  return {
    addressOf(run) {
      if (elsewhere !== null) return elsewhere;
      const key = randomBytes(16).toString('hex');
      addresses.set(key, { run, expiresAt: Date.now() + lifetimeMs });
      return `${url()}/_storage/logs/${key}`;
    },
    redirectTo(address) {
      elsewhere = address;
    },
    pages,
  };
}
