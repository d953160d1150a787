/** Formats the tasks that run, wait or are held. Untrusted text goes through `plain-text.ts`. */
import { openStates } from '../../src/core/open-task.ts';
import { durationText } from '../../src/core/task-words.ts';
import type { OpenTask } from '../task/bot-api.ts';
import { plain } from './plain-text.ts';

/** A line a task, in columns, and a last line with the counts. */
export function openTaskLines(tasks: readonly OpenTask[], now: number): string[] {
  const rows = openStates.flatMap((state) =>
    tasks
      .filter((task) => task.state === state)
      .map((task) => [
        plain(task.shortId),
        state,
        durationText(now - Date.parse(task.acceptedAt)),
        placeOf(task),
        plain(task.requester ?? '–'),
        plain(task.phaseText),
      ]),
  );
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const lines = rows.map((row) =>
    row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(width(column)))).join('  '),
  );
  return [...lines, countText(tasks)];
}

/** `2 running, 1 waiting, 0 held.` */
function countText(tasks: readonly OpenTask[]): string {
  const count = (state: OpenTask['state']) => tasks.filter((task) => task.state === state).length;
  return `${openStates.map((state) => `${count(state)} ${state}`).join(', ')}.`;
}

function placeOf({ repository, origin, issueNumber }: OpenTask): string {
  const name = repository === null ? 'no repository yet' : `${repository.owner}/${repository.name}`;
  const at = {
    github: issueNumber === null ? '' : `#${issueNumber}`,
    slack: ' from Slack',
    api: ' from the API',
  };
  return plain(`${name}${at[origin]}`);
}
