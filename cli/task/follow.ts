/** Follows a task. Ctrl-C never cancels by itself: at a terminal it asks, elsewhere it stops following. */
import { createInterface } from 'node:readline/promises';
import type { TaskOutcome } from '../../src/core/task.ts';
import { withArguments } from '../command/read-arguments.ts';
import { followTask } from '../terminal/follow-task.ts';
import { receiptLines } from '../terminal/receipt-lines.ts';
import { taskPrinter } from '../terminal/task-printer.ts';
import { cancelTask, readTask, type BotApi } from './bot-api.ts';

const patienceMs = 60_000;
const interrupted = 130;

interface Following {
  readonly json: boolean;
  readonly say: (line: string) => void;
  /** Aborted when nobody reads the output any more. */
  readonly closed: AbortSignal;
}

/** Resolves with the exit status. */
export async function follow(bot: BotApi, taskId: string, { json, say, closed }: Following): Promise<number> {
  const left = new AbortController();
  const warn = (line: string): void => void process.stderr.write(`${line}\n`);
  /** Set while a question is open: no event is printed into it. */
  const open: { question: Promise<void> | null } = { question: null };
  const onInterrupt = (): void => {
    // A second Ctrl-C while the question is open stops following.
    if (open.question !== null || !process.stdin.isTTY || !process.stderr.isTTY) return left.abort();
    open.question = askToCancel(left.signal).then(async (answer) => {
      if (answer === 'leave') return left.abort();
      if (answer === 'cancel') {
        warn('Cancelling …');
        await cancelTask(bot, taskId).catch((error: unknown) => warn(String(error)));
      }
      open.question = null;
    });
  };
  process.on('SIGINT', onInterrupt);
  try {
    let print: ReturnType<typeof taskPrinter> | null = null;
    const signal = AbortSignal.any([closed, left.signal]);
    for await (const event of followTask({ ...bot, taskId, signal, patienceMs })) {
      if (open.question !== null) await open.question;
      if (signal.aborted) break;
      print ??= taskPrinter(event.at);
      if (json) say(JSON.stringify(event));
      else for (const line of print(event)) say(line);
      if (event.body.kind !== 'ended') continue;
      // The outcome is printed already: a bot that does not answer now is no failure.
      const shown = json ? null : await readTask(bot, taskId).catch(() => null);
      if (shown !== null) for (const line of receiptLines(shown.task)) say(line);
      return statusOf(event.body.outcome);
    }
  } catch (error) {
    if (!closed.aborted && !left.signal.aborted) throw error;
  } finally {
    process.off('SIGINT', onInterrupt);
  }
  if (closed.aborted) return 0;
  if (!left.signal.aborted) throw new Error('The task’s log ended without an outcome. Check the bot’s log.');
  warn(`\nThe task continues. To cancel it: ${withArguments('npm run task', ['cancel', taskId])}`);
  warn(`To follow it again: ${withArguments('npm run task', ['follow', taskId])}`);
  return interrupted;
}

const succeeded: readonly TaskOutcome['kind'][] = [
  'pull-request',
  'no-change',
  'answered',
  'replied',
  'steered',
];

function statusOf({ kind }: TaskOutcome): number {
  if (kind === 'cancelled') return interrupted;
  return succeeded.includes(kind) ? 0 : 1;
}

async function askToCancel(signal: AbortSignal): Promise<'cancel' | 'continue' | 'leave'> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // readline takes Ctrl-C for itself while it waits.
  const leaving = new AbortController();
  lines.on('SIGINT', () => leaving.abort());
  try {
    const question = '\nCancel the task? y: cancel it, n: keep following, q: leave it running [n] ';
    const answer = await lines.question(question, { signal: AbortSignal.any([signal, leaving.signal]) });
    const letter = answer.trim().toLowerCase().slice(0, 1);
    return letter === 'y' ? 'cancel' : letter === 'q' ? 'leave' : 'continue';
  } catch {
    return 'leave';
  } finally {
    lines.close();
  }
}
