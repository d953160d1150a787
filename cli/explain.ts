/**
 * `npm run explain -- owner/repo`: prints a repository's policy and the entry that decides it, from the file
 * of `npm start`. Checks no ids and no permissions.
 */
import { relative } from 'node:path';
import { channelsWithDefault, explainRepository } from '../src/config/explain-repository.ts';
import { priceOf, repositoryByAlias, resolveRepository } from '../src/config/resolve-repository.ts';
import type { AirlockConfig } from '../src/config/schema.ts';
import { parseRepositoryRef } from '../src/core/ids.ts';
import { configPathOf, readConfig, readDevVars, StartProblem } from '../host/environment.ts';
import { jsonOption } from './command/read-arguments.ts';
import { callersPath } from './command/option-values.ts';
import { runCommand, UsageProblem } from './command/run-command.ts';

const say = (text: string): void => void process.stdout.write(`${text}\n`);

await runCommand({
  name: 'npm run explain',
  takes: '[owner/repo]',
  about:
    'Checks the configuration and explains it for one repository, given by name or alias: whether it is\n' +
    'allowed, by which entry, and where each setting comes from. Without a repository it lists all entries.',
  options: {
    config: {
      type: 'string',
      value: 'FILE',
      about: 'configuration file (default: the one of npm start, AIRLOCK_CONFIG or\nairlock.config.jsonc)',
    },
    json: jsonOption('print the result as JSON'),
  },
  more: 'Exit status: 0 allowed, 1 not allowed, 2 mistake in the configuration or wrong usage.',
  run: async ({ values, positionals }) => {
    const path =
      values.config === undefined
        ? configPathOf({ ...(await readDevVars()), ...process.env })
        : callersPath(values.config);
    const displayPath = relative(callersPath(), path);
    const shownAs = displayPath.startsWith('..') ? path : displayPath;
    const { config } = await readConfig(path, shownAs).catch((error: unknown) => {
      throw error instanceof StartProblem ? new UsageProblem(error.message) : error;
    });
    const [asked, ...more] = positionals;
    if (more.length > 0) throw new UsageProblem('One repository at a time: npm run explain -- owner/repo');
    if (asked === undefined) {
      listEntries(config, values.json === true);
      return 0;
    }
    const repository = parseRepositoryRef(asked) ?? repositoryByAlias(config, asked);
    if (repository === null)
      throw new UsageProblem(
        `${JSON.stringify(asked)} is neither owner/name nor an alias in ${config.fileName}.`,
      );
    const policy = resolveRepository(config, repository);
    if (values.json === true) {
      const name = `${repository.owner}/${repository.name}`;
      const price = policy.allowed ? priceOf(config, policy.model) : null;
      const slackChannels = channelsWithDefault(config, repository);
      say(JSON.stringify({ repository: name, ...policy, price, slackChannels }, null, 2));
    } else for (const line of explainRepository(config, repository)) say(line);
    return policy.allowed ? 0 : 1;
  },
});

function listEntries({ fileName, repositories }: AirlockConfig, json: boolean): void {
  const entries = repositories.map(({ pattern, excluded }) => ({ key: pattern.key, allowed: !excluded }));
  if (json) return say(JSON.stringify({ entries }, null, 2));
  if (entries.length === 0) return say(`${fileName} is valid and lists no repository: nothing is allowed.`);
  say(`${fileName} is valid. Its entries, most specific first; the first that matches a repository decides:`);
  for (const { key, allowed } of entries) say(`  ${allowed ? 'allows  ' : 'excludes'}  ${key}`);
}
