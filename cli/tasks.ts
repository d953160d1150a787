/** `npm run tasks`: lists what runs, waits and is held on a running bot. */
import { jsonOption } from './command/read-arguments.ts';
import { runCommand } from './command/run-command.ts';
import { botOf, listOpenTasks } from './task/bot-api.ts';
import { openTaskLines } from './terminal/open-task-lines.ts';

await runCommand({
  name: 'npm run tasks',
  about:
    'Lists the tasks of a running Airlock (npm start) that run, wait, or are held until a person approves:\n' +
    'short id, state, age, repository, who asked, and what it does. npm run task -- list shows those that\n' +
    'ended, too; npm run task -- status ID shows one.',
  options: {
    url: { type: 'string', value: 'URL', about: 'address of the bot (http://127.0.0.1:$PORT, PORT 8787)' },
    json: jsonOption('print one JSON document'),
  },
  more:
    'Needs the API_TOKEN of the bot, from the environment or .dev.vars. Looks at 100 tasks: those with a\n' +
    'sandbox, then those that wait for one, then the newest others.\n' +
    'Exit status: 0 listed, 1 no bot answers, or without a right token, 2 wrong usage.',
  run: async ({ values, say }) => {
    const { raw, tasks } = await listOpenTasks(await botOf(values.url));
    say(values.json === true ? JSON.stringify(raw, null, 2) : openTaskLines(tasks, Date.now()).join('\n'));
    return 0;
  },
});
