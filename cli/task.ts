/** `npm run task`: starts, lists, shows, follows and cancels tasks over the API of a running bot. */
import { parseRepositoryRef } from '../src/core/ids.ts';
import { taskIdSchema } from '../src/core/task.ts';
import { jsonOption } from './command/read-arguments.ts';
import { runCommand, UsageProblem } from './command/run-command.ts';
import { botOf, cancelTask, listTasks, readTask, startTask, type ListedTask } from './task/bot-api.ts';
import { follow } from './task/follow.ts';
import { plain } from './terminal/plain-text.ts';
import { receiptLines } from './terminal/receipt-lines.ts';
import { outcomeLine } from './terminal/task-printer.ts';

await runCommand({
  name: 'npm run task',
  takes: 'owner/repo "instruction" | list | status ID | follow ID | cancel ID',
  about:
    'Starts a task on a running Airlock (npm start) and prints its progress; or lists tasks, shows, follows\n' +
    'or cancels one. A repository can be given by its alias. Ctrl-C stops following; at a terminal it asks\n' +
    'whether to cancel the task.',
  options: {
    base: { type: 'string', value: 'BRANCH', about: 'branch to start from (default: as configured)' },
    model: { type: 'string', value: 'NAME', about: 'model, if the configuration allows it' },
    effort: { type: 'string', value: 'LEVEL', about: 'minimal, low, medium, high or xhigh' },
    url: { type: 'string', value: 'URL', about: 'address of the bot (http://127.0.0.1:$PORT, PORT 8787)' },
    json: jsonOption('print events as JSON lines; list and status: one document'),
    detach: { type: 'boolean', about: 'only start the task and print its id' },
  },
  more:
    'Needs the API_TOKEN of the bot, from the environment or .dev.vars.\n' +
    'Exit status: 0 done (pull request, answer, nothing to change); 1 refused, failed or held; 2 wrong usage;\n' +
    '130 cancelled, or no longer followed.',
  run: async ({ values, positionals, say, closed }) => {
    const asked = asking(positionals);
    const { base, model, effort } = values;
    const json = values.json === true;
    if (asked.kind !== 'start' && [base, model, effort, values.detach].some((one) => one !== undefined))
      throw new UsageProblem('--base, --model, --effort and --detach belong to a new task.');
    const bot = await botOf(values.url);
    switch (asked.kind) {
      case 'list': {
        const { raw, tasks } = await listTasks(bot);
        if (json) say(JSON.stringify(raw, null, 2));
        else if (tasks.length === 0) say('No task has needed a sandbox yet.');
        else for (const task of tasks) say(listLine(task));
        return 0;
      }
      case 'status': {
        const { raw, task } = await readTask(bot, asked.taskId);
        const lines = [listLine(task), ...receiptLines(task)];
        say(json ? JSON.stringify(raw, null, 2) : lines.join('\n'));
        return 0;
      }
      case 'cancel':
        await cancelTask(bot, asked.taskId);
        say(json ? JSON.stringify({ taskId: asked.taskId, cancelled: true }) : 'Cancelled.');
        return 0;
      case 'follow':
        return await follow(bot, asked.taskId, { json, say, closed });
      case 'start': {
        const { repository, instruction } = asked;
        const taskId = await startTask(bot, { repository, instruction, base, model, effort });
        if (values.detach === true) {
          say(json ? JSON.stringify({ taskId }) : taskId);
          return 0;
        }
        if (!json) say(`Task ${taskId}`);
        return await follow(bot, taskId, { json, say, closed });
      }
    }
  },
});

type Asking =
  | { readonly kind: 'list' }
  | { readonly kind: 'status' | 'follow' | 'cancel'; readonly taskId: string }
  | { readonly kind: 'start'; readonly repository: string; readonly instruction: string };

function asking(positionals: readonly string[]): Asking {
  const [first = '', ...words] = positionals;
  if (first === 'list' && words.length === 0) return { kind: 'list' };
  if (first === 'status' || first === 'follow' || first === 'cancel') {
    const [taskId = '', ...more] = words;
    if (more.length > 0 || !taskIdSchema.safeParse(taskId).success)
      throw new UsageProblem(
        `Name one task: npm run task -- ${first} ID. npm run task -- list shows the ids.`,
      );
    return { kind: first, taskId };
  }
  const instruction = words.join(' ').trim();
  if (first === '' || instruction === '')
    throw new UsageProblem('Name a repository and what to do: npm run task -- owner/repo "instruction"');
  if (first.includes('/') && parseRepositoryRef(first) === null)
    throw new UsageProblem(`${JSON.stringify(first)} is not owner/repo.`);
  return { kind: 'start', repository: first, instruction };
}

function listLine({ taskId, phaseText, repository, acceptedAt, instruction, outcome }: ListedTask): string {
  const place = repository === null ? 'no repository yet' : `${repository.owner}/${repository.name}`;
  const standing = outcome === null ? plain(phaseText) : outcomeLine(outcome);
  return `${taskId}  ${acceptedAt.slice(0, 16)}Z  ${plain(place)}  ${standing}\n  ${plain(instruction).slice(0, 90)}`;
}
