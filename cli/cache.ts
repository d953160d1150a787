/**
 * `npm run cache -- list|purge`: shows and deletes entries of the setup cache on this machine. Works while
 * the bot runs: setup then starts from nothing. wrangler deletes what is in a deployment's bucket:
 * `docs/operations.md`.
 */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readDevVars, StartProblem } from '../host/environment.ts';
import { projectRoot } from '../host/project-root.ts';
import { openSetupCache, type ListedEntry } from '../host/sandbox/setup-cache.ts';
import { parseRepositoryRef } from '../src/core/ids.ts';
import { plain } from './terminal/plain-text.ts';

const help = `npm run cache -- list|purge [options]

Lists or deletes what setup installed and the bot on this machine keeps for later tasks. Each entry names the
task that stored it. A deleted entry is installed again by the next task.

  --repository OWNER/NAME   only entries of this repository
  --task ID                 only entries that this task stored
  --all                     purge: every entry (one of the three is required)
  --json                    print the entries as JSON (npm run -s cache -- list --json)

The folder is setup-cache below AIRLOCK_STATE, from the environment or .dev.vars.
Exit status: 0 done, also if no entry matches; 2 wrong usage.
`;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      repository: { type: 'string' },
      task: { type: 'string' },
      all: { type: 'boolean' },
      json: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    process.stdout.write(help);
    return 0;
  }
  const [action, ...more] = positionals;
  if ((action !== 'list' && action !== 'purge') || more.length > 0)
    throw new StartProblem('Say what to do: npm run cache -- list, or npm run cache -- purge. Try --help.');
  const { repository, task, all = false, json = false } = values;
  if (repository !== undefined && parseRepositoryRef(repository) === null)
    throw new StartProblem(`${JSON.stringify(repository)} is not OWNER/NAME.`);
  const isFiltered = repository !== undefined || task !== undefined;
  if (action === 'purge' && isFiltered === all)
    throw new StartProblem('Say what to purge: --repository OWNER/NAME, --task ID, or --all alone.');
  const cache = openSetupCache(await cacheFolder());
  const isChosen = ({ storedBy }: ListedEntry): boolean =>
    (repository === undefined || storedBy?.repository.toLowerCase() === repository.toLowerCase()) &&
    (task === undefined || storedBy?.taskId === task);
  const entries = (await cache.list()).filter(isChosen);
  if (action === 'purge') for (const entry of entries) await cache.remove(entry);
  if (json) say(JSON.stringify({ [action === 'purge' ? 'purged' : 'entries']: entries }, null, 2));
  else print(action, entries);
  return 0;
}

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

const timeText = (at: number): string => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
const sizeText = (bytes: number): string => `${(bytes / 1024 ** 2).toFixed(1)} MiB`;

try {
  process.exitCode = await main();
} catch (error) {
  const usage = error instanceof TypeError && 'code' in error; // an unknown option, from parseArgs
  if (!usage && !(error instanceof StartProblem)) throw error;
  process.stderr.write(`${error.message}${usage ? '\nTry npm run cache -- --help' : ''}\n`);
  process.exitCode = 2;
}
