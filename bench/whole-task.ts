/**
 * Measures what Airlock adds to a task, compared with the bare script: both alternate in one run, with a
 * model that answers at once and with one that takes 30 s in total.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoScript } from '../cli/demo/demo-script.ts';
import { splitBillFiles, splitBillIssue } from '../cli/demo/split-bill.ts';
import { startWorld, type World } from '../cli/demo/world.ts';
import { followTask } from '../cli/terminal/follow-task.ts';
import { taskIdFor } from '../src/core/ids.ts';
import { runBareScript } from './bare-script.ts';
import { median, round, type Bench, type Metric } from './metric.ts';

const repository = { owner: 'acme', name: 'split-bill' } as const;
const instruction = 'fix the rounding in split()';
const slowModelMs = 30_000;

interface Timings {
  /** Milliseconds until the webhook was answered. */
  readonly answered: number;
  /** Milliseconds until 👀 and the progress comment were on the issue. */
  readonly acknowledged: number;
  readonly firstModelRequest: number;
  /** Seconds until the pull request existed and the task had ended. */
  readonly whole: number;
}

async function runTask(world: World): Promise<Timings> {
  const { number } = await world.github.openIssue({
    ...repository,
    author: 'maria',
    title: splitBillIssue.title,
    body: splitBillIssue.body,
  });
  const startedAt = Date.now();
  const { id, delivery } = await world.github.commentOnIssue({
    ...repository,
    issue: number,
    author: 'maria',
    body: `@airlock ${instruction}`,
  });
  const taskId = taskIdFor({ event: 'issue_comment', repositoryId: world.repository.id, commentId: id });
  let acknowledged = 0;
  let endedAt = 0;
  for await (const { at, body } of followTask({
    url: world.bot.url,
    apiToken: world.apiToken,
    taskId,
    patienceMs: 30_000,
  })) {
    if (body.kind === 'acknowledged') acknowledged = at - startedAt;
    if (body.kind !== 'ended') continue;
    if (body.outcome.kind !== 'pull-request')
      throw new Error(`the task ended without a pull request: ${JSON.stringify(body.outcome)}`);
    endedAt = at;
  }
  const first = world.openai?.requests().find((request) => request.at >= startedAt)?.at ?? Number.NaN;
  return {
    answered: delivery.attempts.at(-1)?.durationMs ?? Number.NaN,
    acknowledged,
    firstModelRequest: first - startedAt,
    whole: (endedAt - startedAt) / 1000,
  };
}

async function compare(latencyMs: number, rounds: number, progress: (line: string) => void) {
  const stateDir = await mkdtemp(join(tmpdir(), 'airlock-bench-'));
  const world = await startWorld({ stateDir, script: demoScript, latencyMs, files: splitBillFiles });
  try {
    // The script pushes with its own token, like a script in CI.
    const token = await world.mintToken({ contents: 'write' });
    const bare: number[] = [];
    const ours: Timings[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const cloneUrl = world.repository.cloneUrl.replace('://', `://x-access-token:${token}@`);
      const openaiKey = world.secrets().get('OPENAI_API_KEY') ?? '';
      bare.push(
        await runBareScript({
          cloneUrl,
          openaiUrl: world.openai?.url ?? '',
          openaiKey,
          model: 'gpt-6.1-sol',
          prompt: instruction,
          branch: `bare-${round}`,
        }),
      );
      const timings = await runTask(world);
      progress(
        `round ${round + 1}/${rounds}: bare ${bare.at(-1)?.toFixed(2)} s, airlock ${timings.whole.toFixed(2)} s`,
      );
      ours.push(timings);
    }
    return { bare, ours, modelCalls: world.openai?.requests().length ?? 0 };
  } finally {
    await world.close();
    await rm(stateDir, { recursive: true, force: true });
  }
}

function wholeTask(name: string, bare: readonly number[], ours: readonly Timings[], goal: string): Metric {
  const value = median(ours.map(({ whole }) => whole));
  const baseline = median(bare);
  return {
    name,
    value: round(value),
    unit: 's',
    baseline: round(baseline),
    ratio: round(value / baseline),
    goal,
  };
}

export const wholeTaskBench: Bench = {
  name: 'task',
  what: 'webhook to acknowledgement and first request; whole task and plain git clone, codex exec, git push',
  run: async (progress) => {
    progress('a model that answers at once');
    const fast = await compare(0, 7, progress);
    // The first round fills caches (pages of the 350 MB binary, the Worker's first request) and is not
    // counted.
    const warm = fast.ours.slice(1);
    const bare = fast.bare.slice(1);
    const calls = Math.round(fast.modelCalls / (fast.bare.length + fast.ours.length));
    // Both sides make the same number of calls, so one latency per call spreads the 30 s for both.
    progress('a model that takes 30 s in total');
    const slow = await compare(slowModelMs / calls, 2, progress);
    const added = median(warm.map(({ whole }, index) => whole - (bare[index] ?? Number.NaN)));
    return [
      {
        name: 'webhook to answer, p50',
        value: round(median(warm.map(({ answered }) => answered)), 1),
        unit: 'ms',
        goal: null,
      },
      {
        name: 'webhook to acknowledgement on the issue, p50',
        value: round(median(warm.map(({ acknowledged }) => acknowledged)), 1),
        unit: 'ms',
        goal: null,
      },
      {
        name: 'webhook to Codex’s first request, p50',
        value: round(median(warm.map(({ firstModelRequest }) => firstModelRequest)), 1),
        unit: 'ms',
        goal: null,
      },
      {
        name: 'added to the bare script, instant model, p50',
        value: round(added),
        unit: 's',
        goal: 'at most 1.5 s',
      },
      wholeTask('whole task, instant model, p50', bare, warm, 'none: the ratio is shown'),
      wholeTask('whole task, model that takes 30 s, p50', slow.bare, slow.ours, 'ratio at most 1.05'),
    ];
  },
};
