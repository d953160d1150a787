/** `npm start` as an operator runs it: killed, started twice, and without a place to write. */
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { projectRoot } from '../../host/project-root.ts';
import { processTreeOf, readProcessTable, readStartTime } from '../../host/sandbox/process-table.ts';

const folder = mkdtempSync(join(tmpdir(), 'airlock-start-'));
const state = join(folder, 'state');
const config = join(folder, 'airlock.config.jsonc');
writeFileSync(config, '{ "repositories": { "acme/*": {} } }');
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
let port: number;

beforeAll(async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  port = address === null || typeof address === 'string' ? 0 : address.port;
  await new Promise((resolve) => server.close(resolve));
});
const started: Started[] = [];
afterEach(async () => {
  for (const { child, ended } of started.splice(0)) {
    child.kill('SIGKILL');
    await ended;
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Started {
  readonly child: ReturnType<typeof spawn>;
  /** Resolves when it accepts requests; rejects with its output when it ends before. */
  readonly listens: Promise<void>;
  /** Resolves to the doctor's lines. */
  readonly doctor: Promise<string>;
  /** Resolves to everything it wrote to its standard error. */
  readonly ended: Promise<string>;
}

function start(settings: Readonly<Record<string, string>> = {}): Started {
  const child = spawn(process.execPath, [join(projectRoot, 'cli/start.ts')], {
    cwd: projectRoot,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      GITHUB_APP_ID: '4711',
      GITHUB_APP_PRIVATE_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      GITHUB_WEBHOOK_SECRET: 'a-secret-of-16-chars',
      OPENAI_API_KEY: 'sk-test',
      // Nothing answers there: the doctor says so, and the bot runs.
      GITHUB_URL: 'http://127.0.0.1:1',
      OPENAI_BASE_URL: 'http://127.0.0.1:1',
      AIRLOCK_CONFIG: config,
      AIRLOCK_STATE: state,
      AIRLOCK_HOST: '127.0.0.1',
      PORT: String(port),
      ...settings,
    },
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const ended = new Promise<string>((resolve) => child.once('close', () => resolve(errors)));
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const doctor = new Promise<string>((resolve) => {
    child.stdout.on('data', () => {
      if (/^Doctor: .*\n[^]*github\.app .*\n/m.test(output))
        resolve(output.slice(output.indexOf('Doctor: ')));
    });
  });
  const listens = new Promise<void>((resolve, reject) => {
    child.stdout.on('data', () => {
      if (output.includes('Airlock listens')) resolve();
    });
    void ended.then((text) => reject(new Error(`it ended:\n${text}`)));
  });
  listens.catch(() => undefined);
  const one = { child, listens, doctor, ended };
  started.push(one);
  return one;
}

/** The child whose name is workerd. */
function workerdOf({ child }: Started): { readonly pid: number; readonly startedAt: string | null } {
  const tree = processTreeOf(readProcessTable(), child.pid ?? 0);
  const found = tree.find(({ pid }) => readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'workerd');
  if (found === undefined) throw new Error('no workerd');
  return { pid: found.pid, startedAt: readStartTime(found.pid) };
}

it('ends workerd with a killed bot, which has refused a second one, and starts again at once', async () => {
  const first = start();
  await first.listens;
  expect(existsSync(join(state, 'airlock.log'))).toBe(true);
  expect(await first.doctor).toMatch(
    /^Doctor: \d+ broken; .*npm run doctor.*\n *✗ .*GitHub cannot be reached/,
  );

  expect(await start({ PORT: '0' }).ended).toBe(
    `Another Airlock (pid ${first.child.pid}) uses the state folder ${state}: ` +
      `stop it (kill ${first.child.pid}), ` +
      'or set AIRLOCK_STATE and PORT to other values for a second bot.\n',
  );

  const workerd = workerdOf(first);
  expect(workerd.startedAt).not.toBeNull();
  first.child.kill('SIGKILL');
  await first.ended;
  const again = start();
  await again.listens;
  expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
  while (readStartTime(workerd.pid) === workerd.startedAt) await sleep(20);

  again.child.kill('SIGTERM');
  await again.ended;
  expect(existsSync(join(state, 'bot.lock'))).toBe(false);
});

it.each<[string, () => string, RegExp]>([
  [
    'the state folder cannot be created',
    () => '/dev/null/state',
    /^The log \/dev\/null\/state\/airlock\.log cannot be written \(ENOTDIR\): set AIRLOCK_STATE to a folder .*\.\n$/,
  ],
  [
    'the log cannot be written',
    () => {
      const path = join(folder, 'no-log');
      mkdirSync(join(path, 'airlock.log'), { recursive: true });
      return path;
    },
    /^The log \S+\/airlock\.log cannot be written \(EISDIR\): set AIRLOCK_STATE to a folder .*\.\n$/,
  ],
])('refuses to start in one line with the remedy when %s', async (_, place, line) => {
  expect(await start({ AIRLOCK_STATE: place() }).ended).toMatch(line);
});
