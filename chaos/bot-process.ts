/** Starts a bot as a child process and finds what belongs to it: workerd, sandboxes, folders, mounts. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import type { Bot, BotOptions } from '../host/bot.ts';
import { sandboxCall, type SandboxCall, type SandboxFault } from './calls/breakable-calls.ts';
import { processTreeOf, readProcessTable, readStartTime } from '../host/sandbox/process-table.ts';

export const botOptions = z.object({
  stateDir: z.string(),
  hostname: z.string(),
  port: z.number(),
  settings: z.record(z.string(), z.string()),
  configText: z.string(),
  slackAppToken: z.string().nullable().default(null),
  maxSandboxes: z.number().optional(),
  standIns: z.record(z.string(), z.string()).optional(),
});

const fromBot = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('log'), line: z.string() }),
  z.object({ kind: z.literal('started'), url: z.string() }),
  z.object({ kind: z.literal('failed'), problem: z.string() }),
  z.object({ kind: z.literal('call'), id: z.number(), call: sandboxCall }),
]);
export type FromBot = z.infer<typeof fromBot>;

export interface BotProcess extends Bot {
  readonly pid: number;
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>;
}

/** In a process group of its own: a terminal's Ctrl-C does not reach it. Rejects with the bot's message. */
export async function startBotProcess(
  options: BotOptions,
  decide: (call: SandboxCall) => Promise<SandboxFault | null>,
): Promise<BotProcess> {
  const child = fork(join(import.meta.dirname, 'bot-program.ts'), {
    detached: true,
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit').then(() => undefined);
  const url = await new Promise<string>((resolve, reject) => {
    child.on('message', (sent) => {
      const message = fromBot.parse(sent);
      if (message.kind === 'log') options.log(message.line);
      else if (message.kind === 'started') resolve(message.url);
      else if (message.kind === 'call')
        void decide(message.call).then((fault) => {
          tell(child, { kind: 'fault', id: message.id, fault });
        });
      else reject(new Error(message.problem));
    });
    void ended.then(() => reject(new Error('the bot ended while it started')));
    // Without the functions, which no channel carries.
    tell(child, botOptions.parse(options));
  });
  const pid = child.pid ?? -1;
  return {
    url,
    pid,
    ended,
    sandboxes: () => foldersOf(options.stateDir).flatMap((folder) => namesIn(folder)),
    sandboxOf: () => {
      throw new Error('a bot in another process hands no sandbox out');
    },
    stop: async () => {
      if (hasEnded(child)) return;
      tell(child, { kind: 'stop' });
      await ended;
    },
  };
}

/** A bot that was killed a moment ago hears nothing; `ended` tells. */
function tell(child: ChildProcess, message: object): void {
  if (child.connected) child.send(message, () => undefined);
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null;

/** Where a bot with this state keeps the files of its sandboxes, outside its state folder. */
export function foldersOf(stateDir: string): readonly string[] {
  try {
    const name = readFileSync(join(stateDir, 'sandboxes', 'sandbox-folder'), 'utf8');
    return [join(tmpdir(), name)];
  } catch {
    return []; // No sandbox host has started there.
  }
}

export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // It was removed.
  }
}

/** Returns the bot's workerd; null while there is none. */
export const workerdOf = (botPid: number): number | null => workerdsOf(botPid)[0] ?? null;

/** Without those that have ended and still have an entry in the process table. */
export function workerdsOf(botPid: number): readonly number[] {
  return readProcessTable()
    .filter(({ parent }) => parent === botPid)
    .map(({ pid }) => pid)
    .filter((pid) => nameOf(pid) === 'workerd' && readStartTime(pid) !== null);
}

/** Processes of this name below `root`, such as Codex in a sandbox. */
export function processesBelow(root: number, name: string): readonly number[] {
  return processTreeOf(readProcessTable(), root)
    .map(({ pid }) => pid)
    .filter((pid) => nameOf(pid) === name);
}

/** Processes outside all sandboxes that name one of these folders: the roots and supervisors of sandboxes. */
export function processesNaming(folders: readonly string[]): readonly number[] {
  if (folders.length === 0) return [];
  return readProcessTable()
    .map(({ pid }) => pid)
    .filter((pid) => pid !== process.pid)
    .filter((pid) => folders.some((folder) => textOf(`/proc/${pid}/cmdline`).includes(folder)));
}

export function mountsBelow(folders: readonly string[]): readonly string[] {
  const mounts = textOf('/proc/self/mountinfo').split('\n');
  return mounts.filter((line) => folders.some((folder) => line.includes(folder)));
}

const nameOf = (pid: number): string => textOf(`/proc/${pid}/comm`).trim();

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // The process has ended.
  }
}
