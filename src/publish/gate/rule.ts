/** One rule of the gate. */
import type { GateInput } from '../../core/ports/publication.ts';

/** Names what was found. Untrusted; escaped when it is rendered. */
export type Finding = string;
export interface Rule {
  /** Stable. The `Reason.code` of a hold. */
  readonly code: string;
  /** `hold-always`: not approvable, because GitHub accepts this change only from a person. */
  readonly effect: 'hold' | 'hold-always' | 'mark';
  /** Why the rule exists. Shown to the person after the findings. */
  readonly why: string;
  readonly find: (input: GateInput) => readonly Finding[];
}
