/**
 * Finds the command that ran in the sandbox while a request was denied. It compares times only, so people
 * read that the command ran meanwhile, not that it made the request. If no command or more than one ran,
 * there is no answer rather than a guess.
 *
 * The times of requests are ours, those of commands come out of the sandbox, and the observer learns of a
 * command a little later than the egress handler of its request. So a row keeps its time, and the command is
 * looked up when the row is read. It is stored once no later line of Codex can change it, because only the
 * last hundred commands are kept.
 */
import type { Receipt } from '../../core/grant.ts';
import type { RepositoryPolicy } from '../../core/policy.ts';
import type { CommandRun, Progress } from '../../core/progress.ts';
import type { TaskView } from '../../core/task-view.ts';
import { unwrappedCommand } from '../../core/test-commands.ts';

type DeniedRow = Receipt['denied'][number];

export interface Ran {
  readonly progress: Progress | null;
  /** Milliseconds since the epoch, `until` exclusive; null if there is no setup. */
  readonly setup: { readonly command: string; readonly from: number; readonly until: number } | null;
}

/** Codex reports a start after 150 ms and an end within 30 ms (0.169.0); the rest is for clocks. */
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

/** The receipt for people: each row with the command that is known so far. */
export function withCommands(receipt: Receipt, ran: Ran): Receipt {
  const denied = receipt.denied.map((row) => ({ ...row, command: commandOf(row, ran) }));
  return { ...receipt, denied };
}

/** Stores the commands that cannot change any more; returns the same receipt if there is none to add. */
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

/** Codex calls the model while a command runs, so such a request is as likely its own. */
function isCodexItself({ host, path }: DeniedRow): boolean {
  return host === 'api.openai.com' && /^\/v1\/(?:responses|models)(?:\/|$)/.test(path);
}

function isAround(run: CommandRun, at: number): boolean {
  return run.startedAt - beginsUpTo <= at && at <= endOf(run) + endsUpTo;
}

/** Infinity while the command runs, or if its end is unknown. */
function endOf({ endedAt }: CommandRun): number {
  return endedAt ?? Number.POSITIVE_INFINITY;
}

/** Codex's lines are in order: after a later line, every command that ran at that time is known. */
function isSettled(at: number, { progress, setup }: Ran): boolean {
  if (setup !== null && at < setup.until) return Number.isFinite(setup.until);
  if (progress === null) return false;
  return (
    progress.turn !== null ||
    progress.commands.some(({ startedAt, endedAt }) => Math.max(startedAt, endedAt ?? 0) > at + beginsUpTo)
  );
}

const shown = (command: string): string => unwrappedCommand(command).slice(0, maxCharacters);
