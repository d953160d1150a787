/** Checks that settings and configuration are plausible. No finding repeats a value: it may be a secret. */
import { formatProblem, loadConfig, type ConfigRead } from '../config/load-config.ts';
import { pkcs8Pem } from '../github/private-key.ts';
import { parseSettings, settingNames, settingProblems, type Settings } from '../settings.ts';
import { fail, ok, warn, type Check, type Verdict } from './check.ts';

export interface ReadSettings {
  /** Valid except for the names in `broken`, which hold a stand-in. */
  readonly settings: Settings;
  readonly broken: ReadonlyMap<string, string>;
  /** Without a trailing slash, also where Slack's other settings are missing or malformed. */
  readonly slackApiUrl: string;
}

/** Values that pass every check of form and open nothing. */
const standIns: Readonly<Record<string, string | undefined>> = {
  GITHUB_APP_ID: '1',
  GITHUB_APP_PRIVATE_KEY: '-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----',
  GITHUB_WEBHOOK_SECRET: 'not-the-real-secret',
  OPENAI_API_KEY: 'not-the-real-key',
};

export function readSettings(environment: Readonly<Record<string, unknown>>): ReadSettings {
  const broken = new Map(settingProblems(environment));
  if (!broken.has('GITHUB_APP_PRIVATE_KEY')) {
    const problem = keyProblem(environment['GITHUB_APP_PRIVATE_KEY']);
    if (problem !== null) broken.set('GITHUB_APP_PRIVATE_KEY', problem);
  }
  for (const name of secretNames) {
    const problem = broken.has(name) ? null : shapeProblem(environment[name], name);
    if (problem !== null) broken.set(name, problem);
  }
  const repaired: Record<string, unknown> = { ...environment };
  for (const name of broken.keys()) repaired[name] = standIns[name];
  if (broken.has('SLACK_SIGNING_SECRET') || broken.has('SLACK_BOT_TOKEN')) {
    // Half of Slack's settings are refused as a whole. The valid half is still worth a check, but has no
    // stand-in.
    repaired['SLACK_SIGNING_SECRET'] = broken.has('SLACK_BOT_TOKEN') ? undefined : 'not-the-real-secret';
    if (broken.has('SLACK_BOT_TOKEN')) repaired['SLACK_BOT_TOKEN'] = undefined;
  }
  const parsed = parseSettings(repaired);
  if (!parsed.ok) throw new Error(parsed.problem); // A setting without a stand-in is a defect of this file.
  const apiUrl = environment['SLACK_API_URL'];
  const isGiven = typeof apiUrl === 'string' && apiUrl.trim() !== '' && !broken.has('SLACK_API_URL');
  const slackApiUrl = (isGiven ? apiUrl : 'https://slack.com/api').replace(/\/$/, '');
  return { settings: parsed.settings, broken, slackApiUrl };
}

const secretNames = [
  'GITHUB_WEBHOOK_SECRET',
  'OPENAI_API_KEY',
  'API_TOKEN',
  'SLACK_SIGNING_SECRET',
  'SLACK_BOT_TOKEN',
] as const;

function keyProblem(pem: unknown): string | null {
  try {
    pkcs8Pem(typeof pem === 'string' ? pem : '');
    return null;
  } catch (error) {
    return error instanceof Error ? error.message.replace(/^GITHUB_APP_PRIVATE_KEY /, '') : 'is damaged';
  }
}

/** Finds valid values that cannot be the secret, such as one that `echo` ended with a line break. */
function shapeProblem(value: unknown, name: string): string | null {
  if (typeof value !== 'string' || value.trim() === '') return null;
  if (value !== value.trim()) return 'has white space or a line break at an end: store it without';
  if (/[…<>]|^(?:changeme|change-me|xxx|todo|example|your[-_])/i.test(value))
    return 'is a placeholder from documentation, not a secret';
  // HMAC takes any bytes; a header does not.
  if (!/^[\x21-\x7e]+$/.test(value) && name !== 'GITHUB_WEBHOOK_SECRET')
    return 'has characters that no such secret has';
  return null;
}

const remedy = 'Set it in .dev.vars or the environment; on Cloudflare: npx wrangler secret put ';

export function settingChecks(
  { settings, broken }: Pick<ReadSettings, 'settings' | 'broken'>,
  environment: Readonly<Record<string, unknown>>,
): Check[] {
  const given = (name: string): boolean => {
    const value = environment[name];
    return typeof value === 'string' && value.trim() !== '';
  };
  const required = ['GITHUB_APP_ID', 'GITHUB_APP_PRIVATE_KEY', 'GITHUB_WEBHOOK_SECRET', 'OPENAI_API_KEY'];
  const shown = [...required, ...settingNames.filter((name) => !required.includes(name))].filter(
    (name) => required.includes(name) || name === 'API_TOKEN' || given(name) || broken.has(name),
  );
  return shown.map((name) => ({
    id: name,
    run: () => {
      const problem = broken.get(name);
      if (problem !== undefined) return Promise.resolve(fail(problem, `${remedy}${name}`));
      return Promise.resolve(plausible(name, settings, given(name)));
    },
  }));
}

function plausible(name: string, settings: Settings, given: boolean): Verdict {
  if (name === 'API_TOKEN' && !given) return ok('not set: the HTTP API is off');
  if (name === 'OPENAI_API_KEY') {
    const isOpenai = settings.openaiBaseUrl.startsWith('https://api.openai.com/');
    if (isOpenai && !settings.openaiApiKey.startsWith('sk-'))
      return warn(
        'does not begin with sk- like OpenAI’s keys',
        'Check that it is a key from platform.openai.com.',
      );
  }
  return ok('set, and of the right form');
}

/** `text`: null when the file could not be read. */
export function configCheck(
  text: string | null,
  fileName: string,
): { check: Check; read: ConfigRead | null } {
  const read = text === null ? null : loadConfig(text, fileName);
  const run = (): Promise<Verdict> => {
    if (read === null)
      return Promise.resolve(
        fail(`${fileName} cannot be read`, 'Create it, or set AIRLOCK_CONFIG to another file.'),
      );
    if (!read.ok) {
      const [first, ...more] = read.problems.map((problem) => formatProblem(problem));
      const others = more.length === 0 ? '' : ` (and ${more.length} more)`;
      return Promise.resolve(
        fail(`${first ?? fileName}${others}`, 'Run npm run explain to see every mistake with its line.'),
      );
    }
    const allowed = read.config.repositories.filter(({ excluded }) => !excluded).length;
    return Promise.resolve(
      allowed === 0
        ? warn(`${fileName} is valid but allows no repository`, 'Add the repositories that people may use.')
        : ok(`valid, ${allowed} ${allowed === 1 ? 'entry allows' : 'entries allow'} repositories`),
    );
  };
  return { check: { id: 'config', run }, read };
}
