/**
 * Runs inside the sandbox, detached: `node codex-driver.ts <jobfile>`. Starts `codex app-server`, runs one
 * turn, and writes one JSON object per line to standard output: `{"at": ms, "event": {"method", "params"}}`
 * for Codex's notifications (`event-file.ts` filters and shortens them), and `{"at": ms, "driver": {"kind":
 * …, …}}` for its own events: `ready`, `thread`, `turn`, `remark`, `rollout`, `malformed`, `oversized`,
 * `error`, `exit`. Reads commands from `control.jsonl` in the folder of the job file. SIGTERM interrupts the
 * turn and ends the driver.
 *
 * Exit code: 0 the turn completed, 1 it failed, 2 it was interrupted, 3 no turn ended (an `error` line has
 * the reason). Holds no credential: Codex gets a placeholder key, which the egress handler replaces.
 */
import { dirname, join } from 'node:path';
import { CodexRefusal, startCodex, type CodexConnection } from './codex-connection.ts';
import { readJob, type CodexDriverJob } from './codex-job.ts';
import { followControlFile } from './control-file.ts';
import { createEventFile, unwantedMethods, type Notification } from './event-file.ts';
import { findRollout } from './rollout.ts';
import { runMain } from './run-main.ts';
import { createSteering, textInput } from './steering.ts';
import { at, createTurnEnd, type TurnStatus } from './turn-end.ts';

const placeholderKey = 'placeholder-replaced-by-the-gateway';
const handshakeDeadlineMs = 30_000;
const requestDeadlineMs = 30_000;
const cleanDeadlineMs = 3_000;
const stopGraceMs = 2_000;

const exitCodes: Readonly<Record<TurnStatus | 'error', number>> = {
  completed: 0,
  failed: 1,
  interrupted: 2,
  error: 3,
};

function stringAt(value: unknown, ...path: readonly string[]): string {
  const found = at(value, ...path);
  if (typeof found !== 'string') throw new Error(`Codex's answer has no ${path.join('.')}`);
  return found;
}

const events = createEventFile((line) => process.stdout.write(`${line}\n`));

interface Thread {
  readonly threadId: string;
  readonly resumed: boolean;
}

/** Why a new thread was started instead of the one to resume. */
type NotResumed = 'other-version' | 'unreadable' | 'refused';

/** Codex's own sandbox is off: ours surrounds it, and Codex's would need privileges that it lacks here. */
const threadSettings = ({ cwd, model }: CodexDriverJob) => ({
  cwd,
  model,
  approvalPolicy: 'never',
  sandbox: 'danger-full-access',
});

function openedThread(thread: unknown, resumed: boolean, why: NotResumed | null): Thread {
  const threadId = stringAt(thread, 'thread', 'id');
  events.driver({ kind: 'thread', threadId, resumed, why, model: at(thread, 'model') ?? null });
  // Already here, because the run can be ended at its time limit before it reports anything more.
  const path = at(thread, 'thread', 'path');
  if (typeof path === 'string') events.driver({ kind: 'rollout', path });
  return { threadId, resumed };
}

async function startThread(
  codex: CodexConnection,
  job: CodexDriverJob,
  why: NotResumed | null,
): Promise<Thread> {
  const thread = await codex.request('thread/start', threadSettings(job), handshakeDeadlineMs);
  return openedThread(thread, false, why);
}

async function openThread(codex: CodexConnection, job: CodexDriverJob): Promise<Thread> {
  const initialized = await codex.request(
    'initialize',
    {
      clientInfo: { name: 'airlock', title: 'Airlock', version: '1' },
      capabilities: {
        experimentalApi: true,
        requestAttestation: false,
        optOutNotificationMethods: unwantedMethods,
      },
    },
    handshakeDeadlineMs,
  );
  codex.notify('initialized');
  const userAgent = at(initialized, 'userAgent');
  events.driver({ kind: 'ready', userAgent: userAgent ?? null });
  const { resume } = job;
  if (resume === null) return await startThread(codex, job, null);
  // `airlock/0.171.0 (…)`
  if (!String(userAgent).includes(`/${resume.codexVersion} `))
    return await startThread(codex, job, 'other-version');
  const wanted = { ...threadSettings(job), threadId: resume.threadId, excludeTurns: true };
  try {
    return openedThread(await codex.request('thread/resume', wanted, handshakeDeadlineMs), true, null);
  } catch (error) {
    if (!(error instanceof CodexRefusal)) throw error;
    events.driver({ kind: 'error', fatal: false, message: `resume: ${error.message}` });
    return await startThread(codex, job, 'unreadable');
  }
}

/** Errors of the model service that can be about what the thread holds. A 400 is `other` (0.171.0). */
const refusals: readonly unknown[] = ['badRequest', 'contextWindowExceeded', 'other'];

/**
 * Notices that the model service refused a resumed thread at its first request: it is too long, or was sealed
 * for another organization. A new thread can still do the work.
 */
