/**
 * Runs inside the sandbox, detached: `node codex-driver.ts <jobfile>`. Starts `codex app-server`, has it do one turn,
 * and writes what happens to standard output, one JSON object a line:
 * `{"at": ms, "event": {"method", "params"}}` for Codex's notifications (see `event-file.ts` for which and how much), and
 * `{"at": ms, "driver": {"kind": "ready" | "thread" | "turn" | "rollout" | "malformed" | "oversized" | "error" | "exit", …}}` for its own.
 * Takes commands from `control.jsonl` beside the job file. SIGTERM interrupts the turn and ends.
 *
 * Exit code: 0 the turn completed, 1 it failed, 2 it was interrupted, 3 no turn came to an end (an `error` line says why).
 * Holds no credential: the key that Codex is given is a placeholder, which the gateway outside replaces.
 */
import { dirname, join } from 'node:path';
import { CodexRefusal, startCodex, type CodexConnection } from './codex-connection.ts';
import { isRecord, readJob, type CodexDriverJob } from './codex-job.ts';
import { followControlFile, type ControlCommand } from './control-file.ts';
import { createEventFile, unwantedMethods, type Notification } from './event-file.ts';
import { findRollout } from './rollout.ts';

const placeholderKey = 'placeholder-replaced-by-the-gateway';
const handshakeDeadlineMs = 30_000;
const requestDeadlineMs = 30_000;
/** An interrupt takes some 20 ms; a Codex that does not even answer that is ended without its leave. */
const interruptGraceMs = 5_000;
const cleanDeadlineMs = 3_000;
const stopGraceMs = 2_000;

type TurnStatus = 'completed' | 'failed' | 'interrupted';
const exitCodes: Readonly<Record<TurnStatus | 'error', number>> = {
  completed: 0,
  failed: 1,
  interrupted: 2,
  error: 3,
};

const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce((found: unknown, key) => (isRecord(found) ? found[key] : undefined), value);

function stringAt(value: unknown, ...path: readonly string[]): string {
  const found = at(value, ...path);
  if (typeof found !== 'string') throw new Error(`Codex's answer has no ${path.join('.')}`);
  return found;
}

const turnStatus = (params: unknown): TurnStatus => {
  const status = at(params, 'turn', 'status');
  return status === 'completed' || status === 'interrupted' ? status : 'failed';
};

const textInput = (text: string) => [{ type: 'text', text, text_elements: [] }];

/** What ends the wait for the turn; settled once, by whichever comes first. */
function createTurnEnd() {
  const { promise, resolve } = Promise.withResolvers<TurnStatus>();
  return { ended: promise, end: resolve };
}

const events = createEventFile((line) => process.stdout.write(`${line}\n`));

/** Where commands go; before the turn has an id they wait. */
function createSteering(codex: CodexConnection, end: (status: TurnStatus) => void) {
  let turn: { threadId: string; turnId: string } | null = null;
  let waiting: ControlCommand[] = [];
  let graceTimer: NodeJS.Timeout | null = null;
  const failed = (what: string) => (error: unknown) =>
    events.driver({ kind: 'error', fatal: false, message: `${what}: ${String(error)}` });

  function act(command: ControlCommand): void {
    if (command.kind === 'interrupt') graceTimer ??= setTimeout(() => end('interrupted'), interruptGraceMs);
    if (turn === null) {
      waiting.push(command);
      return;
    }
    if (command.kind === 'interrupt') {
      codex.request('turn/interrupt', turn, requestDeadlineMs).catch(failed('interrupt'));
      return;
    }
    const params = { threadId: turn.threadId, expectedTurnId: turn.turnId, input: textInput(command.text) };
    codex.request('turn/steer', params, requestDeadlineMs).catch(failed('steer'));
  }

  return {
    act,
    turnStarted(threadId: string, turnId: string): void {
      turn = { threadId, turnId };
      for (const command of waiting) act(command);
      waiting = [];
    },
    close(): void {
      if (graceTimer !== null) clearTimeout(graceTimer);
    },
  };
}

