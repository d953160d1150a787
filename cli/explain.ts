/**
 * `npm run explain -- owner/repo`: prints the policy of a repository and the configuration entry that decides
 * it. Reads the same file as `npm start`. Asks neither GitHub nor Slack nor a running bot, so it checks no
 * ids and no permissions.
 */
import { relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { channelsWithDefault, explainRepository } from '../src/config/explain-repository.ts';
import { priceOf, repositoryByAlias, resolveRepository } from '../src/config/resolve-repository.ts';
import type { AirlockConfig } from '../src/config/schema.ts';
import { parseRepositoryRef } from '../src/core/ids.ts';
import { configPathOf, readConfig, readDevVars, StartProblem } from '../host/environment.ts';

const help = `npm run explain [-- owner/repo] [options]

Checks the configuration and explains it for one repository, given by name or alias: whether it is allowed, by
which entry, and where each setting comes from. Without a repository it lists all entries.

  --config FILE   configuration file (default: the one of npm start, AIRLOCK_CONFIG or airlock.config.jsonc)
  --json          print the result as JSON

Exit status: 0 allowed, 1 not allowed, 2 mistake in the configuration or wrong usage.
`;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      config: { type: 'string' },
      json: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    process.stdout.write(help);
    return 0;
  }
  // npm changes to the project's folder; a path on the command line is relative to the user's folder.
  const here = process.env['INIT_CWD'] ?? process.cwd();
  const path =
    values.config === undefined
      ? configPathOf({ ...(await readDevVars()), ...process.env })
      : resolve(here, values.config);
  const displayPath = relative(here, path);
  const { config } = await readConfig(path, displayPath.startsWith('..') ? path : displayPath);
  const [asked, ...more] = positionals;
  if (more.length > 0) throw new StartProblem('One repository at a time: npm run explain -- owner/repo');
  if (asked === undefined) {
    listEntries(config, values.json === true);
    return 0;
  }
  const repository = parseRepositoryRef(asked) ?? repositoryByAlias(config, asked);
  if (repository === null)
    throw new StartProblem(
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
}

function listEntries({ fileName, repositories }: AirlockConfig, json: boolean): void {
  const entries = repositories.map(({ pattern, excluded }) => ({ key: pattern.key, allowed: !excluded }));
  if (json) return say(JSON.stringify({ entries }, null, 2));
  if (entries.length === 0) return say(`${fileName} is valid and lists no repository: nothing is allowed.`);
  say(`${fileName} is valid. Its entries, most specific first; the first that matches a repository decides:`);
  for (const { key, allowed } of entries) say(`  ${allowed ? 'allows  ' : 'excludes'}  ${key}`);
}

try {
  process.exitCode = await main();
} catch (error) {
  const usage = error instanceof TypeError && 'code' in error; // an unknown option, from parseArgs
  if (!usage && !(error instanceof StartProblem)) throw error;
  process.stderr.write(`${error.message}${usage ? '\nTry npm run explain -- --help' : ''}\n`);
  process.exitCode = 2;
}
