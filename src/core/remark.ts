/** A remark: words that a person adds to a running task. They steer its turn, or become the next turn. */

/** Its text, as the driver's control file takes it. */
export interface Remark {
  /** The id of the task that the words came as. */
  readonly id: string;
  /** Login or name of the person. */
  readonly by: string;
  /** Untrusted, and an instruction. */
  readonly text: string;
}

/**
 * `waiting`: Codex may still read it. `reached`: the model has read it. `missed`: the turn ended before. The
 * last two are final.
 */
export type RemarkFate = 'waiting' | 'reached' | 'missed';

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

/** Of one task. Further ones become turns of their own. */
export const maxRemarks = 50;
/** Of one task together. As JSON at most 1.2 MB, which a record stores and the driver reads. */
export const maxRemarkCharacters = 200_000;
