/**
 * Which command ran in the sandbox when a request was refused. By time alone, so it is said to have run meanwhile and not to have
 * made the request; where nothing ran, or more than one thing did, there is no answer rather than a guess.
 *
 * The times of requests are our own, those of commands come out of the sandbox, and the observer hears of a command a little later
 * than the handler of its request. So a row keeps its time, the command is found when the row is looked at, and it is written down
 * once nothing that is still to be heard can change it: of the commands themselves only the last hundred are kept.
 */
import type { Receipt } from '../../core/grant.ts';
import type { RepositoryPolicy } from '../../core/policy.ts';
import type { CommandRun, Progress } from '../../core/progress.ts';
import type { TaskView } from '../../core/task-view.ts';
import { unwrappedCommand } from '../../core/test-commands.ts';

type DeniedRow = Receipt['denied'][number];

export interface Ran {
  readonly progress: Progress | null;
  /** Milliseconds since the epoch, `until` exclusive; null: there is none. */
  readonly setup: { readonly command: string; readonly from: number; readonly until: number } | null;
}

/**
 * Milliseconds. Codex says that a command has begun when it first looks at it, 150 ms after it did, or at its end if that comes
 * sooner; the end it says within 30 ms (both measured with 0.169.0). What is left is for the clocks of sandbox and Worker.
 */
const beginsUpTo = 250;
const endsUpTo = 50;
const maxCharacters = 500;

export function ranIn(
  task: {
    readonly phases: TaskView['phases'];
    readonly authorization: { readonly policy: Pick<RepositoryPolicy, 'setup'> } | null;
  },
  progress: Progress | null,
): Ran {
  const { authorization, phases } = task;
  const enteredAt = (wanted: string) => phases.find(({ phase }) => phase === wanted)?.at;
  const from = enteredAt('setup');
  const command = authorization?.policy.setup?.run;
  const until = enteredAt('codex') ?? Number.POSITIVE_INFINITY;
  return { progress, setup: from === undefined || command === undefined ? null : { command, from, until } };
}

/** As people see it: each row with the command that is known so far. */
export function withCommands(receipt: Receipt, ran: Ran): Receipt {
  const denied = receipt.denied.map((row) => ({ ...row, command: commandOf(row, ran) }));
  return { ...receipt, denied };
}

/** With the commands that are known for good; the same receipt when there are none that it does not have. */
export function settleCommands(receipt: Receipt, ran: Ran): Receipt {
  let settled = false;
  const denied = receipt.denied.map((row) => {
    if (row.command !== undefined || !isSettled(row.at, ran)) return row;
    settled = true;
    return { ...row, command: commandOf(row, ran) };
  });
  return settled ? { ...receipt, denied } : receipt;
}

function commandOf(row: DeniedRow, { progress, setup }: Ran): string | null {
  if (row.command !== undefined) return row.command;
  const { at } = row;
  if (isCodexItself(row)) return null;
  if (setup !== null && at >= setup.from && at < setup.until) return shown(setup.command);
  const commands = progress?.commands ?? [];
  const [run, ...others] = commands.filter((one) => isAround(one, at));
  return run === undefined || others.length > 0 ? null : shown(run.command);
}

/** Codex asks the model while a command may run on in the background: such a request is as likely its own. */
function isCodexItself({ host, path }: DeniedRow): boolean {
  return host === 'api.openai.com' && /^\/v1\/(?:responses|models)(?:\/|$)/.test(path);
}

function isAround(run: CommandRun, at: number): boolean {
  return run.startedAt - beginsUpTo <= at && at <= endOf(run) + endsUpTo;
}

/** Infinity where it runs, or its end is not known. */
function endOf({ endedAt, startedAt, durationMs }: CommandRun): number {
  return endedAt ?? (durationMs === null ? Number.POSITIVE_INFINITY : startedAt + durationMs);
}

/** Codex's lines come in order: once one is later, all that ran at that time is known. */
function isSettled(at: number, { progress, setup }: Ran): boolean {
  if (setup !== null && at < setup.until) return Number.isFinite(setup.until);
  if (progress === null) return false;
  return (
    progress.turn !== null ||
    progress.commands.some(({ startedAt, endedAt }) => Math.max(startedAt, endedAt ?? 0) > at + beginsUpTo)
  );
}

const shown = (command: string): string => unwrappedCommand(command).slice(0, maxCharacters);
