/** Which tasks are not settled: what runs, what waits, what a person has to approve. Pure. */
import type { TaskView } from './task-view.ts';
import { headOf } from '../lib/cut-text.ts';
import { standingText } from './task-words.ts';
import { taskPhases, type TaskPhase } from './task.ts';

export const openStates = ['running', 'waiting', 'held'] as const;
/** `running`: from the sandbox's first moment to the answer. `waiting`: before that; a restart delays it. */
export type OpenState = (typeof openStates)[number];

const beforeSandbox: ReadonlySet<TaskPhase> = new Set(taskPhases.slice(0, taskPhases.indexOf('canary')));

/** Null: the task is settled. */
export function openStateOf({ phase, outcome }: Pick<TaskView, 'phase' | 'outcome'>): OpenState | null {
  // Without a hash nobody can approve it.
  if (outcome !== null) return outcome.kind === 'held' && outcome.changeHash !== null ? 'held' : null;
  return beforeSandbox.has(phase) ? 'waiting' : 'running';
}

/** Null: the task is settled. Untrusted words, cut; never an outcome. */
export function openTaskOf(view: TaskView, maxCharacters: number): object | null {
  const state = openStateOf(view);
  if (state === null) return null;
  const { taskId, shortId, phase, queuePosition, repository, origin, issueNumber, requester, acceptedAt } =
    view;
  return {
    taskId,
    shortId,
    state,
    phase,
    phaseText: state === 'held' ? 'held for approval' : standingText(view),
    queuePosition,
    repository,
    origin,
    issueNumber,
    requester,
    acceptedAt,
    instruction: headOf(view.instruction, maxCharacters),
    url: `/api/tasks/${taskId}`,
  };
}
