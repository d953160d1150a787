/**
 * `npm run cache -- list|purge`: shows and deletes entries of this machine's setup cache, also while the bot
 * runs. For a deployment's bucket: `docs/operations.md`.
 */
import { join } from 'node:path';
import { readDevVars, stateDirOf } from '../host/environment.ts';
import { openSetupCache, type ListedEntry } from '../host/sandbox/setup-cache.ts';
import { parseRepositoryRef } from '../src/core/ids.ts';
import { jsonOption } from './command/read-arguments.ts';
import { runCommand, UsageProblem } from './command/run-command.ts';
import { plain } from './terminal/plain-text.ts';

const timeText = (at: number): string => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');

const sizeText = (bytes: number): string => `${(bytes / 1024 ** 2).toFixed(1)} MiB`;

await runCommand({
  name: 'npm run cache',
  takes: 'list|purge',
  about:
    'Lists or deletes what setup installed and the bot on this machine keeps for later tasks. Each entry\n' +
    'names the task that stored it. The next task installs again what was deleted.',
  options: {
    repository: { type: 'string', value: 'OWNER/NAME', about: 'only entries of this repository' },
    task: { type: 'string', value: 'ID', about: 'only entries that this task stored' },
    all: { type: 'boolean', about: 'purge: every entry (one of the three is required)' },
    json: jsonOption('print the entries as JSON'),
  },
  more:
    'The folder is setup-cache below AIRLOCK_STATE, from the environment or .dev.vars.\n' +
    'Exit status: 0 done, also if no entry matches; 1 failed; 2 wrong usage.',
  run: async ({ values, positionals, say }) => {
    const [action, ...more] = positionals;
    if ((action !== 'list' && action !== 'purge') || more.length > 0)
      throw new UsageProblem('Say what to do: npm run cache -- list, or npm run cache -- purge. Try --help.');
    const { repository, task, all = false, json = false } = values;
    if (repository !== undefined && parseRepositoryRef(repository) === null)
      throw new UsageProblem(`${JSON.stringify(repository)} is not OWNER/NAME.`);
    const isFiltered = repository !== undefined || task !== undefined;
    if (action === 'purge' && isFiltered === all)
      throw new UsageProblem('Say what to purge: --repository OWNER/NAME, --task ID, or --all alone.');
    const cache = openSetupCache(await cacheFolder());
    const isChosen = ({ storedBy }: ListedEntry): boolean =>
      (repository === undefined || storedBy?.repository.toLowerCase() === repository.toLowerCase()) &&
      (task === undefined || storedBy?.taskId === task);
    const entries = (await cache.list()).filter(isChosen);
    if (action === 'purge') for (const entry of entries) await cache.remove(entry);
    if (json) say(JSON.stringify({ [action === 'purge' ? 'purged' : 'entries']: entries }, null, 2));
    else for (const line of linesOf(action, entries)) say(line);
    return 0;
  },
});

async function cacheFolder(): Promise<string> {
  return join(stateDirOf({ ...(await readDevVars()), ...process.env }), 'sandboxes', 'setup-cache');
}

function linesOf(action: 'list' | 'purge', entries: readonly ListedEntry[]): readonly string[] {
  const lines = entries.map(({ repositoryId, key, bytes, usedAt, storedBy }) => {
    const name = storedBy === null ? `repository ${repositoryId}` : plain(storedBy.repository);
    const by =
      storedBy === null
        ? 'by an unknown task'
        : `by task ${plain(storedBy.taskId)} at ${timeText(storedBy.at)}`;
    return `${name}  ${key.slice(0, 12)}  ${sizeText(bytes)}  stored ${by}, last used ${timeText(usedAt)}`;
  });
  const count = entries.length === 1 ? '1 entry' : `${entries.length} entries`;
  const total = sizeText(entries.reduce((sum, { bytes }) => sum + bytes, 0));
  return [...lines, action === 'purge' ? `Deleted ${count}, ${total}.` : `${count}, ${total}.`];
}