async function openThread(codex: CodexConnection, job: CodexDriverJob): Promise<string> {
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
  events.driver({ kind: 'ready', userAgent: at(initialized, 'userAgent') ?? null });
  // The sandbox around Codex is the sandbox: its own would need privileges that are not to be had in here.
  const settings = { cwd: job.cwd, approvalPolicy: 'never', sandbox: 'danger-full-access' };
  const thread =
    job.resume === null
      ? await codex.request('thread/start', { ...settings, model: job.model }, handshakeDeadlineMs)
      : await codex.request(
          'thread/resume',
          { ...settings, model: job.model, threadId: job.resume.threadId, excludeTurns: true },
          handshakeDeadlineMs,
        );
  const threadId = stringAt(thread, 'thread', 'id');
  events.driver({
    kind: 'thread',
    threadId,
    resumed: job.resume !== null,
    model: at(thread, 'model') ?? null,
  });
  return threadId;
}

async function runTurn(job: CodexDriverJob, controlPath: string): Promise<TurnStatus | 'error'> {
  const turnEnd = createTurnEnd();
  let threadId: string | null = null;
  const onNotification = (notification: Notification): void => {
    events.notification(notification);
    const own = at(notification.params, 'threadId');
    if (notification.method === 'turn/completed' && (threadId === null || own === threadId)) {
      turnEnd.end(turnStatus(notification.params));
    }
  };
  const codex = startCodex({
    binary: job.codexBinary,
    cwd: job.cwd,
    env: { ...process.env, CODEX_HOME: job.codexHome, OPENAI_API_KEY: placeholderKey },
    onNotification,
    onMalformed: (line) => events.driver({ kind: 'malformed', line: line.slice(0, 200) }),
  });
  const steering = createSteering(codex, turnEnd.end);
  const closeControl = followControlFile(controlPath, steering.act);
  process.once('SIGTERM', () => steering.act({ kind: 'interrupt' }));

  const work = async (): Promise<TurnStatus> => {
    threadId = await openThread(codex, job);
    const turn = await codex.request(
      'turn/start',
      {
        threadId,
        input: textInput(job.prompt),
        model: job.model,
        effort: job.effort,
        ...(job.outputSchema === null ? {} : { outputSchema: job.outputSchema }),
      },
      requestDeadlineMs,
    );
    const turnId = stringAt(turn, 'turn', 'id');
    events.driver({ kind: 'turn', turnId });
    steering.turnStarted(threadId, turnId);
    return turnEnd.ended;
  };
  const death = async (): Promise<never> => {
    const { how, stderrTail } = await codex.ended;
    throw Object.assign(new Error(how), { stderrTail });
  };

  let status: TurnStatus | 'error';
  try {
    // `turnEnd` stands here too: an interrupt must end a handshake that hangs.
    status = await Promise.race([work(), turnEnd.ended, death()]);
  } catch (error) {
    status = 'error';
    const message = error instanceof CodexRefusal ? `Codex refused: ${error.message}` : String(error);
    events.driver({ kind: 'error', fatal: true, message, stderrTail: at(error, 'stderrTail') ?? null });
  }
  steering.close();
  closeControl();
  await shutDown(codex, job, threadId);
  return status;
}

/** Ends what Codex left running, then Codex, then says where the thread is kept. Never throws. */
async function shutDown(codex: CodexConnection, job: CodexDriverJob, threadId: string | null): Promise<void> {
  if (threadId !== null) {
    await codex
      .request('thread/backgroundTerminals/clean', { threadId }, cleanDeadlineMs)
      // Codex is gone or has none: the end of the sandbox takes what is left.
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

// Standard output is a file or a pipe, to which Node writes synchronously on Linux: nothing is lost by ending here.
process.exit(await main());
