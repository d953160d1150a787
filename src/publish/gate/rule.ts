/** How a rule of the gate finds what it looks for. */
import type { GateInput } from '../../core/ports/publication.ts';

/** Names what was found. Untrusted; escaped when it is rendered. */
export type Finding = string;
/** Sees only the files and the left-out paths for which the policy applies the rule. */
export type Find = (input: GateInput) => readonly Finding[];
