/** What a record decides about remarks: which it takes, and whether each reached the turn. Pure. */
import { maxRemarkCharacters, maxRemarks, type Remark, type RemarkFate } from '../../core/remark.ts';
import { watchedRun, type RecordState } from './record-state.ts';

/** `null`: the task takes it no more, so it becomes a turn of its own. */
export interface Taken {
  readonly state: RecordState;
  readonly fate: RemarkFate | null;
}

/** The same remark again changes nothing. Codex gets what is taken before it starts as soon as it runs. */
export function takeRemark(state: RecordState, remark: Remark): Taken {
  const known = state.remarks.find(({ id }) => id === remark.id);
  if (known !== undefined) return { state, fate: known.fate };
  const { remarks, agentEnd, outcome, authorization } = state;
  const isOver = agentEnd !== null || outcome !== null || authorization === null;
  const characters = remarks.reduce((sum, { message }) => sum + message.length, remark.message.length);
  if (isOver || remarks.length >= maxRemarks || characters > maxRemarkCharacters)
    return { state, fate: null };
  return { state: { ...state, remarks: [...remarks, { ...remark, fate: 'waiting' }] }, fate: 'waiting' };
}

/** The first fate stays. */
export function settleRemark(state: RecordState, id: string, fate: 'reached' | 'missed'): RecordState {
  const index = state.remarks.findIndex((remark) => remark.id === id && remark.fate === 'waiting');
  const remark = state.remarks[index];
  return remark === undefined ? state : { ...state, remarks: state.remarks.with(index, { ...remark, fate }) };
}

/** What the control file holds; null while there is nothing to pass on. */
export function remarksToPass(state: RecordState): readonly Remark[] | null {
  const isNew = state.remarks.length > state.remarksPassed;
  return isNew && watchedRun(state) === 'codex' ? state.remarks : null;
}

/** The ids of those that have their fate now and had none before. */
export function settledBetween(before: RecordState, after: RecordState): readonly string[] {
  if (before.remarks === after.remarks) return [];
  return after.remarks
    .filter(({ fate }, index) => fate !== 'waiting' && before.remarks[index]?.fate === 'waiting')
    .map(({ id }) => id);
}
