/** `npm run open`: prints a one-time link to the pages of the bot on this machine. */
import { z } from 'zod';
import { readEnvironment } from '../host/environment.ts';
import { parseJson } from '../src/lib/parse-json.ts';
import { makeOpenLink } from '../src/web/pages/open-link.ts';
import { originOf } from './command/option-values.ts';
import { jsonOption } from './command/read-arguments.ts';
import { runCommand, UsageProblem } from './command/run-command.ts';

const linkMs = 5 * 60_000;
const healthSchema = z.object({ bot: z.string() });

await runCommand({
  name: 'npm run open',
  about:
    'Prints a link to the pages of the bot on this machine (npm start): the list of tasks, or one task. The\n' +
    'link works once, for five minutes, and signs you in as the operator, who sees every task.',
  options: {
    url: { type: 'string', value: 'URL', about: 'address of the bot (http://127.0.0.1:$PORT, PORT 8787)' },
    json: jsonOption('print one JSON document'),
  },
  more: 'Reads the settings of the bot, as npm start does.\nExit status: 0 printed, 1 no bot answers, 2 wrong usage.',
  run: async ({ values, positionals, say }) => {
    const [taskId, ...others] = positionals;
    if (others.length > 0) throw new UsageProblem('npm run open takes one task, or none for the list.');
    if (taskId !== undefined && !/^[a-z0-9][a-z0-9-]{0,62}$/.test(taskId))
      throw new UsageProblem(`${JSON.stringify(taskId)} is not the id of a task.`);
    const { settings, port } = await readEnvironment(process.env);
    const url = originOf(values.url ?? `http://127.0.0.1:${port}`);
    const id = await idOfBot(url);
    const privateKey = settings['GITHUB_APP_PRIVATE_KEY'] ?? '';
    const path = taskId === undefined ? '/tasks' : `/t/${taskId}`;
    const link = await makeOpenLink({ url, id, privateKey }, path, Date.now() + linkMs);
    say(values.json === true ? JSON.stringify({ link }) : link);
    return 0;
  },
});

/** The id of the bot's start, which the link is for. Rejects if no bot on one machine answers there. */
async function idOfBot(url: string): Promise<string> {
  const answer = await fetch(new URL('/healthz', url), { signal: AbortSignal.timeout(10_000) })
    .then(async (response) => await response.text())
    .catch(() => '');
  const health = healthSchema.safeParse(parseJson(answer));
  if (!health.success)
    throw new Error(
      `No Airlock of this machine answers at ${url}. Start it with npm start, or name it with --url.`,
    );
  return health.data.bot;
}
