/** Reads the settings (the environment overrides `.dev.vars`) and the configuration of one machine. */
import { createPrivateKey, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { formatProblem, loadConfig } from '../src/config/load-config.ts';
import { allRegistries, slackPolicyOf } from '../src/config/resolve-repository.ts';
import type { AirlockConfig } from '../src/config/schema.ts';
import { registrySecretProblems } from '../src/core/registry.ts';
import { pkcs8Pem, PrivateKeyError } from '../src/github/private-key.ts';
import { parseSettings, settingNames } from '../src/settings.ts';
import { misspeltSettings } from './misspelt-settings.ts';
import { projectRoot } from './project-root.ts';

/** A mistake in the setup. Its message is complete: callers print it without a stack trace. */
export class StartProblem extends Error {}

export interface LocalEnvironment {
  readonly settings: Readonly<Record<string, string>>;
  readonly configText: string;
  readonly configPath: string;
  readonly stateDir: string;
  /** Host name or address to listen on. */
  readonly hostname: string;
  readonly port: number;
  readonly apiToken: string | null;
  /** How long a stop waits for running tasks. */
  readonly drainMs: number;
  /** null: Slack is off. With an app-level token the host connects to Slack, and needs no public address. */
  readonly slack: { readonly appToken: string | null } | null;
}

/** Rejects with one `StartProblem` that has a line for each mistake in the settings and the configuration. */
export async function readEnvironment(environment: NodeJS.ProcessEnv): Promise<LocalEnvironment> {
  const devVars = await readDevVars();
  const merged = withSigningSecret({ ...devVars, ...environment });
  const parsed = parseSettings(merged);
  const appToken = merged['SLACK_APP_TOKEN']?.trim() || null;
  const port = portOf(merged['PORT']);
  const drainSeconds = drainSecondsOf(merged[drainName]);
  const configPath = configPathOf(merged);
  const read = await readConfig(configPath).catch((error: unknown) => {
    if (error instanceof StartProblem) return error;
    throw error;
  });
  const registries = read instanceof StartProblem ? [] : allRegistries(read.config);
  const secretNames = registries.flatMap(({ secret }) => secret ?? []);
  const misspelt = misspeltSettings(devVars, environment, secretNames);
  const wrong = [
    ...(parsed.ok ? [] : parsed.problem.split('\n')),
    ...(parsed.ok ? privateKeyProblems(parsed.settings.githubAppPrivateKey) : []),
    ...(appToken === null || /^xapp-[\w-]{8,}$/.test(appToken)
      ? []
      : [
          'SLACK_APP_TOKEN has to be an app-level token (xapp-…): ' +
            'generate one under Basic Information on the Slack app’s page',
        ]),
    ...(port === null
      ? [`PORT has to be a number from 0 to 65535, not ${JSON.stringify(merged['PORT'])}`]
      : []),
    ...(drainSeconds === null
      ? [
          `${drainName} has to be a number from 0 to ${maxDrainSeconds}, not ${JSON.stringify(merged[drainName])}`,
        ]
      : []),
    ...misspelt,
    ...[...registrySecretProblems(registries, merged)].map(([name, problem]) => `${name} ${problem}`),
  ];
  if (wrong.length > 0 && isUntouched(merged) && misspelt.length === 0)
    throw new StartProblem('Airlock is not set up here yet. Run npm run setup.');
  const hasSlack = (merged['SLACK_BOT_TOKEN']?.trim() ?? '') !== '';
  const lines = wrong.length === 1 ? [`${wrong[0]}. ${remedy}`] : wrong;
  if (wrong.length > 1) lines.push(remedy);
  if (read instanceof StartProblem) lines.push(read.message);
  else if (hasSlack && slackPolicyOf(read.config) === null)
    lines.push(
      `SLACK_BOT_TOKEN is set, but ${configPath} names no workspace under "slack.team"; see docs/setup.md.`,
    );
  if (
    !parsed.ok ||
    port === null ||
    drainSeconds === null ||
    read instanceof StartProblem ||
    lines.length > 0
  )
    throw new StartProblem(lines.join('\n'));

  const settings: Record<string, string> = {};
  for (const name of [...settingNames, ...secretNames]) {
    const value = merged[name];
    if (typeof value === 'string' && value.trim() !== '') settings[name] = value;
  }
  return {
    settings,
    configText: read.text,
    configPath,
    stateDir: stateDirOf(merged),
    // Not `HOST`: some shells set it to the machine's name, which would expose the bot to the network.
    hostname: merged['AIRLOCK_HOST']?.trim() || '127.0.0.1',
    port,
    apiToken: parsed.settings.apiToken,
    drainMs: drainSeconds * 1000,
    slack: parsed.settings.slack === null ? null : { appToken },
  };
}

const required = ['GITHUB_APP_ID', 'GITHUB_APP_PRIVATE_KEY', 'GITHUB_WEBHOOK_SECRET', 'OPENAI_API_KEY'];

/** Nobody has begun: a list of everything that is missing would be no help. */
const isUntouched = (environment: NodeJS.Dict<string>): boolean =>
  required.every((name) => (environment[name]?.trim() ?? '') === '');

const remedy = 'Settings are read from the environment and from .dev.vars; see docs/setup.md.';

/** With Socket Mode only this host signs requests, so a missing signing secret is generated at each start. */
export function withSigningSecret(environment: NodeJS.Dict<string>): NodeJS.Dict<string> {
  const appToken = environment['SLACK_APP_TOKEN']?.trim() || null;
  if (appToken === null) return environment;
  if ((environment['SLACK_SIGNING_SECRET']?.trim() ?? '') !== '') return environment;
  return { ...environment, SLACK_SIGNING_SECRET: randomBytes(32).toString('hex') };
}

/** Null: not a port. */
function portOf(text: string | undefined): number | null {
  if (text === undefined || text.trim() === '') return 8787;
  const port = Number(text);
  return /^\d+$/.test(text.trim()) && port <= 65_535 ? port : null;
}

const drainName = 'AIRLOCK_DRAIN_SECONDS';
const maxDrainSeconds = 86_400;

/** Null: not such a number. Ten minutes by default: most tasks end within it. */
function drainSecondsOf(text: string | undefined): number | null {
  const written = text?.trim() || '600';
  const seconds = Number(written);
  return /^\d+$/.test(written) && seconds <= maxDrainSeconds ? seconds : null;
}

/** Lets OpenSSL read the key: the settings know only what kind of key it is. */
function privateKeyProblems(pem: string): readonly string[] {
  try {
    createPrivateKey(pkcs8Pem(pem));
    return [];
  } catch (error) {
    // OpenSSL's own message names neither the setting nor the remedy.
    const problem = error instanceof PrivateKeyError ? error.message : 'GITHUB_APP_PRIVATE_KEY is damaged';
    return [`${problem}. Copy the whole file that GitHub gave you`];
  }
}

/** Resolves `AIRLOCK_STATE` as `configPathOf` does its setting. */
export function stateDirOf(environment: NodeJS.Dict<string>): string {
  return resolve(projectRoot, environment['AIRLOCK_STATE']?.trim() || '.airlock');
}

/** From the project's folder. A blank value counts as unset, as for every setting. */
export function configPathOf(environment: NodeJS.Dict<string>): string {
  return resolve(projectRoot, environment['AIRLOCK_CONFIG']?.trim() || 'airlock.config.jsonc');
}

/** Rejects with `StartProblem`, one line per mistake, in which `shownAs` names the file. */
export async function readConfig(
  path: string,
  shownAs = path,
): Promise<{ readonly text: string; readonly config: AirlockConfig }> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    const why = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    throw new StartProblem(
      `The configuration ${path} cannot be read${why}. Set AIRLOCK_CONFIG to use another file.`,
    );
  });
  const loaded = loadConfig(text, shownAs);
  if (!loaded.ok) throw new StartProblem(loaded.problems.map((problem) => formatProblem(problem)).join('\n'));
  return { text, config: loaded.config };
}

/** Reads `.dev.vars` of the checkout; empty if there is none. */
export async function readDevVars(): Promise<NodeJS.Dict<string>> {
  const text = await readFile(resolve(projectRoot, '.dev.vars'), 'utf8').catch(() => null);
  return text === null ? {} : parseEnv(text);
}
