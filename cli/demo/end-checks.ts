/** Checks the demo's promises: receipts name what was blocked, the tests pass, nothing is left over. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { failedRequestLines } from '../../src/core/failed-requests.ts';
import type { TaskView } from '../../src/core/task-view.ts';
import type { PullView } from '../../simulators/github/contract.ts';
import { bold, dim, green, red, yellow } from '../terminal/colour.ts';
import { cautionLines } from '../terminal/receipt-lines.ts';
import { say } from './story.ts';
import type { World } from './world.ts';

const run = promisify(execFile);

/** A promise of the demo in words, and whether it was kept. */
export type EndCheck = readonly [promise: string, kept: boolean];

/** Checks only the envelope, because the bot has the same version as this code. */
const viewSchema = z.custom<TaskView>(
  (value) => z.looseObject({ taskId: z.string(), receipt: z.looseObject({}) }).safeParse(value).success,
);

export async function taskView(world: World, taskId: string): Promise<TaskView> {
  return viewSchema.parse(await (await askForTask(world, taskId)).json());
}

/** 404 while there is no such task. */
export async function askForTask({ bot, apiToken }: World, taskId: string): Promise<Response> {
  return await fetch(`${bot.url}/api/tasks/${taskId}`, {
    headers: { authorization: `Bearer ${apiToken}` },
    signal: AbortSignal.timeout(10_000),
  });
}

/** Waits at most 10 s for the cleanup after the bot's report. */
export async function untilCleanedUp(world: World): Promise<void> {
  const until = Date.now() + 10_000;
  while (cleanupChecks(world).some(([, kept]) => !kept) && Date.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 50));
}

export function cleanupChecks(world: World): readonly EndCheck[] {
  return [
    ['every sandbox was destroyed', world.bot.sandboxes().length === 0],
    ['every token was revoked', world.github.issuedTokens().every(({ revoked }) => revoked)],
  ];
}

export function showReceipt({ receipt, usage }: TaskView): void {
  say();
  say(bold('Network receipt: every request from the sandbox'));
  for (const { host, requests, bytesUp, bytesDown } of receipt.hosts)
    say(`  ${green('allowed')}  ${host}  ${requests} requests, ${size(bytesUp)} up, ${size(bytesDown)} down`);
  for (const { method, host, path, reason, count } of receipt.denied)
    say(`  ${red('blocked')}  ${method} ${host}${path}  ×${count}  ${dim(reason)}`);
  for (const line of failedRequestLines(receipt)) say(`  ${yellow('failed')}   ${line}`);
  say(`  model usage: ${usage.totalTokens.toLocaleString('en')} tokens`);
  for (const line of cautionLines(receipt)) say(line);
  say();
}

const size = (bytes: number) => (bytes < 1000 ? `${bytes} B` : `${(bytes / 1000).toFixed(1)} kB`);

export interface FetchedBranch {
  /** The branch's own commits, newest first: `git log --oneline`. */
  readonly log: readonly string[];
  /** Null with a live model, whose code is not run outside a sandbox. */
  readonly passes: boolean | null;
}

/** Fetches the pull request's branch with plain git, and prints its diff. */
export async function showBranch(world: World, pull: PullView): Promise<FetchedBranch> {
  const clone = await mkdtemp(join(tmpdir(), 'airlock-demo-'));
  const git = async (...args: string[]) => {
    const { stdout } = await run('git', ['-C', clone, ...args], { timeout: 30_000 });
    return stdout.trimEnd().split('\n');
  };
  try {
    await git('clone', '--quiet', '--branch', pull.headRef, world.repository.gitDir, '.');
    say(bold(`Pull request #${pull.number}${pull.draft ? ' (draft)' : ''}: ${pull.title}`));
    say(dim(`  ${pull.url}   ${pull.headRef} → ${pull.baseRef}`));
    say();
    const base = `origin/${pull.baseRef}`;
    for (const line of await git('diff', '--stat', '--patch', `${base}...HEAD`)) say(`  ${colourDiff(line)}`);
    say();
    const log = await git('log', '--oneline', '--no-decorate', `${base}..HEAD`);
    return { log, passes: world.openai === null ? null : await testsPass(clone) };
  } finally {
    await rm(clone, { recursive: true, force: true });
  }
}

async function testsPass(directory: string): Promise<boolean> {
  return await run(process.execPath, ['--test'], { cwd: directory, timeout: 60_000 }).then(
    () => true,
    () => false,
  );
}

export function branchPasses({ passes }: FetchedBranch): readonly EndCheck[] {
  return passes === null
    ? []
    : [['plain git fetched the branch, and the repository’s tests pass on it', passes]];
}

/** Whether all passed; always true with a live model, which need not do what the script does. */
export function showChecks(world: World, checks: readonly EndCheck[]): boolean {
  for (const [promise, kept] of checks) say(`${kept ? green('✓') : red('✗')} ${promise}`);
  return world.openai === null || checks.every(([, kept]) => kept);
}

function colourDiff(line: string): string {
  if (line.startsWith('+')) return green(line);
  if (line.startsWith('-')) return red(line);
  return line.startsWith('@@') ? yellow(line) : dim(line);
}
