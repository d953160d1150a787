/**
 * A remark: words that a person adds to a running task. They steer its turn, or become the next turn. Decides
 * which requests are remarks; `tasks/workflow/turn.ts` decides to which task they go.
 */
import { withoutMiddle } from '../lib/cut-text.ts';
import type { AskedLine } from './line-answers.ts';
import type { TaskRequest } from './task.ts';

export interface Remark {
  /** The id of the task that the words came as. */
  readonly id: string;
  /** Login or name of the person. */
  readonly by: string;
  /** The person, as in `TaskRequest.askedBefore`. */
  readonly person: NonNullable<TaskRequest['askedBefore']>[number];
  /** The words, for people. Untrusted. */
  readonly text: string;
  /** What Codex gets: the words as an instruction, and the line comments that they came with. */
  readonly message: string;
  /** The line comments in it. Each gets an answer in its thread. */
  readonly lines: readonly AskedLine[];
}

/**
 * `waiting`: Codex may still read it. `reached`: the model has read it. `missed`: the turn ended before. The
 * last two are final.
 */
export type RemarkFate = 'waiting' | 'reached' | 'missed';
export type RemarkWithFate = Remark & { readonly fate: RemarkFate };

/** What the driver reports about a remark. Untrusted. */
export interface RemarkReport {
  readonly kind: 'remark';
  readonly id: string;
  /** False: Codex refused it. */
  readonly reached: boolean;
}

/** An earlier task of the conversation, for which another one waits. */
export interface Ahead {
  readonly taskId: string;
  /** It has the words of the one that waits, and may still pass them on to its turn. */
  readonly steers: boolean;
}

/** As in the task's schema. */
const maxInstructionCharacters = 70_000;
/** Of one task. Further ones become turns of their own. */
export const maxRemarks = 50;
/** Of one task together. As JSON at most 1.2 MB, which a record stores and the driver reads. */
export const maxRemarkCharacters = 200_000;

/** Whether a running turn can do what is asked: it keeps its model, its base and its form of answer. */
export function isRemark({ ask, trigger, instruction, options, onPage }: TaskRequest): boolean {
  if (onPage !== undefined || ask.kind !== 'run' || ask.job !== undefined || instruction.trim() === '')
    return false;
  if (Object.values(options).some((option) => option !== undefined)) return false;
  switch (trigger.kind) {
    case 'github':
      return trigger.commentId !== null || trigger.event === 'review';
    case 'slack':
      return trigger.again === undefined && (trigger.event === 'mention' || trigger.event === 'message');
    case 'api':
      return false;
  }
}

/** A question has no turn that could do something else, and is in nobody's way. */
export const takesTurns = ({ ask }: Pick<TaskRequest, 'ask'>): boolean =>
  ask.kind === 'run' && ask.job !== 'question';

/** The words of a request, as a remark. */
export function remarkOf(
  { taskId, trigger, requester, instruction }: TaskRequest,
  { by, message, lines }: Pick<Remark, 'by' | 'message' | 'lines'>,
): Remark {
  // A retry repeats it as an instruction. The path is none: the author of the pull request chose it.
  const isOnLine = trigger.kind === 'github' && trigger.lineComment !== undefined;
  const where = isOnLine ? `Line comment ${trigger.commentId}: ` : '';
  const slackUserId = trigger.kind === 'slack' ? trigger.userId : null;
  const person = { slackUserId, githubId: requester?.id ?? null };
  return { id: taskId, by, person, text: `${where}${instruction.trim()}`, message, lines };
}

/** An instruction with what was added to it. */
export function withRemarks(instruction: string, remarks: readonly Pick<Remark, 'text'>[]): string {
  const words = [instruction, ...remarks.map(({ text }) => text)].filter((text) => text.trim() !== '');
  return remarks.length === 0 ? instruction : words.join('\n\n');
}

/** What the model has not read when its turn ends, it never will. Returns the same list if there is none. */
export function missWaiting(remarks: readonly RemarkWithFate[]): readonly RemarkWithFate[] {
  if (!remarks.some(({ fate }) => fate === 'waiting')) return remarks;
  return remarks.map((remark) => (remark.fate === 'waiting' ? { ...remark, fate: 'missed' } : remark));
}

const isRead = ({ fate }: RemarkWithFate): boolean => fate === 'reached';

/** The line comments that the model has read. */
export function linesRead(remarks: readonly RemarkWithFate[]): readonly AskedLine[] {
  return remarks.filter(isRead).flatMap(({ lines }) => lines);
}

/** A request with what was added to it and read, and by whom: what a retry repeats. */
export function requestWithRemarks(request: TaskRequest, remarks: readonly RemarkWithFate[]): TaskRequest {
  const read = remarks.filter(isRead);
  if (read.length === 0) return request;
  const people = new Map(read.map(({ person }) => [JSON.stringify(person), person]));
  return {
    ...request,
    instruction: withoutMiddle(withRemarks(request.instruction, read), maxInstructionCharacters),
    askedBefore: [...(request.askedBefore ?? []), ...people.values()].slice(-20),
  };
}
