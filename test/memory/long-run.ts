/** Codex's run as its driver writes it, and the record that watches it on a virtual clock. */
import { createCodex } from '../../src/codex/codex.ts';
import type { TaskSandbox } from '../../src/core/ports/sandbox-port.ts';
import type { RecordDeps } from '../../src/tasks/record/record.ts';
import { acceptedAt, authorization, request } from '../fixtures/sample-task.ts';
import { readOnlySandbox } from '../fixtures/read-only-sandbox.ts';
import { MemoryTasks, type MemoryRecord } from './memory-tasks.ts';

export const codex = createCodex({ openaiBaseUrl: 'https://api.openai.com/v1' });
const startedAt = Date.parse(acceptedAt);
const taskId = request.taskId;

/** `count` lines, `everyMs` apart, of which about half are lines of the task's log. */
export function linesOf(count: number, everyMs: number): readonly string[] {
  const line = (index: number, content: object): string =>
    JSON.stringify({ at: Math.round(startedAt + index * everyMs), ...content });
  return Array.from({ length: count }, (_, index) => {
    if (index === count - 1) return line(index, { driver: { kind: 'exit', status: 'completed' } });
    const step = Math.floor(index / eventsOfStep.length);
    const event = eventsOfStep[index % eventsOfStep.length]?.(step);
    return line(index, { event });
  });
}

const eventsOfStep: readonly ((step: number) => { readonly method: string; readonly params: object })[] = [
  (step) => item('started', { ...commandOf(step), status: 'inProgress' }),
  ...[1, 2, 3].map((part) => (step: number) => ({
    method: 'item/commandExecution/outputDelta',
    params: { itemId: `c${step}`, delta: `ok ${part} - case ${step} passes\n`.repeat(3) },
  })),
  (step) =>
    item('completed', {
      ...commandOf(step),
      status: 'completed',
      exitCode: 0,
      durationMs: 900,
      aggregatedOutput: `ok - case ${step} passes\n`.repeat(10),
    }),
  () => ({ method: 'thread/tokenUsage/updated', params: {} }),
  (step) =>
    item('completed', {
      type: 'fileChange',
      id: `f${step}`,
      status: 'completed',
      changes: [{ path: `/workspace/repository/src/file-${step}.ts`, kind: { type: 'update' } }],
    }),
  (step) => ({
    method: 'turn/plan/updated',
    params: { plan: [{ step: `Look at case ${step}`, status: 'inProgress' }] },
  }),
  (step) =>
    item('completed', { type: 'agentMessage', id: `m${step}`, text: `Case ${step}.`, phase: 'commentary' }),
  (step) => ({ method: `unknown/${step}`, params: {} }),
];

const item = (kind: 'started' | 'completed', content: object) => ({
  method: `item/${kind}`,
  params: { item: content },
});
const commandOf = (step: number) => ({
  type: 'commandExecution',
  id: `c${step}`,
  command: `bash -lc 'npm test -- case-${step}'`,
});

export interface LongRun {
  readonly tasks: MemoryTasks;
  readonly record: () => MemoryRecord;
  readonly restart: () => void;
  /** What the record logged, in order. */
  readonly logged: readonly string[];
  /** Lets time pass until the record has seen the end. */
  watchToEnd(): Promise<void>;
}

/** A task in Codex's phase. `read` is called before each read of the run and lets time pass. */
export async function startLongRun(
  lines: readonly string[],
  read: (run: LongRun) => void,
  writtenBy: (now: number) => number = () => lines.length,
  report: RecordDeps['report'] = async () => await Promise.resolve(),
): Promise<LongRun> {
  const output = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(''));
  const ends = lineEnds(output);
  const logged: string[] = [];
  let endSeen = 0;
  const readRun: TaskSandbox['readRun'] = async (_, { offset, maxBytes }) => {
    read(run);
    const written = writtenBy(tasks.now);
    const size = ends[written] ?? output.byteLength;
    return await Promise.resolve({
      bytes: output.subarray(offset, Math.min(size, offset + maxBytes)),
      size,
      exitCode: written >= lines.length ? 0 : null,
    });
  };
  const sandbox = { ...readOnlySandbox(readRun), destroy: async () => await Promise.resolve() };
  const tasks = new MemoryTasks(startedAt, () => ({
    sandboxes: { idFor: (id) => id, get: () => sandbox },
    slots: { release: async () => await Promise.resolve() },
    codex,
    notifier: { show: async () => await Promise.resolve({ surface: 'github', commentId: 1 } as const) },
    costOf: () => null,
    addToReceipt: (receipt) => receipt,
    wakeWorkflow: async () => {
      if (tasks.record(taskId).snapshot()?.agentEnd != null) endSeen += 1;
      await Promise.resolve();
    },
    workflowState: async () => await Promise.resolve('live' as const),
    startWorkflow: async () => await Promise.resolve(),
    forgetTokens: async () => await Promise.resolve(),
    report,
    retentionMs: 24 * 60 * 60_000,
    now: () => tasks.now,
    log: (event) => void logged.push(event),
  }));
  const record = tasks.record(taskId);
  await record.open(request);
  const { policy } = authorization;
  const limits = { ...policy.limits, minutes: 90 };
  await record.learn({ authorization: { ...authorization, policy: { ...policy, limits } } });
  await record.enter('codex');
  await record.watchRun('codex');
  const run: LongRun = {
    tasks,
    record: () => tasks.record(taskId),
    restart: () => tasks.restart(taskId),
    logged,
    async watchToEnd() {
      const step = tasks.workflow('the-workflow');
      for (let minute = 0; minute < 90; minute += 1) {
        if (endSeen > 0) return;
        await step.sleep('a minute', 60_000);
      }
      throw new Error('the record has not seen the end');
    },
  };
  return run;
}

function lineEnds(output: Uint8Array): readonly number[] {
  const ends = [0];
  for (let at = output.indexOf(10); at !== -1; at = output.indexOf(10, at + 1)) ends.push(at + 1);
  return ends;
}