function watchForRefusal() {
  const { promise, resolve } = Promise.withResolvers<'refused'>();
  let modelSpoke = false;
  return {
    refused: promise,
    /** Whether the notification is that refusal. */
    isRefusal({ method, params }: Notification): boolean {
      const type = at(params, 'item', 'type');
      if (method === 'item/started' && type !== 'userMessage') modelSpoke = true;
      const isRefused =
        method === 'turn/completed' &&
        !modelSpoke &&
        at(params, 'turn', 'status') === 'failed' &&
        refusals.includes(at(params, 'turn', 'error', 'codexErrorInfo'));
      if (isRefused) resolve('refused');
      return isRefused;
    },
  };
}

async function runTurn(job: CodexDriverJob, controlPath: string): Promise<TurnStatus | 'error'> {
  const turnEnd = createTurnEnd(() =>
    events.driver({ kind: 'error', fatal: false, message: 'Codex did not report the end of the turn' }),
  );
  let threadId: string | null = null;
  let resumed: ReturnType<typeof watchForRefusal> | null = null;
  const onNotification = (notification: Notification): void => {
    if (resumed?.isRefusal(notification) === true) return;
    events.notification(notification);
    const own = at(notification.params, 'threadId');
    if (threadId !== null && own !== threadId) return;
    turnEnd.notification(notification);
    steering.notification(notification);
  };
  const codex = startCodex({
    binary: job.codexBinary,
    cwd: job.cwd,
    env: { ...process.env, CODEX_HOME: job.codexHome, OPENAI_API_KEY: placeholderKey },
    onNotification,
    onMalformed: (line) => events.driver({ kind: 'malformed', line: line.slice(0, 200) }),
  });
  const steering = createSteering(codex, turnEnd.end, {
    remark: (id, state) => events.driver({ kind: 'remark', id, state }),
    failed: (message) => events.driver({ kind: 'error', fatal: false, message }),
  });
  const closeControl = followControlFile(controlPath, steering.act);
  process.once('SIGTERM', () => steering.act({ kind: 'interrupt' }));

  const startTurn = async (thread: Thread): Promise<void> => {
    ({ threadId } = thread);
    const prompt = thread.resumed ? (job.resume?.prompt ?? job.prompt) : job.prompt;
    const turn = await codex.request(
      'turn/start',
      {
        threadId,
        input: [...textInput(prompt), ...job.images.map((path) => ({ type: 'localImage', path }))],
        model: job.model,
        effort: job.effort,
        ...(job.outputSchema === null ? {} : { outputSchema: job.outputSchema }),
      },
      requestDeadlineMs,
    );
    const turnId = stringAt(turn, 'turn', 'id');
    events.driver({ kind: 'turn', turnId });
    steering.turnStarted(threadId, turnId);
  };
  const work = async (): Promise<TurnStatus> => {
    const thread = await openThread(codex, job);
    if (thread.resumed) resumed = watchForRefusal();
    await startTurn(thread);
    const ended = await Promise.race([turnEnd.ended, ...(resumed === null ? [] : [resumed.refused])]);
    if (ended !== 'refused') return ended;
    resumed = null;
    await startTurn(await startThread(codex, job, 'refused'));
    return await turnEnd.ended;
  };
  const codexEnd = async (): Promise<never> => {
    const { reason, stderrTail } = await codex.ended;
    throw Object.assign(new Error(reason), { stderrTail });
  };

  let status: TurnStatus | 'error';
  try {
    // `turnEnd` is raced directly as well, so that an interrupt ends a handshake that hangs.
    status = await Promise.race([work(), turnEnd.ended, codexEnd()]);
  } catch (error) {
    status = 'error';
    const message = error instanceof CodexRefusal ? `Codex refused: ${error.message}` : String(error);
    events.driver({ kind: 'error', fatal: true, message, stderrTail: at(error, 'stderrTail') ?? null });
  }
  turnEnd.close();
  steering.close();
  closeControl();
  await shutDown(codex, job, threadId);
  return status;
}

/** Ends Codex's background commands, then Codex, then reports the path of the rollout file. Never throws. */
async function shutDown(codex: CodexConnection, job: CodexDriverJob, threadId: string | null): Promise<void> {
  if (threadId !== null) {
    await codex
      .request('thread/backgroundTerminals/clean', { threadId }, cleanDeadlineMs)
      // Codex has ended or has no background commands. The end of the sandbox kills any that remain.
      .catch(() => undefined);
  }
  await codex.stop(stopGraceMs);
  const rollout = threadId === null ? null : findRollout(job.codexHome, threadId);
  if (rollout !== null) events.driver({ kind: 'rollout', ...rollout });
}

async function main(): Promise<number> {
  const jobPath = process.argv[2];
  let status: TurnStatus | 'error' = 'error';
  try {
    if (jobPath === undefined) throw new Error('usage: codex-driver.ts <jobfile>');
    status = await runTurn(readJob(jobPath), join(dirname(jobPath), 'control.jsonl'));
  } catch (error) {
    events.driver({ kind: 'error', fatal: true, message: String(error), stderrTail: null });
  }
  events.end();
  events.driver({ kind: 'exit', status, exitCode: exitCodes[status] });
  return exitCodes[status];
}

// Nothing is lost by exiting here: on Linux, Node writes to files and pipes synchronously.
runMain(main);
