/** The doctor for this machine, with or without a running bot: settings, a sandbox, the bot's address. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { loadConfig } from '../../src/config/load-config.ts';
import { allRegistries, machineNames } from '../../src/config/resolve-repository.ts';
import type { Finding } from '../../src/core/finding.ts';
import { fail, ok, runChecks, warn, type Verdict } from '../../src/doctor/check.ts';
import { examine } from '../../src/doctor/doctor.ts';
import { startBot } from '../../host/bot.ts';
import { configPathOf, stateDirOf, withSigningSecret } from '../../host/environment.ts';
import { misspeltSettings } from '../../host/misspelt-settings.ts';
import { projectRoot } from '../../host/project-root.ts';
import { stateProblem } from '../../host/state-room.ts';
import { checkSandboxSupport, type SandboxSupport } from '../../host/sandbox/support.ts';
import { placesWith, toolchainAt, ToolchainProblem } from '../../host/sandbox/toolchains.ts';
import { askDoctor, askHealth } from './ask-worker.ts';
import { checkoutWith } from './checkout.ts';

export interface HereOptions {
  /** The environment, which overrides `.dev.vars`. */
  readonly environment: NodeJS.Dict<string>;
  /** The names in `.dev.vars`, to find misspelt ones. */
  readonly devVars?: NodeJS.Dict<string>;
  readonly fetch: typeof fetch;
  readonly now: () => number;
  /** Time limit of one request, in milliseconds. */
  readonly timeoutMs?: number;
  /** Checks sandboxes; null skips that. */
  readonly sandboxes: (() => Promise<readonly Finding[]>) | null;
}

const healthMs = 3_000;
/** For folders with hundreds of thousands of files. */
const toolchainsMs = 60_000;

/** Runs every check and returns the findings in a fixed order. Never rejects because of a failing check. */
export async function examineHere(options: HereOptions): Promise<readonly Finding[]> {
  const environment = withSigningSecret(options.environment);
  const configPath = configPathOf(environment);
  const configText = await readFile(configPath, 'utf8').catch(() => null);
  const shown = relative(projectRoot, configPath);
  const [own, sandboxes, toolchains, running] = await Promise.all([
    examine({
      environment,
      configText,
      configName: shown.startsWith('..') ? configPath : shown,
      publicUrl: null,
      probeSandbox: null,
      fetch: options.fetch,
      now: options.now,
      ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    }),
    options.sandboxes?.() ?? [],
    examineToolchains(configText ?? '', { 'the state folder': stateDirOf(environment) }, options.now),
    runChecks(
      [
        { id: 'names', run: () => Promise.resolve(judgeNames(options, configText)) },
        { id: 'node', run: () => Promise.resolve(judgeNode()) },
        { id: 'state', run: () => Promise.resolve(judgeState(stateDirOf(environment))) },
        { id: 'bot', run: async () => await judgeBot(options, environment) },
      ],
      { deadlineMs: healthMs + 1000, secrets: [] },
    ),
  ]);
  return [...own, ...sandboxes, ...toolchains, ...running];
}

/** Each folder that the configuration names, as the start of a sandbox looks at it. */
async function examineToolchains(
  configText: string,
  hidden: Readonly<Record<string, string>>,
  now: () => number,
): Promise<readonly Finding[]> {
  const read = loadConfig(configText, '');
  const folders = read.ok ? machineNames(read.config).toolchains : [];
  const places = await placesWith({ 'the checkout of Airlock': projectRoot, ...hidden });
  const judge = async (folder: string): Promise<Verdict> => {
    try {
      const { bin } = await toolchainAt(folder, places, now());
      if (bin !== null) return ok(`sandboxes see ${folder}, with ${bin} in the PATH`);
      return warn(`sandboxes see ${folder}, but it has no folder "bin"`, 'Name the folder that holds it.');
    } catch (error) {
      if (!(error instanceof ToolchainProblem)) throw error;
      return fail(error.message, 'Change "toolchains" under "sandbox" in the configuration.');
    }
  };
  const checks = folders.map((folder) => ({ id: 'sandbox.toolchain', run: async () => await judge(folder) }));
  return await runChecks(checks, { deadlineMs: toolchainsMs, secrets: [] });
}

