/** Waits at a stop until no task runs, and shows what it waits for. What to say is decided purely. */
import { durationText } from '../../src/core/task-words.ts';
import type { OpenTask } from '../task/bot-api.ts';
import { openTaskLines } from '../terminal/open-task-lines.ts';

export interface Draining {
  /** What runs, waits and is held. Rejects while the Worker does not answer. */
  readonly openTasks: () => Promise<readonly OpenTask[]>;
  readonly sandboxes: () => readonly string[];
  readonly say: (line: string) => void;
  readonly now: () => number;
  /** Resolves after a moment, earlier when it is aborted. */
  readonly pause: (stopped: AbortSignal) => Promise<void>;
}

/** `tasks` that run; null: unknown. `sandboxes`: how many there are. */
interface Look {
  readonly tasks: readonly OpenTask[] | null;
  readonly sandboxes: number;
}

/** Resolves when no task runs, `limitMs` have passed, or `stopped` is aborted. Never rejects. */
export async function drain(
  { openTasks, sandboxes, say, now, pause }: Draining,
  limitMs: number,
  stopped: AbortSignal,
): Promise<void> {
  const startedAt = now();
  const look = async (): Promise<Look> => {
    const tasks = await openTasks().catch(() => null);
    return {
      tasks: tasks?.filter(({ state }) => state === 'running') ?? null,
      sandboxes: sandboxes().length,
    };
  };
  let before: Look | null = null;
  for (;;) {
    const found = await look();
    const isOver = now() - startedAt >= limitMs;
    if (stopped.aborted) return;
    for (const line of drainLines(before, found, { limitMs, isOver, now: now() })) say(line);
    if (isOver || isQuiet(found)) return;
    // An unknown list changes nothing of what is on the screen.
    before = found.tasks === null && before !== null ? before : found;
    await pause(stopped);
  }
}

/** A sandbox can exist for a task whose start nobody has recorded yet. */
const isQuiet = ({ tasks, sandboxes }: Look): boolean => sandboxes === 0 && (tasks ?? []).length === 0;

/** What the screen says about `found`; at first a line for each task, then only changed counts. */
function drainLines(
  before: Look | null,
  found: Look,
  { limitMs, isOver, now }: { readonly limitMs: number; readonly isOver: boolean; readonly now: number },
): readonly string[] {
  if (isQuiet(found)) return before === null ? [] : ['No task runs any more.'];
  const count = countText(found);
  const within = durationText(limitMs);
  if (isOver) return [`${count} after ${within}. They end now, and say so where they were asked.`];
  if (before === null)
    return [
      `${count}. Waiting for at most ${within} (AIRLOCK_DRAIN_SECONDS); press Ctrl-C again to end them now.`,
      'What else is asked waits for the next start.',
      ...(found.tasks === null || found.tasks.length === 0
        ? []
        : openTaskLines(found.tasks, now)
            .slice(0, -1)
            .map((line) => `  ${line}`)),
    ];
  return found.tasks === null || count === countText(before) ? [] : [`${count} …`];
}

function countText({ tasks, sandboxes }: Look): string {
  const [count, what] =
    tasks === null || tasks.length === 0 ? [sandboxes, 'sandbox'] : [tasks.length, 'task'];
  if (count === 1) return `1 ${what} runs`;
  return `${count} ${what === 'task' ? 'tasks' : 'sandboxes'} run`;
}
