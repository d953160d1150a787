/**
 * Folds lines of a task's log into the steps that its page shows: a command with its end and output, a
 * message, changed files. A blocked attempt goes to the command that ran meanwhile, if the receipt names one.
 * Pure.
 */
import { deniedRow } from '../../core/attempts.ts';
import { steeredText, queuePlaceText, threadText } from '../../core/task-words.ts';
import type { TaskEvent, TaskEventBody, TaskView } from '../../core/task-view.ts';
import { unwrappedCommand } from '../../core/test-commands.ts';
import { countText } from '../../lib/count-text.ts';

export interface Attempt {
  /** The number of its line in the log. */
  readonly seq: number;
  readonly verdict: 'denied' | 'failed';
  readonly request: string;
  readonly reason: string;
}

interface StepBase {
  /** The number of its first line in the log, by which links and the page's module know it. */
  readonly seq: number;
  readonly at: number;
  /** The last line that it is made of. */
  readonly lastSeq: number;
  readonly attempts: readonly Attempt[];
}
export type Step = StepBase &
  (
    | {
        readonly kind: 'command';
        readonly command: string;
        /** Null while it runs, or if its end is on a later page. */
        readonly end: { readonly exitCode: number; readonly durationMs: number | null } | null;
        readonly output: string;
      }
    | { readonly kind: 'message'; readonly text: string }
    | { readonly kind: 'files'; readonly paths: readonly string[] }
    | { readonly kind: 'problem'; readonly text: string }
    | { readonly kind: 'note'; readonly text: string }
    /** Attempts during which no single command ran. */
    | { readonly kind: 'network' }
  );
type Mutable<Of> = { -readonly [Key in keyof Of]: Of[Key] };

export function foldSteps(
  events: readonly TaskEvent[],
  { receipt, progress }: Pick<TaskView, 'receipt' | 'progress'>,
): readonly Step[] {
  const steps: Mutable<Step>[] = [];
  const attempts: { readonly attempt: Attempt; readonly at: number; readonly command: string | null }[] = [];
  for (const { seq, at, body } of events) {
    const base = { seq, at, lastSeq: seq, attempts: [] };
    if (body.kind === 'command.finished') {
      const { exitCode, durationMs, outputTail: output } = body;
      const command = unwrappedCommand(body.command);
      const begun = steps.findLast((step) => isOpen(step) && step.command === command);
      const ended = { end: { exitCode, durationMs }, output, lastSeq: seq };
      if (begun === undefined) steps.push({ ...base, kind: 'command', command, ...ended });
      else Object.assign(begun, ended);
    } else if (body.kind === 'egress.denied' || body.kind === 'egress.failed') {
      const { method, host, path, reason } = body;
      const verdict = body.kind === 'egress.denied' ? 'denied' : 'failed';
      const attempt = { seq, verdict, request: `${method} ${host}${path}`, reason } as const;
      attempts.push({
        attempt,
        at,
        // Null if the receipt names none.
        command: body.kind === 'egress.denied' ? (deniedRow(receipt, body)?.command ?? null) : null,
      });
    } else {
      const shown = stepOf(body);
      if (shown !== null) steps.push({ ...base, ...shown });
    }
  }
  for (const step of steps)
    if (isOpen(step))
      step.output =
        progress?.commands.findLast(
          ({ command, status }) => status === 'running' && unwrappedCommand(command) === step.command,
        )?.outputTail ?? '';
  for (const { attempt, at, command } of attempts) {
    const ran = command === null ? undefined : commandAt(steps, command, at);
    if (ran === undefined) {
      const alone = { seq: attempt.seq, at, lastSeq: attempt.seq, attempts: [attempt] };
      steps.push({ ...alone, kind: 'network' });
    } else ran.attempts = [...ran.attempts, attempt];
  }
  return steps.toSorted((one, other) => one.seq - other.seq);
}

export function isOpen(step: Step): step is Mutable<Step & { readonly kind: 'command' }> {
  return step.kind === 'command' && step.end === null;
}

/** The step of that command that began nearest to the attempt: a command can run more than once. */
function commandAt(steps: Mutable<Step>[], command: string, at: number): Mutable<Step> | undefined {
  return steps
    .filter((step) => step.kind === 'command' && step.command.startsWith(command))
    .toSorted((one, other) => Math.abs(one.at - at) - Math.abs(other.at - at))[0];
}

type Shown = Step extends infer One ? (One extends Step ? Omit<One, keyof StepBase> : never) : never;
const note = (text: string): Shown => ({ kind: 'note', text });

/** Null for a line that another part of the page shows. */
function stepOf(
  body: Exclude<TaskEventBody, { kind: 'command.finished' | 'egress.denied' | 'egress.failed' }>,
): Shown | null {
  switch (body.kind) {
    case 'command.started':
      return { kind: 'command', command: unwrappedCommand(body.command), end: null, output: '' };
    case 'message':
      return { kind: 'message', text: body.text };
    case 'files.changed':
      return { kind: 'files', paths: body.paths };
    case 'error':
      return { kind: 'problem', text: body.willRetry ? `${body.text} (trying again)` : body.text };
    case 'note':
      return note(body.text);
    case 'thread':
      return note(threadText(body.threadId, body.resumed));
    case 'queued':
      return note(`Waiting for a free sandbox, ${queuePlaceText(body.position)}.`);
    case 'model.first-request':
      return note('First request to the model.');
    case 'change':
      return note(`${countText(body.files, 'file')} changed, +${body.insertions} −${body.deletions}.`);
    case 'ended':
      return body.outcome.kind === 'steered' ? note(steeredText) : null;
    case 'plan':
    case 'phase':
    case 'acknowledged':
      return null;
  }
}
