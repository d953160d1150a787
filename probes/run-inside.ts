/**
 * Runs a plan in a sandbox through its contract: writes files, starts a run, reads its lines as they arrive.
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { TaskSandbox } from '../src/core/ports/sandbox-port.ts';
import { insideFolder, insideWork, type Plan, type RunnerLine } from './inside/plan.mts';
import type { Planned } from './planning.ts';

/** Deadline of the whole plan, ms: a generous multiple of the longest lane. */
const wholeMs = 900_000;
const lineSchema = z.object({ id: z.string(), ran: z.boolean(), got: z.string(), seen: z.string() });

const runnerFiles = ['runner.mts', 'wire.mts', 'body.mts', 'plan.mts'] as const;

export async function runInside(
  sandbox: TaskSandbox,
  planned: readonly Planned[],
  signal: AbortSignal,
  onLine: (line: RunnerLine) => void,
): Promise<void> {
  if (planned.length === 0) return;
  for (const name of runnerFiles)
    await sandbox.writeFile(
      `${insideFolder}/${name}`,
      await readFile(new URL(`./inside/${name}`, import.meta.url), 'utf8'),
    );
  const plan: Plan = {
    folder: insideWork,
    probes: planned.map(({ inside }) => inside),
    redirect: null,
  };
  await sandbox.writeFile(`${insideFolder}/plan.json`, JSON.stringify(plan));
  await sandbox.startRun('probes', {
    argv: [
      'node',
      '--disable-warning=ExperimentalWarning',
      `${insideFolder}/runner.mts`,
      `${insideFolder}/plan.json`,
    ],
  });
  const deadline = Date.now() + wholeMs;
  const decoder = new TextDecoder();
  let offset = 0;
  let rest = '';
  for (;;) {
    signal.throwIfAborted();
    if (Date.now() > deadline) return;
    const chunk = await sandbox.readRun('probes', { offset, maxBytes: 1024 * 1024, waitMs: 1_000 });
    offset += chunk.bytes.length;
    const lines = (rest + decoder.decode(chunk.bytes, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    // The sandbox is untrusted. A line that does not parse counts as a probe that never ran.
    for (const line of lines) onLine(lineSchema.parse(JSON.parse(line)));
    if (chunk.exitCode !== null && offset >= chunk.size) return;
  }
}
