/** Adds what a stage found out to a record's state. The same findings again change nothing. Pure. */
import type { Findings } from '../../core/ports/task-record.ts';
import { waitsForSlotSince, type RecordState } from './record-state.ts';

export function learn(state: RecordState, findings: Findings, now: number): RecordState {
  const { routing, asked, choices, facts, ahead, authorization, queuePosition, change } = findings;
  const { earlierTurn, attachmentsLeft, latenessMs, silent } = findings;
  let next = state;
  if (asked !== undefined) next = { ...next, request: { ...next.request, ...asked } };
  if (routing !== undefined && state.routing === null) next = { ...next, ...routing, choices: null };
  // A second attempt of the step must not ask again after a person has chosen.
  if (choices !== undefined && state.choice === null && state.outcome === null) next = { ...next, choices };
  if (facts !== undefined) next = { ...next, facts };
  if (ahead !== undefined && state.authorization === null) next = { ...next, ahead };
  // Of two attempts of the step, one can have given the words to another task.
  if (authorization !== undefined && state.ahead?.steers !== true) {
    const turnAt = state.ahead === null ? state.turnAt : now;
    next = { ...next, authorization, ahead: null, turnAt };
  }
  if (earlierTurn !== undefined) next = { ...next, earlierTurn };
  if (attachmentsLeft !== undefined) next = { ...next, attachmentsLeft };
  if (latenessMs !== undefined) next = { ...next, latenessMs };
  if (silent !== undefined) next = { ...next, silent };
  if (queuePosition !== undefined && waitsForSlotSince(state) !== null) next = { ...next, queuePosition };
  if (change !== undefined && state.change === null) next = { ...next, change };
  return next;
}
