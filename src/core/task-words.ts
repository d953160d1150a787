/** The words for phases and durations that all surfaces share, for the middle of a sentence. */
import { whyNotResumed } from './earlier-turn.ts';
import type { CommandRun, Resumed } from './progress.ts';
import type { TaskPhase } from './task.ts';

const phaseWords: Readonly<Record<TaskPhase, string>> = {
  accepted: 'accepted',
  route: 'finding the repository',
  authorize: 'checking permissions',
  acknowledge: 'starting',
  slot: 'preparing a sandbox',
  provision: 'preparing a sandbox',
  canary: 'checking that the sandbox is sealed',
  clone: 'cloning the repository',
  setup: 'installing dependencies',
  codex: 'Codex is working',
  collect: 'collecting the change',
  gate: 'checking the change',
  publish: 'publishing the change',
  report: 'finishing',
  ended: 'finished',
};

/** The outcome of a task whose words went to a running one. */
export const steeredText = 'Your words were handed to the task that is running here.';

export function phaseText(phase: TaskPhase): string {
  return phaseWords[phase];
}

export interface TaskStanding {
  readonly phase: TaskPhase;
  /** 1 is next; null unless the task waits for a slot. */
  readonly queuePosition: number | null;
  /** Not null while the task waits for a person to choose a repository. */
  readonly choices: readonly unknown[] | null;
}

/** What the task waits for, or the words of its phase. */
export function standingText({ phase, queuePosition, choices }: TaskStanding): string {
  if (choices !== null) return 'waiting for a repository to be chosen';
  return queuePosition === null
    ? phaseText(phase)
    : `waiting for a free sandbox, ${queuePlaceText(queuePosition)}`;
}

/** `position`: 1 is next. */
export function queuePlaceText(position: number): string {
  return position === 1 ? 'next in the queue' : `place ${position} in the queue`;
}

/** A line of the log. */
export function threadText(threadId: string, resumed: Resumed | null): string {
  if (resumed === 'yes') return `Codex resumed its thread ${threadId}`;
  return `Codex began the thread ${threadId}${resumed === null ? '' : `: ${whyNotResumed[resumed]}`}`;
}

export function capitalized(words: string): string {
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

/** `45 s`, `3 min 5 s`, `1 h 2 min`. Anything that took time took at least a second; NaN is 0 s. */
export function durationText(ms: number): string {
  const seconds = ms > 0 && Number.isFinite(ms) ? Math.max(1, Math.round(ms / 1000)) : 0;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return `${seconds} s`;
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Time since a task's beginning: `0:05`, `12:40`, `1:02:03`. */
export function clockText(ms: number): string {
  const seconds = Number.isFinite(ms) ? Math.max(0, Math.floor(ms / 1000)) : 0;
  const two = (count: number) => String(count).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours === 0 ? `${minutes}:${two(seconds % 60)}` : `${hours}:${two(minutes)}:${two(seconds % 60)}`;
}

/** `just now`, `3 min ago`, `5 h ago`, `4 days ago`. */
export function ageText(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.floor(hours / 24)} days ago`;
}

/** How long a command has been running: the view was made `elapsedMs` after the task was accepted. */
export function runningText(
  { startedAt }: Pick<CommandRun, 'startedAt'>,
  view: { readonly acceptedAt: string; readonly elapsedMs: number },
): string {
  return durationText(Date.parse(view.acceptedAt) + view.elapsedMs - startedAt);
}
