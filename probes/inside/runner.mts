/**
 * Runs the programs of a plan inside the sandbox, as the attacker would, and prints what each one got as JSON
 * lines. Judges nothing. Outside, with a redirect, the same programs have to reach the host that the redirect
 * names.
 *
 * Usage: node runner.mts PLAN.json
 */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ListenOptions } from 'node:net';
import { bytesOf } from './body.mts';
import {
  maxSeen,
  ownAbstract,
  ownSocket,
  type Plan,
  type PlannedProbe,
  type Program,
  type Redirect,
  type RunnerLine,
} from './plan.mts';
import { describeAnswer, isTimeout, speak } from './wire.mts';

type Outcome = Omit<RunnerLine, 'id'>;

const isPlan = (value: unknown): value is Plan =>
  typeof value === 'object' && value !== null && 'probes' in value && 'folder' in value;

const given: unknown = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
if (!isPlan(given)) throw new Error('usage: runner PLAN.json');
const { folder, probes, redirect } = given;
mkdirSync(folder, { recursive: true });

function print(line: RunnerLine): void {
  process.stdout.write(`${JSON.stringify({ ...line, seen: line.seen.slice(0, maxSeen) })}\n`);
}

async function outcomeOf({ id, program, timeoutMs }: PlannedProbe): Promise<Outcome> {
  try {
    switch (program.kind) {
      case 'wire': {
        const { got, seen } = await speak(program, redirect);
        return isTimeout(got) ? { ran: false, got: `could not try: ${got}`, seen } : { ran: true, got, seen };
      }
      case 'curl':
        return await runCurl(id, program, timeoutMs);
      case 'git':
        return await runGit(program, timeoutMs);
      case 'script':
        return await runScript(id, program, timeoutMs);
    }
  } catch (error) {
    return { ran: false, got: `could not try: ${String(error).slice(0, 200)}`, seen: '' };
  }
}

const fileOf = (id: string, ending: string): string =>
  `${folder}/${id.replaceAll(/[^\w.-]/g, '-')}.${ending}`;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(
  argv: readonly string[],
  options: { timeoutMs: number; cwd?: string; env?: Readonly<Record<string, string>> },
): Promise<Ended> {
  const [program = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd ?? folder,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on(
      'data',
      (chunk: Buffer) => (stdout = (stdout + chunk.toString('utf8')).slice(-maxSeen * 16)),
    );
    child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString('utf8')).slice(-maxSeen)));
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (signal === 'SIGKILL')
        reject(new Error(`killed after ${options.timeoutMs} ms: ${stderr.slice(-150)}`));
      else resolve({ code: code ?? 1, stdout, stderr });
    });
  });
}

async function runCurl(
  id: string,
  { args, body }: Extract<Program, { kind: 'curl' }>,
  timeoutMs: number,
): Promise<Outcome> {
  const bodyFile = fileOf(id, 'body');
  const answerFile = fileOf(id, 'answer');
  const headFile = fileOf(id, 'head');
  for (const file of [answerFile, headFile]) writeFileSync(file, '');
  if (body !== undefined) writeFileSync(bodyFile, bytesOf(body));
  const { code, stdout, stderr } = await run(
    [
      'curl',
      ...words(`-q -sS --max-time ${Math.floor(timeoutMs / 1000) - 1} --path-as-is --globoff`),
      ...words(`-o ${answerFile} -D ${headFile} -w %{http_code}`),
      ...(body === undefined ? [] : ['--data-binary', `@${bodyFile}`]),
      ...redirectedCurl(redirect),
      ...args,
    ],
    { timeoutMs, ...caOf(redirect) },
  );
  const answer = readFileSync(answerFile, 'latin1').slice(0, maxSeen);
  const seen = `${readFileSync(headFile, 'latin1')}${answer}${stderr}`;
  // An answer counts even if it arrived before curl had sent everything, or lost its end.
  const status = Number(/(\d{3})$/.exec(stdout)?.[1] ?? 0);
  // An unknown protocol, option or file; a time-out; no curl.
  if (status === 0)
    return { ran: ![1, 2, 3, 4, 26, 27, 28, 127].includes(code), got: `curl error ${code}`, seen };
  return { ran: true, got: describeAnswer(status, answer), seen };
}

const words = (text: string): string[] => text.split(' ');

function redirectedCurl(to: Redirect | null): string[] {
  if (to === null) return [];
  return ['--connect-to', `:80:127.0.0.1:${to.httpPort}`, '--connect-to', `::127.0.0.1:${to.httpsPort}`];
}

function caOf(to: Redirect | null): { env?: Record<string, string> } {
  return to === null
    ? {}
    : { env: { CURL_CA_BUNDLE: to.caFile, SSL_CERT_FILE: to.caFile, GIT_SSL_CAINFO: to.caFile } };
}

