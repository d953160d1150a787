/**
 * Measures the cost of a sandbox's gateway: `git clone` of 100 MB from inside compared with a direct clone
 * from the same server, memory during the transfer, and the time to the first byte of a streamed answer of
 * the model.
 *
 * The direct clone uses HTTPS, as with github.com. Plain HTTP is measured too: the difference is the cost of
 * TLS when client and server share the cores.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { splitBillFiles } from '../cli/demo/split-bill.ts';
import { startWorld, type World } from '../cli/demo/world.ts';
import { finish, shell } from '../simulators/openai/script.ts';
import { projectRoot } from '../host/project-root.ts';
import { createCertificateAuthority } from '../host/sandbox/certificate-authority.ts';
import type { TaskSandbox } from '../src/core/ports/sandbox-port.ts';
import { ask, untilCommand } from '../test/flows/ask.ts';
import { median, round, type Bench } from './metric.ts';

const run = promisify(execFile);

const files = 25;
const fileBytes = 4 * 1024 * 1024;
const rounds = 7;
const requests = 60;
const MiB = 1024 * 1024;

/** Repeats a request of Codex, and prints the milliseconds to the first byte of each answer. */
const timeToFirstByte = `
const { URL: url, KEY: key, BODY: body } = process.env;
const count = Number(process.env.COUNT);
const times = [];
for (let index = 0; index < count; index += 1) {
  const startedAt = performance.now();
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: 'Bearer ' + key },
    body,
  });
  const reader = response.body.getReader();
  await reader.read();
  times.push(performance.now() - startedAt);
  while (!(await reader.read()).done);
  if (response.status !== 200) throw new Error('answered ' + response.status);
}
console.log(JSON.stringify(times));
`;

export const gatewayBench: Bench = {
  name: 'gateway',
  what: 'git clone of 100 MB and first byte of a streamed answer, from a sandbox and directly',
  async run(progress) {
    const stateDir = await mkdtemp(join(tmpdir(), 'airlock-bench-'));
    progress(`creating a repository of ${(files * fileBytes) / MiB} MiB`);
    const world = await startWorld({
      stateDir,
      // Codex does not wait that long for one command, so the model repeats it.
      script: [
        ...Array.from({ length: 200 }, () => shell('sleep 900')),
        finish({ title: 'Slept', summary: '' }),
      ],
      files: {
        ...splitBillFiles,
        // Random bytes cannot be compressed, so all of them are transferred.
        ...Object.fromEntries(
          Array.from({ length: files }, (_, index) => [`blob-${index}`, { content: randomBytes(fileBytes) }]),
        ),
      },
    });
    try {
      // Packed once, as on a real server: otherwise the bench would measure packing.
      await run('git', ['-C', world.repository.gitDir, 'repack', '-adq']);
      const { taskId } = await ask(world, '@airlock sleep');
      await untilCommand(world, taskId, 'sleep 900');
      const [sandboxId] = world.bot.sandboxes();
      if (sandboxId === undefined) throw new Error('the task has no sandbox');
      const sandbox = world.bot.sandboxOf(sandboxId);
      const clones = await compareClones(world, sandbox, progress);
      progress(`${requests} streamed answers`);
      const answers = await compareAnswers(world, sandbox);
      return [
        {
          name: 'gateway: git clone of 100 MB, p50',
          value: round(clones.inside, 2),
          unit: 's',
          baseline: round(clones.direct, 2),
          ratio: round(clones.inside / clones.direct, 2),
          goal: null,
        },
        {
          name: 'gateway: speed of that clone, direct ÷ inside',
          value: round(clones.direct / clones.inside, 2),
          unit: 'ratio',
          goal: 'at least 0.9',
        },
        {
          name: 'gateway: the same, direct over plain HTTP',
          value: round(clones.plain / clones.inside, 2),
          unit: 'ratio',
          goal: null,
        },
        {
          name: 'gateway: memory of the host while it streams',
          value: round(clones.insideBytes / 1024, 0),
          unit: 'KiB',
          // The simulated GitHub runs in the same process; the baseline is its own use.
          baseline: round(clones.directBytes / 1024, 0),
          ratio: round(clones.insideBytes / Math.max(clones.directBytes, 1), 2),
          goal: 'growth under 64 MiB (65536 KiB)',
        },
        {
          name: 'gateway: first byte of a streamed answer, p50',
          value: round(answers.inside, 2),
          unit: 'ms',
          baseline: round(answers.direct, 2),
          ratio: round(answers.inside / answers.direct, 2),
          goal: null,
        },
        {
          name: 'gateway: added to the first byte, p50',
          value: round(answers.inside - answers.direct, 2),
          unit: 'ms',
          goal: 'under 5 ms',
        },
      ];
    } finally {
      await world.close();
      await rm(stateDir, { recursive: true, force: true });
    }
  },
};

/** Median seconds and maximum growth in bytes of all clones of a kind. */
interface Clones {
  readonly inside: number;
  readonly direct: number;
  readonly plain: number;
  readonly insideBytes: number;
  readonly directBytes: number;
}

