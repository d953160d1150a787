/** One bot in a process of its own with its simulators, and the ways to harm it. Cases run in a lane. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { splitBillPatch } from '../cli/demo/demo-script.ts';
import { splitBillFiles } from '../cli/demo/split-bill.ts';
import { startWorld, type World } from '../cli/demo/world.ts';
import type { CreatedRepository } from '../simulators/github/contract.ts';
import { applyPatch, finish, shell } from '../simulators/openai/script.ts';
import { permissionNeeds } from '../src/doctor/app-needs.ts';
import { scriptsByName, until, untilAnswers } from './ask.ts';
import {
  foldersOf,
  processesBelow,
  processesNaming,
  startBotProcess,
  workerdOf,
  type BotProcess,
} from './bot-process.ts';
import { createExchange, type Exchange } from './calls/exchange.ts';

/** Whose repositories: `full` has a setup command, `chat` can be used from Slack, `acme` is neither. */
export type Owner = 'acme' | 'full' | 'chat';

export const killTargets = {
  worker: 'workerd is killed',
  host: 'the host process is killed and started again',
  sandbox: 'the sandbox’s first process is killed',
  agent: 'Codex is killed in its sandbox',
  all: 'host, workerd and sandbox are killed, and the bot is started again',
} as const;
export type KillTarget = keyof typeof killTargets;

const run = promisify(execFile);

export interface Lane {
  readonly world: World;
  /** State folder of the bot. */
  readonly botStateDir: string;
  readonly log: readonly string[];
  /** Where a case watches and breaks its calls. */
  readonly exchange: Exchange;
  /** Size of the disk that the state folder has of its own; 0 if this user may not mount one. */
  readonly diskBytes: number;
  /** `ro` makes the state folder read-only; only while no bot runs. */
  remountState(how: 'ro' | 'rw'): Promise<void>;
  /** Somebody in Slack who has asked for nothing yet. */
  nextPerson(): string;
  createRepository(owner?: Owner): Promise<CreatedRepository>;
  /**
   * Does the harm, and starts a bot that is down after it again. Resolves with the time of the harm.
   * `meanwhile` begins while no Worker runs.
   */
  kill(target: KillTarget, meanwhile?: () => Promise<void>): Promise<number>;
  /** Every folder that a host of this lane has kept sandboxes in, also of a killed one. */
  folders(): readonly string[];
  close(): Promise<void>;
}

/** Cases that run at once have one each, because Slack is asked about each. */
const askers = Array.from({ length: 20 }, (_, index) => `person${index + 1}`);
const people = ['maria', ...askers].map((name) => ({ name }));
const channels = [
  { name: 'dev', members: people.map(({ name }) => name) },
  { name: 'ops', members: ['maria'] },
];

const answer = finish({ title: 'Hand out every cent', summary: 'Counts in whole cents.' });
/** What the model does is named in the request: `[mend]`. */
const scripts = {
  mend: [applyPatch(splitBillPatch), answer],
  slow: [shell('sleep 1.5; echo first'), applyPatch(splitBillPatch), answer],
  hold: [applyPatch(splitBillPatch), shell('sleep 3600'), answer],
};

/** A disk that cases fill is small; one on which hundreds of tasks run keeps about 1.5 MB of each. */
const diskMiB = { alone: 256, shared: 1024 } as const;