async function runGit({ args, cwd }: Extract<Program, { kind: 'git' }>, timeoutMs: number): Promise<Outcome> {
  // A proxy redirects every connection of git, to any host.
  const proxy = redirect === null ? '' : `http://127.0.0.1:${redirect.httpPort}`;
  const elsewhere: Readonly<Record<string, string>> =
    redirect === null
      ? {}
      : { http_proxy: proxy, https_proxy: proxy, all_proxy: proxy, GIT_TERMINAL_PROMPT: '0' };
  const { code, stdout, stderr } = await run(['git', ...args], {
    timeoutMs,
    cwd: redirect === null ? (cwd ?? '/workspace/repo') : folder,
    env: elsewhere,
  });
  const seen = stdout + stderr;
  if (code === 0) return { ran: true, got: 'ok', seen };
  const status = /returned error: (\d{3})|HTTP (\d{3})/.exec(stderr);
  const got =
    status === null ? `exit ${code}: ${lastLine(stderr)}` : `refused with ${status[1] ?? status[2]}`;
  return { ran: code === 128 || code === 1, got, seen };
}

const interpreters = {
  bash: ['bash'],
  node: ['node'],
  // Isolated from the environment and the folder.
  python3: ['python3', '-I'],
  perl: ['perl'],
} as const;
const endings = { bash: 'sh', node: 'mjs', python3: 'py', perl: 'pl' } as const;

type Script = Extract<Program, { kind: 'script' }>;

async function runScript(id: string, program: Script, timeoutMs: number): Promise<Outcome> {
  const { language, source, target, args } = program;
  const file = fileOf(id, endings[language]);
  writeFileSync(file, source);
  const missed = await missedControl(program, file, timeoutMs);
  if (missed !== null) return { ran: false, got: `could not try: ${missed}`, seen: '' };
  const there =
    target === undefined || redirect === null
      ? target
      : { address: '127.0.0.1', port: target.protocol === 'tcp' ? redirect.tcpPort : redirect.udpPort };
  return await scriptOutcome(language, [file, ...(args ?? [])], there, timeoutMs);
}

async function scriptOutcome(
  language: Script['language'],
  argv: readonly string[],
  there: { readonly address: string; readonly port: number } | undefined,
  timeoutMs: number,
): Promise<Outcome> {
  const { code, stdout, stderr } = await run([...interpreters[language], ...argv], {
    timeoutMs,
    env: there === undefined ? {} : { PROBE_ADDRESS: there.address, PROBE_PORT: String(there.port) },
  });
  const got = lastLine(stdout);
  // A program that failed or printed nothing has not probed anything.
  if (code !== 0 || got === '')
    return { ran: false, got: `could not try: exit ${code}: ${lastLine(stderr)}`, seen: stdout + stderr };
  return { ran: true, got, seen: stdout + stderr };
}

/** Each script and control once, until it is reached. */
const controls = new Map<string, Promise<string | null>>();

async function missedControl(program: Script, file: string, timeoutMs: number): Promise<string | null> {
  const { language, source, target, control } = program;
  if (control === undefined && target === undefined) return null;
  const key = JSON.stringify([language, source, control]);
  const attempt = async () => {
    const to = target === undefined ? undefined : { address: '127.0.0.1', port: ownPort };
    const args = (control?.args ?? []).map((one) => ownNames[one] ?? one);
    const { got } = await scriptOutcome(language, [file, ...args], to, timeoutMs).catch((error: unknown) => ({
      got: String(error),
    }));
    if (control === undefined ? /^(?:CONNECTED|SENT)$/.test(got) : got === control.got) return null;
    controls.delete(key);
    return `its control got ${got}`;
  };
  const missed = controls.get(key) ?? attempt();
  controls.set(key, missed);
  return await missed;
}

const ownNames: Readonly<Record<string, string>> = {
  [ownSocket]: `${folder}/${ownSocket}`,
  [ownAbstract]: `${ownAbstract}-${process.pid}`,
};

/** Opens what controls reach: two Unix sockets, a TCP and a UDP port of one number. Returns the number. */
async function listen(): Promise<number> {
  const at = async (options: ListenOptions) => {
    const server = createServer((socket) => socket.on('error', () => undefined).end())
      .listen(options)
      .unref();
    await once(server, 'listening');
    return server.address();
  };
  rmSync(`${folder}/${ownSocket}`, { force: true });
  await at({ path: `${folder}/${ownSocket}` });
  await at({ path: `\0${ownNames[ownAbstract]}` });
  for (let tries = 1; ; tries += 1) {
    const bound = await at({ host: '127.0.0.1', port: 0 });
    const port = typeof bound === 'object' ? (bound?.port ?? 0) : 0;
    const datagrams = createSocket('udp4').unref();
    datagrams.bind(port, '127.0.0.1');
    try {
      await once(datagrams, 'listening');
      return port;
    } catch (error) {
      // Another program has the UDP port of that number.
      if (tries === 20) throw error;
    }
  }
}

function lastLine(text: string): string {
  return (text.trimEnd().split('\n').at(-1) ?? '').trim().slice(0, 200);
}

const ownPort = await listen();
const lanes = Map.groupBy(probes, ({ lane }) => lane);
await Promise.all(
  [...lanes.values()].map(async (lane) => {
    for (const probe of lane) {
      const first = await outcomeOf(probe);
      // What a busy machine did not let it try means nothing.
      print({ id: probe.id, ...(first.ran ? first : await outcomeOf(probe)) });
    }
  }),
);
