/** `npm run open`: prints a one-time link to the pages of the bot on this machine. */
import { readEnvironment } from '../host/environment.ts';
import { taskIdSchema } from '../src/core/task.ts';
import { originOf } from './command/option-values.ts';
import { jsonOption } from './command/read-arguments.ts';
import { runCommand, UsageProblem } from './command/run-command.ts';
import { linkToBot } from './pages/link-to-bot.ts';

const linkMs = 5 * 60_000;

await runCommand({
  name: 'npm run open',
  takes: '[ID]',
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
    if (taskId !== undefined && !taskIdSchema.safeParse(taskId).success)
      throw new UsageProblem(`${JSON.stringify(taskId)} is not the id of a task.`);
    const { settings, port } = await readEnvironment(process.env);
    const url = originOf(values.url ?? `http://127.0.0.1:${port}`);
    const privateKey = settings['GITHUB_APP_PRIVATE_KEY'] ?? '';
    const path = taskId === undefined ? '/tasks' : `/t/${taskId}`;
    const link = await linkToBot({ url, privateKey }, path, Date.now() + linkMs);
    say(values.json === true ? JSON.stringify({ link }) : link);
    return 0;
  },
});
