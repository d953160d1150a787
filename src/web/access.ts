/** Grants the HTTP API to the holder of `API_TOKEN`. Without a configured token it refuses everybody. */
import { sameSecret } from '../lib/same-secret.ts';

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
