/**
 * The check of a first deployment: the sandbox contract in its containers, one task from request to pull
 * request, and one deployment while Codex works. Effects; `judge-deep.ts` decides what they mean.
 */
import type { Finding } from '../../src/core/finding.ts';
import { runChecks, type Verdict } from '../../src/doctor/check.ts';
import type { TaskOutcome } from '../../src/core/task.ts';
import { startTask, type BotApi } from '../task/bot-api.ts';
import { followTask, type FollowOptions } from '../terminal/follow-task.ts';
import {
  judgeContract,
  judgeDeployment,
  judgeTask,
  type ContractResult,
  type MidTask,
} from './judge-deep.ts';

export interface DeepOptions {
  readonly bot: BotApi;
  /** A repository of the configuration, which gets a pull request: owner/name or an alias. */
  readonly repository: string;
  readonly contract: () => Promise<ContractResult>;
  /** Deploys again and returns the doctor's findings there; null: no deployment. */
  readonly redeploy: (() => Promise<readonly Finding[]>) | null;
  readonly stop: AbortSignal;
  readonly progress: (line: string) => void;
}

/** How long the deployment may be unreachable, in milliseconds. */
const patienceMs = 120_000;
/** The command keeps Codex busy while the new version is uploaded. */
const instruction =
  'Run exactly this command and wait for it: sleep 120; date -u. Then create the file airlock-check.md with ' +
  'one line: the date that it printed. Do nothing else.';

/** Never rejects because of what it checks. */
export async function examineDeeply(options: DeepOptions): Promise<readonly Finding[]> {
  const { bot, progress } = options;
  const findings: Finding[] = [];
  const judged = async (id: string, judge: () => Promise<Verdict>): Promise<void> => {
    const startedAt = Date.now();
    const [finding] = await runChecks([{ id, run: judge, deadlineMs: deadlinesMs[id] ?? 0 }], {
      deadlineMs: 0,
      secrets: [bot.apiToken],
    });
    if (finding !== undefined) findings.push({ ...finding, ms: Date.now() - startedAt });
  };
  progress('Checking the sandbox contract in containers of the deployment …');
  await judged('deep.contract', async () => judgeContract(await options.contract()));
  progress(`Running a task in ${options.repository} …`);
  let deployment: MidTask = { kind: options.redeploy === null ? 'not-wanted' : 'no-command' };
  await judged('deep.task', async () => {
    const startedAt = Date.now();
    const taskId = await startTask(bot, { repository: options.repository, instruction });
    const outcome = await followToEnd({ ...bot, taskId, signal: options.stop, patienceMs }, async () => {
      if (options.redeploy === null || deployment.kind !== 'no-command') return;
      progress('Deploying again while Codex works …');
      deployment = await redeployed(options.redeploy);
    });
    if (deployment.kind === 'deployed') deployment = { ...deployment, outcome };
    return judgeTask(outcome, Date.now() - startedAt);
  });
  await judged('deep.deployment', () => Promise.resolve(judgeDeployment(deployment)));
  return findings;
}

/** Milliseconds. The contract has a sandbox for each of its rules about life; a task has its own limits. */
const deadlinesMs: Readonly<Record<string, number>> = {
  'deep.contract': 12 * 60_000,
  'deep.task': 60 * 60_000,
  'deep.deployment': 1000,
};

async function followToEnd(task: FollowOptions, onCommand: () => Promise<void>): Promise<TaskOutcome | null> {
  for await (const { body } of followTask(task)) {
    if (body.kind === 'command.started') await onCommand();
    if (body.kind === 'ended') return body.outcome;
  }
  return null;
}

async function redeployed(redeploy: () => Promise<readonly Finding[]>): Promise<MidTask> {
  try {
    const broken = (await redeploy()).filter(({ status }) => status === 'fail').map(({ id }) => id);
    return { kind: 'deployed', broken, outcome: null };
  } catch (error) {
    return { kind: 'failed', why: error instanceof Error ? error.message : String(error) };
  }
}
