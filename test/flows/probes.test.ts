/**
 * Runs the probes: nothing leaves a sandbox. Then proves the probes: the same programs, run outside against
 * the canary, do reach it.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { startCanary, type Canary } from '../../probes/canary.ts';
import type { Plan } from '../../probes/inside/plan.mts';
import { insideGroups } from '../../probes/inside-groups.ts';
import { planFor, type Planned } from '../../probes/planning.ts';
import { exemplaryPlace } from '../../probes/place.ts';
import { runSuite } from '../../probes/suite.ts';

const run = promisify(execFile);
const runner = join(import.meta.dirname, '../../probes/inside/runner.mts');
const lineSchema = z.object({ ran: z.boolean(), got: z.string() });

async function outside(planned: Planned, canary: Canary, folder: string) {
  const { httpPort, httpsPort, tcpPort, udpPort, caFile } = canary;
  const redirect = { httpPort, httpsPort, tcpPort, udpPort, caFile };
  const plan: Plan = { folder, probes: [{ ...planned.inside, timeoutMs: 5_000 }], redirect };
  const file = join(folder, 'plan.json');
  await writeFile(file, JSON.stringify(plan));
  const before = canary.reached();
  const { stdout } = await run('node', ['--disable-warning=ExperimentalWarning', runner, file], {
    timeout: 120_000,
  });
  await sleep(30);
  const after = canary.reached();
  return {
    ...lineSchema.parse(JSON.parse(stdout)),
    reached: after.connections + after.datagrams > before.connections + before.datagrams,
  };
}

async function withCanary<T>(work: (canary: Canary, folder: string) => Promise<T>): Promise<T> {
  const canary = await startCanary();
  const folder = await mkdtemp(join(tmpdir(), 'airlock-outside-'));
  try {
    // A commit to push.
    await run('git', ['init', '--quiet', folder]);
    await run('git', [
      '-C',
      folder,
      '-c',
      'user.name=x',
      '-c',
      'user.email=x@x',
      'commit',
      '--quiet',
      '--allow-empty',
      '-m',
      'x',
    ]);
    return await work(canary, folder);
  } finally {
    await canary.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const placeWith = (canary: Canary) => ({ ...exemplaryPlace, canary });
const allPlanned = (canary: Canary) => insideGroups.flatMap((group) => planFor(group, placeWith(canary)));

/** The programs whose connections can be redirected to the canary. */
function isReaching({ probe: { program } }: Planned): boolean {
  switch (program.kind) {
    case 'wire':
      return true;
    case 'curl':
      // A proxy cannot be redirected, and a bomb takes its time.
      return !program.args.includes('-x') && !(program.body !== undefined && 'gzip' in program.body);
    case 'git':
      return program.args.some((argument) => /^https?:/.test(argument));
    case 'script':
      return program.target !== undefined;
  }
}

/** One of the programs that differ in their body alone: a body does not change whom a program reaches. */
function withoutBodies(planned: readonly Planned[]): readonly Planned[] {
  const byArguments = new Map(
    planned.map((entry) => {
      const { program } = entry.probe;
      return [program.kind === 'curl' ? program.args.join('\n') : entry.key, entry] as const;
    }),
  );
  return [...byArguments.values()];
}

it('reaches the canary outside with every program that is refused inside', async () => {
  const workers = 4;
  const unreached = await Promise.all(
    Array.from({ length: workers }, async (_, worker) =>
      withCanary(async (canary, folder) => {
        const missed: string[] = [];
        let tried = 0;
        for (const [at, planned] of withoutBodies(allPlanned(canary).filter(isReaching)).entries()) {
          if (at % workers !== worker) continue;
          tried += 1;
          if (!(await outside(planned, canary, folder)).reached) missed.push(planned.key);
        }
        expect(tried).toBeGreaterThan(60);
        return missed;
      }),
    ),
  );
  expect(unreached.flat()).toEqual([]);
}, 900_000);

it.each([
  'network/abstract-socket',
  'host/canary-file',
  'host/canary-socket',
  'host/checkout-package',
  'host/host-process',
])('finds outside what it must not find inside with %s', async (key) => {
  await withCanary(async (canary, folder) => {
    const planned = allPlanned(canary).find((candidate) => candidate.key === key);
    if (planned === undefined) throw new Error('there is no such probe');
    const { ran, got } = await outside(planned, canary, folder);
    expect(ran).toBe(true);
    expect(planned.probe.expected).not.toContain(got);
  });
});

it('lets nothing leave the sandbox', async () => {
  const report = await runSuite({
    sandbox: 'local',
    only: null,
    progress: () => undefined,
    onResult: () => undefined,
    signal: new AbortController().signal,
  });
  expect(report.results.filter(({ ok }) => !ok)).toEqual([]);
  expect(report).toMatchObject({ leaked: 0, notRun: 0, passed: report.total });
  expect(report.total).toBeGreaterThanOrEqual(1_000);
  expect(new Set(report.results.map(({ id }) => id)).size).toBe(report.total);
}, 900_000);
