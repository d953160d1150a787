/** `npm run chaos -- storm`: ten thousand deliveries of a thousand triggers to one bot, as one case. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { splitBillFiles } from '../cli/demo/split-bill.ts';
import { startWorld, type World } from '../cli/demo/world.ts';
import type { CaseResult } from './case.ts';
import { judgeStorm, sendStorm, type Storm } from './storm.ts';
import { startBotWith, stubSandboxes } from './stub-sandboxes.ts';
import { killWorkerd } from './workerd-process.ts';

const [issues, commands, deliveries, repositories, slots] = [800, 200, 10_000, 20, 20];
const people = Array.from({ length: 10 }, (_, index) => `person-${index}`);

export async function runStorm(progress: (line: string) => void, signal: AbortSignal): Promise<CaseResult> {
  const stateDir = await mkdtemp(join(tmpdir(), 'airlock-chaos-'));
  // The sandboxes are stubs: what is tried is how tasks are taken and told apart, not what they do.
  const stubs = await stubSandboxes({ holdMs: (index) => 200 + ((index * 137) % 600) });
  const world = await startWorld({
    stateDir,
    script: [],
    files: splitBillFiles,
    deliveries: 'poll',
    hourlyLimit: null,
    slack: {
      users: [{ name: 'maria', displayName: 'Maria' }],
      channels: [{ name: 'dev', members: ['maria'] }],
      deliverTo: 'http',
    },
    startBot: async (options) => await startBotWith(stubs, options),
    configText: (slack) =>
      JSON.stringify({
        slack: { team: slack.teamId },
        repositories: { 'acme/split-bill': { slack: 'workspace' }, 'acme/*': {} },
        slots: { total: slots, perRepository: slots, perRequester: slots },
      }),
  });
  const aborted = new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(new Error('interrupted')), { once: true }),
  );
  try {
    return await Promise.race([storm(world, stubs, progress), aborted]);
  } finally {
    await world.close();
    await rm(stateDir, { recursive: true, force: true });
  }
}

async function storm(
  world: World,
  stubs: Awaited<ReturnType<typeof stubSandboxes>>,
  progress: (line: string) => void,
): Promise<CaseResult> {
  const startedAt = Date.now();
  const kill = async () => await killWorkerd(world);
  const created = await Promise.all(
    Array.from(
      { length: repositories },
      async (_, index) =>
        await world.github.createRepository({
          owner: 'acme',
          name: `storm-${index}`,
          files: { 'README.md': 'Storm' },
          collaborators: people.map((login) => ({ login, permission: 'write' as const })),
        }),
    ),
  );
  const sent: Storm = await sendStorm(
    { world, stubs },
    {
      issues,
      commands,
      deliveries,
      repositories: created,
      people,
      atOnce: 30,
      restarts: [
        { at: 0.2, restart: kill },
        { at: 0.4, restart: async () => await world.restartBot() },
        { at: 0.6, restart: kill },
      ],
      progress,
    },
  );
  const at = Date.now();
  const { tasks, answers, problems } = await judgeStorm({ world, stubs }, sent);
  const took = sent.acknowledgedMs.toSorted((one, other) => one - other);
  const p95 = took[Math.floor(took.length * 0.95)] ?? 0;
  const triggers = issues + commands;
  progress(
    `${triggers / ((Date.now() - startedAt) / 1000)} tasks a second, 95 % of GitHub’s deliveries answered in ${p95} ms`,
  );
  return {
    id: 'storm',
    met: [],
    group: 'storm',
    phase: 'everywhere',
    injected: `${sent.deliveries} deliveries of ${triggers} triggers, three restarts`,
    answers,
    pullRequests: 0,
    sandboxesLeft: stubs.running().length,
    tokensLeft: 0,
    recoveryMs: Date.now() - at,
    cancelMs: null,
    outcome: `${tasks} tasks`,
    ok: problems.length === 0,
    problems,
  };
}