function judgeNames({ devVars = {}, environment }: HereOptions, configText: string | null): Verdict {
  const read = configText === null ? null : loadConfig(configText, '');
  const registries = read?.ok === true ? allRegistries(read.config) : [];
  const secrets = registries.flatMap(({ secret }) => secret ?? []);
  const misspelt = misspeltSettings(devVars, environment, secrets);
  return misspelt.length === 0
    ? ok('no setting is misspelt')
    : fail(misspelt.join('; '), 'Correct the name: npm start refuses it.');
}

const leastNode = 22;

function judgeNode(): Verdict {
  const { node } = process.versions;
  return Number(node.split('.')[0]) >= leastNode
    ? ok(`Node ${node}`)
    : fail(`Node ${node} is too old`, 'Start through npm run doctor, which brings its own Node.');
}

function judgeState(folder: string): Verdict {
  const problem = existsSync(folder) ? stateProblem(folder) : null;
  if (problem === null) return ok(`${folder} can be written`);
  return fail(`nothing can be stored in ${folder}`, problem);
}

async function judgeBot({ fetch: send }: HereOptions, environment: NodeJS.Dict<string>): Promise<Verdict> {
  const url = `http://${environment['AIRLOCK_HOST']?.trim() || '127.0.0.1'}:${environment['PORT']?.trim() || 8787}`;
  const health = await askHealth({ fetch: send, timeoutMs: healthMs }, url);
  const { version } = checkoutWith(null);
  switch (health.kind) {
    case 'no-answer':
      return ok(`no bot runs at ${url}`);
    case 'something-else':
      return warn(`something else listens at ${url} (status ${health.status})`, 'Set PORT to another port.');
    case 'not-configured':
      return fail(`the bot at ${url} is not configured`, 'Fix the problems above, and restart it.');
    case 'broken':
      return fail(`the bot at ${url} can accept nothing`, health.why);
    case 'airlock':
      return health.version === version
        ? ok(`${version} runs at ${url}`)
        : fail(
            `the bot at ${url} is version ${health.version}, this checkout is ${version}`,
            'Restart the bot.',
          );
  }
}

/** In a Worker with dummy settings, so that a mistake in the real ones does not hide the sandbox's state. */
export async function examineSandboxes(
  support: () => Promise<SandboxSupport> = checkSandboxSupport,
): Promise<readonly Finding[]> {
  const supported = await support();
  if (!supported.ok) return await bootFailed(supported.problem, supported.remedy);
  const folder = await mkdtemp(join(tmpdir(), 'airlock-doctor-'));
  const apiToken = randomBytes(24).toString('hex');
  try {
    const bot = await startBot({
      stateDir: folder,
      hostname: '127.0.0.1',
      port: 0,
      settings: {
        GITHUB_APP_ID: '1',
        GITHUB_APP_PRIVATE_KEY: dummyKey(),
        GITHUB_WEBHOOK_SECRET: apiToken,
        OPENAI_API_KEY: 'none',
        API_TOKEN: apiToken,
      },
      configText: '{}',
      progress: () => undefined,
      log: () => undefined,
    });
    try {
      const report = await askDoctor({ fetch }, bot.url, apiToken, { only: 'sandbox' });
      if (report.ok) return report.findings;
      return report.status === null
        ? await bootFailed(report.why, 'Ask again when the machine is less busy.', warn)
        : await bootFailed(report.why, 'Try again.');
    } finally {
      await bot.stop();
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown error';
    return await bootFailed(why, 'Check whether npm start works.');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A valid key, because the Worker checks it. It belongs to no App. */
function dummyKey(): string {
  const privateKeyEncoding = { type: 'pkcs8', format: 'pem' } as const;
  const publicKeyEncoding = { type: 'spki', format: 'pem' } as const;
  return generateKeyPairSync('rsa', { modulusLength: 2048, privateKeyEncoding, publicKeyEncoding })
    .privateKey;
}

async function bootFailed(
  problem: string,
  remedy: string,
  verdict: typeof fail | typeof warn = fail,
): Promise<readonly Finding[]> {
  const check = { id: 'sandbox.boot', run: () => Promise.resolve(verdict(problem, remedy)) };
  return await runChecks([check], { deadlineMs: 1000, secrets: [] });
}
