/**
 * `npm run cache -- list|purge`: shows and deletes entries of the setup cache on this machine. Works while
 * the bot runs: setup then starts from nothing. wrangler deletes what is in a deployment's bucket:
 * `docs/operations.md`.
 */
import { join, resolve } from 'node:path';
import { readDevVars } from '../host/environment.ts';
import { projectRoot } from '../host/project-root.ts';
import { openSetupCache, type ListedEntry } from '../host/sandbox/setup-cache.ts';
import { parseRepositoryRef } from '../src/core/ids.ts';
import { jsonOption } from './command/read-arguments.ts';
import { runCommand, UsageProblem } from './command/run-command.ts';
import { plain } from './terminal/plain-text.ts';

const say = (text: string): void => void process.stdout.write(`${text}\n`);

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
  run: async ({ values, positionals }) => {
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
    else print(action, entries);
    return 0;
  },
});

async function cacheFolder(): Promise<string> {
  const state = { ...(await readDevVars()), ...process.env }['AIRLOCK_STATE']?.trim() || '.airlock';
  return join(resolve(projectRoot, state), 'sandboxes', 'setup-cache');
}

function print(action: 'list' | 'purge', entries: readonly ListedEntry[]): void {
  for (const { repositoryId, key, bytes, usedAt, storedBy } of entries) {
    const name = storedBy === null ? `repository ${repositoryId}` : plain(storedBy.repository);
    const by =
      storedBy === null
        ? 'by an unknown task'
        : `by task ${plain(storedBy.taskId)} at ${timeText(storedBy.at)}`;
    say(`${name}  ${key.slice(0, 12)}  ${sizeText(bytes)}  stored ${by}, last used ${timeText(usedAt)}`);
  }
  const count = entries.length === 1 ? '1 entry' : `${entries.length} entries`;
  const total = sizeText(entries.reduce((sum, { bytes }) => sum + bytes, 0));
  say(action === 'purge' ? `Deleted ${count}, ${total}.` : `${count}, ${total}.`);
}
