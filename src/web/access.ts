/** Grants the HTTP API to the holder of `API_TOKEN`. Without a configured token it refuses everybody. */
import type { Context } from 'hono';
import { sameSecret } from '../lib/same-secret.ts';
import { problem } from './problem.ts';

export type AccessVerdict = 'granted' | 'disabled' | 'denied';

export async function checkBearer(
  authorization: string | null,
  apiToken: string | null,
): Promise<AccessVerdict> {
  if (apiToken === null) return 'disabled';
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (given === undefined) return 'denied';
  return (await sameSecret(given, apiToken)) ? 'granted' : 'denied';
}

/** The answer to a request without access; null if it has access. */
export async function refusedAccess(c: Context, apiToken: string | null): Promise<Response | null> {
  const access = await checkBearer(c.req.header('authorization') ?? null, apiToken);
  if (access === 'granted') return null;
  if (access === 'disabled')
    return problem(
      c,
      403,
      'api-disabled',
      'The API is off: set API_TOKEN to a secret of at least 16 characters.',
    );
  c.header('www-authenticate', 'Bearer realm="airlock"');
  return problem(c, 401, 'unauthorized', 'Send the API token as `Authorization: Bearer …`.');
}
