/** The doctor's probe of a sandbox, with a record of its own that destroys it after a crash. */
import { shortIdOf } from '../../core/ids.ts';
import type { Authorization } from '../../core/authorization.ts';
import { closedPolicy } from '../../core/policy.ts';
import type { TaskRecordPort, TaskSnapshot } from '../../core/ports/task-record.ts';
import type { SandboxProbe } from '../../core/sandbox-probe.ts';
import { SandboxBusyError, type TaskSandbox } from '../../core/ports/sandbox-port.ts';
import type { TaskRequest } from '../../core/task.ts';
import { taskLimits } from '../limits.ts';
import type { CanaryVerdict, PendingProbes } from './canary-verdict.ts';
import { runCanary } from './run-canary.ts';

type ProbeRecord = Pick<TaskRecordPort, 'learn' | 'finish' | 'close'> & {
  open(request: TaskRequest): Promise<unknown>;
};

export interface ProbeDeps {
  readonly record: ProbeRecord & {
    snapshot(): Promise<Pick<TaskSnapshot, 'canaryNonce'> | null>;
  };
  readonly sandbox: TaskSandbox;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const node = '/opt/node/bin/node';
const codex = '/opt/codex/bin/codex';
/** Milliseconds. */
const versionMs = 15_000;

const canaryRounds = 2;
/** Milliseconds. Longer than a doctor needs; then the record ends a probe that nobody ended. */
const probeMs = 15 * 60_000;

/** `uuid` must be new. */
export function probeTaskId(uuid: string): string {
  return `doctor-${uuid}`;
}

/** Idempotent. Call it before the sandbox is started. */
export async function openProbe(taskId: string, record: ProbeRecord, now: number): Promise<void> {
  // A record creates the Workflow of a task that was accepted a while ago and has none. The Workflow does not
  // find the repository, and ends the task: so a probe that nobody ended ends by itself after that time.
  await record.open(await requestFor(taskId, now + probeMs));
  await record.learn({ authorization: nothingGranted });
}

/** Idempotent. Destroys the sandbox. */
export async function endProbe(record: ProbeRecord): Promise<void> {
  await record.finish({ kind: 'cancelled', by: 'the doctor' });
  await record.close().catch(() => undefined); // the record's alarm tries again
}

/** null if there is no room for a sandbox now. Rejects if it does not start. */
export async function probeSandbox(taskId: string, deps: ProbeDeps): Promise<SandboxProbe | null> {
  const { record, sandbox, now } = deps;
  await openProbe(taskId, record, now());
  try {
    const startedAt = now();
    await sandbox.start(taskLimits.sandbox);
    const bootMs = now() - startedAt;
    const verdict = await checkSeal(sandbox, (await record.snapshot())?.canaryNonce ?? '');
    const isSealed = verdict.kind === 'sealed';
    const platform = isSealed ? verdict.platform : [];
    const unanswered = verdict.kind === 'unknown' ? [...verdict.unanswered] : [];
    const versionOf = async (program: string): Promise<string | null> => {
      const limits = { timeoutMs: versionMs, maxOutputBytes: 4096 };
      const { exitCode, timedOut, stdout } = await sandbox.exec({ argv: [program, '--version'] }, limits);
      if (timedOut)
        unanswered.push({ name: `${program} --version`, got: `nothing in ${versionMs / 1000} s` });
      return exitCode === 0 ? (/\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? null) : null;
    };
    const codexVersion = isSealed ? await versionOf(codex) : null;
    const nodeVersion = isSealed ? await versionOf(node) : null;
    const unsealed = verdict.kind === 'breached' ? verdict.wrong : [];
    return { bootMs, unsealed, unanswered, platform, codexVersion, nodeVersion };
  } catch (error) {
    if (error instanceof SandboxBusyError) return null;
    throw error;
  } finally {
    await endProbe(record);
  }
}

/** Fewer rounds than a task, because a person waits for the doctor, who has a deadline. */
async function checkSeal(
  sandbox: TaskSandbox,
  nonce: string,
): Promise<Exclude<CanaryVerdict, { kind: 'retry' }>> {
  let pending: PendingProbes = 'all';
  for (let roundsLeft = canaryRounds - 1; ; roundsLeft -= 1) {
    const verdict = await runCanary(sandbox, { nonce, pending, roundsLeft });
    if (verdict.kind !== 'retry') return verdict;
    pending = verdict.pending;
  }
}

async function requestFor(taskId: string, acceptedAt: number): Promise<TaskRequest> {
  return {
    taskId,
    shortId: await shortIdOf(taskId),
    acceptedAt: new Date(acceptedAt).toISOString(),
    repository: { owner: 'airlock', name: 'doctor' },
    trigger: { kind: 'api' },
    requester: null,
    ask: { kind: 'run' },
    instruction: 'Look at a sandbox.',
    options: {},
  };
}

/** No phase of this grant is ever entered, so the sandbox cannot fetch its made-up repository. */
const nothingGranted: Authorization = {
  facts: {
    owner: 'airlock',
    name: 'doctor',
    repositoryId: 1,
    installationId: 1,
    defaultBranch: 'main',
    private: true,
  },
  policy: closedPolicy,
  baseBranch: 'main',
  baseSha: '0'.repeat(40),
  model: 'none',
  effort: 'medium',
  alsoRead: [],
  continues: null,
  pull: null,
  guidanceSha: null,
  readOnly: null,
  requester: null,
};
