/**
 * The doctor on this machine, with or without a running bot: the checks with the settings of the environment, a sandbox of a Worker
 * that is started for it, and what runs at the bot's address.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fail, ok, runChecks, warn, type Finding, type Verdict } from '../../src/doctor/check.ts';
import { examine } from '../../src/doctor/doctor.ts';
import { startBot } from '../../host/bot.ts';
import { configPathOf } from '../../host/environment.ts';
import { projectRoot } from '../../host/project-root.ts';
import { checkSandboxSupport, type SandboxSupport } from '../../host/sandbox/support.ts';
import { askDoctor, askHealth } from './ask-worker.ts';
import { checkoutWith } from './checkout.ts';

export interface HereOptions {
  /** The environment over `.dev.vars`. */
  readonly environment: NodeJS.Dict<string>;
  readonly fetch: typeof fetch;
  readonly now: () => number;
  /** Milliseconds for one request. */
  readonly timeoutMs?: number;
  /** null: leaves sandboxes out. */
  readonly sandboxes: (() => Promise<readonly Finding[]>) | null;
}

const healthMs = 3_000;

/** Every check, in a fixed order. Never rejects on account of what is checked. */
export async function examineHere(options: HereOptions): Promise<readonly Finding[]> {
  const environment = withSigningSecret(options.environment);
  const configPath = configPathOf(environment);
  const configText = await readFile(configPath, 'utf8').catch(() => null);
  const shown = relative(projectRoot, configPath);
  const [own, sandboxes, running] = await Promise.all([
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
    runChecks(
      [
        { id: 'node', run: () => Promise.resolve(judgeNode()) },
        { id: 'bot', run: async () => await judgeBot(options, environment) },
      ],
      { deadlineMs: healthMs + 1000, secrets: [] },
    ),
  ]);
  return [...own, ...sandboxes, ...running];
}

/** As at the start of the bot: over the socket nobody but this machine signs requests. */
function withSigningSecret(environment: NodeJS.Dict<string>): NodeJS.Dict<string> {
  const isSocket = (environment['SLACK_APP_TOKEN']?.trim() ?? '') !== '';
  const isSet = (environment['SLACK_SIGNING_SECRET']?.trim() ?? '') !== '';
  return isSocket && !isSet
    ? { ...environment, SLACK_SIGNING_SECRET: randomBytes(32).toString('hex') }
    : environment;
}

const leastNode = 22;

function judgeNode(): Verdict {
  const { node } = process.versions;
  return Number(node.split('.')[0]) >= leastNode
    ? ok(`Node ${node}`)
    : fail(`Node ${node} is too old`, 'Start through npm run doctor, which brings its own Node.');
}

async function judgeBot({ fetch: send }: HereOptions, environment: NodeJS.Dict<string>): Promise<Verdict> {
  const url = `http://${environment['AIRLOCK_HOST']?.trim() || '127.0.0.1'}:${environment['PORT']?.trim() || 8787}`;
  const health = await askHealth({ fetch: send, timeoutMs: healthMs }, url);
  const { version } = checkoutWith(null);
  switch (health.kind) {
    case 'no-answer':
      return ok(`none runs at ${url}`);
    case 'something-else':
      return warn(`something else listens at ${url} (status ${health.status})`, 'Set PORT to another one.');
    case 'not-configured':
      return fail(`the bot at ${url} is not configured`, 'Mend what is named here, and restart it.');
    case 'airlock':
      return health.version === version
        ? ok(`${version} runs at ${url}`)
        : fail(`the bot at ${url} is ${health.version}, this checkout ${version}`, 'Restart the bot.');
  }
}

/**
 * Starts a Worker of its own with settings that open nothing, so that a broken setting hides no sandbox, and has it look at a sandbox.
 * `support` answers whether this machine can have one at all.
 */
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
        GITHUB_APP_PRIVATE_KEY: nobodysKey(),
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
      return report.ok ? report.findings : await bootFailed(report.why, 'Try again.');
    } finally {
      await bot.stop();
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown error';
    return await bootFailed(why, 'See that npm start works.');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The Worker wants one that can sign; it signs nothing. */
function nobodysKey(): string {
  const privateKeyEncoding = { type: 'pkcs8', format: 'pem' } as const;
  const publicKeyEncoding = { type: 'spki', format: 'pem' } as const;
  return generateKeyPairSync('rsa', { modulusLength: 2048, privateKeyEncoding, publicKeyEncoding })
    .privateKey;
}

async function bootFailed(problem: string, remedy: string): Promise<readonly Finding[]> {
  const check = { id: 'sandbox.boot', run: () => Promise.resolve(fail(problem, remedy)) };
  return await runChecks([check], { deadlineMs: 1000, secrets: [] });
}