export async function startLane(use: keyof typeof diskMiB): Promise<Lane> {
  const stateDir = await mkdtemp(join(tmpdir(), 'airlock-chaos-'));
  const botStateDir = join(stateDir, 'bot');
  const log: string[] = [];
  const folders = new Set<string>();
  let bot: BotProcess | null = null;
  let repositories = 0;
  let asked = 0;
  let diskBytes = 0;
  const exchange = createExchange(() => world.github.issuedTokens());
  const clear = async (): Promise<void> => {
    if (diskBytes > 0) await run('umount', ['--lazy', botStateDir], { timeout: 10_000 });
    await rm(stateDir, { recursive: true, force: true });
  };
  const world = await startWorld({
    stateDir,
    files: splitBillFiles,
    wire: exchange.decide,
    script: scriptsByName(scripts),
    slack: { users: people, channels, deliverTo: 'http' },
    configText: (slack) =>
      JSON.stringify({
        slack: { team: slack.teamId, people: { [slack.user('maria').id]: 'maria' } },
        repositories: {
          'acme/split-bill': { aliases: ['bill'], slack: 'workspace' },
          'acme/menu': { slack: 'workspace' },
          'acme/*': {},
          // Not in `ops`, where Airlock asks which repository is meant: with many it shows no buttons.
          'chat/*': { slack: { channels: [slack.channel('dev').id] } },
          'full/*': { setup: { run: 'true' } },
        },
      }),
    log: (line) => void log.push(line),
    startBot: async (options) => {
      if (bot === null) diskBytes = await mountDisk(options.stateDir, diskMiB[use]);
      bot = await startBotProcess(options, exchange.decideOnSandboxCall);
      for (const folder of foldersOf(options.stateDir)) folders.add(folder);
      return bot;
    },
  }).catch(async (error: unknown) => {
    await clear();
    throw error;
  });
  const needed = Object.entries(permissionNeeds).map(([name, { level }]) => [name, level]);
  world.github.changeApp({
    permissions: z
      .record(z.string(), z.enum(['read', 'write']))
      .parse({ ...Object.fromEntries(needed), checks: 'write' }),
  });

  const running = (): BotProcess => {
    if (bot === null) throw new Error('no bot runs in this lane');
    return bot;
  };
  const restart = async (pids: readonly number[], meanwhile?: () => Promise<void>): Promise<number> => {
    const { ended } = running();
    // Stopped first, so that none of them sees another one's end.
    for (const pid of pids) signalTo(pid, 'SIGSTOP');
    const at = killAll(pids);
    await ended;
    await world.restartBot(meanwhile);
    return at;
  };

  return {
    world,
    botStateDir,
    log,
    exchange,
    get diskBytes() {
      return diskBytes;
    },
    remountState: async (how) =>
      void (await run('mount', ['-o', `remount,${how}`, botStateDir], { timeout: 10_000 })),
    nextPerson: () => askers[(asked += 1) % askers.length] ?? 'maria',
    folders: () => [...folders],
    createRepository: async (owner = 'acme') => {
      repositories += 1;
      return await world.github.createRepository({
        owner,
        name: `case-${repositories}`,
        files: splitBillFiles,
        collaborators: [{ login: 'maria', permission: 'write' }],
      });
    },
    kill: async (target, meanwhile) => {
      const { pid } = running();
      // Only for those that need it: the look takes time in which a short step ends.
      const roots = () => processesNaming([...folders]).filter((found) => found !== pid);
      switch (target) {
        case 'worker': {
          const worker = workerdOf(pid);
          if (worker === null) throw new Error('there is no workerd to kill');
          signalTo(worker, 'SIGSTOP');
          // Its successor starts once Miniflare has heard of its end.
          const at = killAll([worker]);
          await meanwhile?.();
          await until('another workerd', () => ![null, worker].includes(workerdOf(pid)), { everyMs: 20 });
          await untilAnswers(world);
          return at;
        }
        case 'host':
          return await restart([pid], meanwhile);
        case 'all':
          return await restart([pid, ...roots(), ...[workerdOf(pid) ?? []].flat()], meanwhile);
        case 'sandbox':
          return killAll(roots());
        case 'agent':
          return killAll(processesBelow(pid, 'codex'));
      }
    },
    close: async () => {
      await world.close();
      await clear();
    },
  };
}

/** Returns when it did. */
function killAll(pids: readonly number[]): number {
  const at = Date.now();
  for (const pid of pids) signalTo(pid, 'SIGKILL');
  return at;
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

/** Gives the folder a small disk of its own, so that it can be full. Returns its size. */
async function mountDisk(folder: string, sizeMiB: number): Promise<number> {
  await mkdir(folder, { recursive: true });
  const bytes = sizeMiB * 1024 * 1024;
  return await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'airlock-chaos', folder], {
    timeout: 10_000,
  }).then(
    () => bytes,
    () => 0,
  );
}
