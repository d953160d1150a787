/** Makes a one-time link to a page of a running bot of this machine. */
import { z } from 'zod';
import { parseJson } from '../../src/lib/parse-json.ts';
import { makeOpenLink } from '../../src/web/pages/open-link.ts';

const healthSchema = z.object({ bot: z.string() });

/** Rejects if no bot on one machine answers there. `until`: the end of the link's life. */
export async function linkToBot(
  bot: { readonly url: string; readonly privateKey: string },
  path: string,
  until: number,
): Promise<string> {
  const answer = await fetch(new URL('/healthz', bot.url), { signal: AbortSignal.timeout(10_000) })
    .then(async (response) => await response.text())
    .catch(() => '');
  const health = healthSchema.safeParse(parseJson(answer));
  if (!health.success)
    throw new Error(
      `No Airlock of this machine answers at ${bot.url}. Start it with npm start, or name it with --url.`,
    );
  return await makeOpenLink({ ...bot, id: health.data.bot }, path, until);
}
