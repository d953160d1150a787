/** What the gate does differently in one repository, and how the configuration says it. */
import { globProblem, matchesGlob } from '../lib/glob.ts';
import { nearest } from '../lib/nearest.ts';
import { gateCodes, gateRules, type GateCode } from './gate-rules.ts';

export interface GatePolicy {
  /** Globs of paths. A change to one is held. */
  readonly protected: readonly string[];
  readonly allow: readonly AllowedRule[];
}

/** A rule that is not applied. */
export interface AllowedRule {
  /** null: each rule on paths that only marks. */
  readonly code: GateCode | null;
  /** The paths to which it is not applied; null: all. */
  readonly glob: string | null;
}

export type AllowRead =
  | { readonly ok: true; readonly allowed: AllowedRule }
  | { readonly ok: false; readonly expected: string; readonly hint: string | null };

const bad = (expected: string, hint: string | null = null): AllowRead => ({ ok: false, expected, hint });

/** Reads `code`, `code:glob` or a glob. A glob has a `/`, a `.` or a `*`; a code has none. */
export function readAllowed(text: string): AllowRead {
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  const glob = colon < 0 ? null : text.slice(colon + 1);
  const code = gateCodes.find((known) => known === name);
  if (code === undefined) {
    if (colon < 0 && /[/.*]/.test(text)) {
      const problem = globProblem(text);
      return problem === null ? { ok: true, allowed: { code: null, glob: text } } : bad(problem);
    }
    const near = nearest(name, gateCodes);
    return bad('the code of a rule, "code:glob" or a glob', near === null ? null : `did you mean "${near}"?`);
  }
  const rule = gateRules.find((known) => known.code === code);
  if (rule === undefined || rule.allow === 'never')
    return bad('a rule that may be switched off', `"${code}" always applies`);
  if (glob === null)
    return rule.allow === 'always'
      ? { ok: true, allowed: { code, glob } }
      : bad(`"${code}:" and a glob`, `"${code}" may be switched off for some paths only`);
  if (rule.about === 'change')
    return bad(`"${code}" without a glob`, 'this rule judges the change as a whole');
  const problem = globProblem(glob);
  if (problem !== null) return bad(`"${code}:" and ${problem}`);
  if (rule.allow === 'paths' && /^[^/]*[*?]/.test(glob))
    return bad(`"${code}:" and a glob that begins with the name of a folder or file`);
  return { ok: true, allowed: { code, glob } };
}

/** Returns a test for paths where the policy switches the rule off, by their exact names. */
export function isAllowed({ allow }: GatePolicy, code: GateCode): (path: string) => boolean {
  const rule = gateRules.find((known) => known.code === code);
  const globs = allow.flatMap((allowed) => {
    const meant = allowed.code === code || (allowed.code === null && rule?.effect === 'mark');
    return meant ? [allowed.glob ?? '**'] : [];
  });
  return (path) => globs.some((glob) => matchesGlob(glob, path));
}

/** True if the policy switches the rule off altogether. */
export const isOff = ({ allow }: GatePolicy, wanted: GateCode): boolean =>
  allow.some(({ code, glob }) => code === wanted && glob === null);