async function compareClones(
  world: World,
  sandbox: TaskSandbox,
  progress: (line: string) => void,
): Promise<Clones> {
  const token = await world.mintToken({ contents: 'read' });
  const authority = await createCertificateAuthority(Date.now());
  const secure = await world.github.listenTls(async (hostname) => await authority.contextFor(hostname));
  const cloneUrl = (base: string) =>
    `${base.replace('://', `://x-access-token:${token}@`)}/acme/split-bill.git`;
  const ways = { plain: cloneUrl(world.github.url), direct: cloneUrl(secure) };
  const seen: Record<'inside' | 'direct' | 'plain', Cost[]> = { inside: [], direct: [], plain: [] };
  for (let index = 0; index < rounds; index += 1) {
    // The first round fills caches and is not counted.
    const keep = (way: keyof typeof seen, cost: Cost) => index > 0 && seen[way].push(cost);
    for (const way of ['plain', 'direct'] as const)
      keep(way, await cloneHere(ways[way], authority.certificatePem));
    keep('inside', await cloneInside(sandbox, `/tmp/clone-${index}`));
    progress(`clone ${index + 1} of ${rounds}`);
  }
  const seconds = (way: keyof typeof seen) => median(seen[way].map((cost) => cost.seconds));
  const bytes = (way: keyof typeof seen) => Math.max(...seen[way].map((cost) => cost.grownBytes));
  return {
    inside: seconds('inside'),
    direct: seconds('direct'),
    plain: seconds('plain'),
    insideBytes: bytes('inside'),
    directBytes: bytes('direct'),
  };
}

/** In memory where possible, as in the sandbox: otherwise the bench would compare disks. */
const cloneParent = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

async function cloneHere(url: string, certificate: string): Promise<Cost> {
  const folder = await mkdtemp(join(cloneParent, 'airlock-clone-'));
  try {
    const trusted = join(folder, 'ca.pem');
    await writeFile(trusted, certificate);
    const env = { ...process.env, GIT_SSL_CAINFO: trusted };
    return await measured(
      async () => await run('git', ['clone', '--quiet', url, join(folder, 'c')], { env }),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function cloneInside(sandbox: TaskSandbox, path: string): Promise<Cost> {
  const url = 'https://github.com/acme/split-bill.git';
  const cost = await measured(async () => {
    const { exitCode, stderr } = await sandbox.exec(
      { argv: ['git', 'clone', '--quiet', url, path] },
      { timeoutMs: 120_000, maxOutputBytes: 4096 },
    );
    if (exitCode !== 0) throw new Error(`the clone inside failed: ${stderr}`);
  });
  await sandbox.exec({ argv: ['rm', '-rf', path] }, { timeoutMs: 30_000, maxOutputBytes: 100 });
  return cost;
}

interface Cost {
  readonly seconds: number;
  readonly grownBytes: number;
}

/** Measures time, and by samples the peak memory of host and Worker, which form the gateway. */
async function measured(work: () => Promise<unknown>): Promise<Cost> {
  const before = residentBytes();
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, residentBytes());
  }, 20);
  const startedAt = performance.now();
  try {
    await work();
    return { seconds: (performance.now() - startedAt) / 1000, grownBytes: Math.max(0, most - before) };
  } finally {
    clearInterval(timer);
  }
}

/** Returns the resident memory of this process and of every workerd that it started. */
function residentBytes(): number {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim();
  const workers = children.split(' ').filter((pid) => pid !== '' && nameOf(pid) === 'workerd');
  return [String(process.pid), ...workers].reduce((sum, pid) => sum + residentOf(pid), 0);
}
const nameOf = (pid: string): string => procFile(pid, 'comm').trim();
function residentOf(pid: string): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(procFile(pid, 'status'))?.[1] ?? '0';
  return Number(kilobytes) * 1024;
}
function procFile(pid: string, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return ''; // it ended between the two reads
  }
}

async function compareAnswers(world: World, sandbox: TaskSandbox) {
  const body = await recordedRequest();
  const environment = (url: string, key: string) => ({
    URL: url,
    KEY: key,
    BODY: body,
    COUNT: String(requests),
  });
  await sandbox.writeFile('/tmp/first-byte.mjs', timeToFirstByte);
  const inside = await sandbox.exec(
    {
      argv: ['node', '/tmp/first-byte.mjs'],
      env: environment('https://api.openai.com/v1/responses', 'none'),
    },
    { timeoutMs: 120_000, maxOutputBytes: 65_536 },
  );
  if (inside.exitCode !== 0) throw new Error(`the requests inside failed: ${inside.stderr}`);
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', timeToFirstByte], {
    env: {
      ...process.env,
      ...environment(`${world.openai?.url ?? ''}/responses`, world.secrets().get('OPENAI_API_KEY') ?? ''),
    },
  });
  // The first requests include the set-up of the connection and are not counted.
  return { inside: median(times(inside.stdout).slice(5)), direct: median(times(stdout).slice(5)) };
}

const times = (json: string): number[] => z.array(z.number()).parse(JSON.parse(json));

/** Returns the first request of the pinned Codex, from the fixtures of the egress tests. */
async function recordedRequest(): Promise<string> {
  const lines = await readFile(join(projectRoot, 'test/egress/fixtures/tools-at-top-level.jsonl'), 'utf8');
  const [first] = lines.split('\n');
  if (first === undefined) throw new Error('no recorded request');
  const recorded = z.record(z.string(), z.unknown()).parse(JSON.parse(first));
  return JSON.stringify({ ...recorded, model: 'gpt-6.1-sol' });
}
