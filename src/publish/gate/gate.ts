/**
 * Judges a change before publication: allows it, marks it (a draft with remarks) or holds it for a person,
 * who can approve most held changes. Pure. Runs outside the sandbox and reads the files themselves, not the
 * diff, which is only for people.
 */
import { isAllowed, isOff } from '../../core/gate-policy.ts';
import { gateRules } from '../../core/gate-rules.ts';
import type { GateInput, GateVerdict } from '../../core/ports/publication.ts';
import { withoutSecrets } from '../../core/secrets/find-secrets.ts';
import type { Reason } from '../../core/task.ts';
import { headOf } from '../../lib/cut-text.ts';
import type { Finding } from './rule.ts';
import { finders } from './rules.ts';

type Rule = (typeof gateRules)[number];
interface Hit {
  readonly rule: Rule;
  readonly findings: readonly Finding[];
}

/** `approvedBy`: who approved exactly this change; an approved hold becomes a mark that names them. */
export function gate(input: GateInput, approvedBy: string | null): GateVerdict {
  const known = new Set(input.change.measure.merge?.asInParent);
  const files = input.change.files.filter(({ path }) => !known.has(path));
  const judged = { ...input, change: { ...input.change, files } };
  const hits: readonly Hit[] = gateRules
    .filter(({ code }) => !isOff(input.policy, code))
    .map((rule) => ({ rule, findings: finders[rule.code](within(rule, judged)) }))
    .filter(({ findings }) => findings.length > 0);
  const holds = hits.filter(({ rule }) => rule.effect !== 'mark');
  const approvable = holds.every(({ rule }) => rule.effect === 'hold');
  const [first] = holds;
  if (first !== undefined && !(approvable && approvedBy !== null)) {
    return { kind: 'hold', reason: reasonToHold(first.rule.code, holds, approvable), approvable };
  }
  if (hits.length === 0) return { kind: 'allow' };
  return { kind: 'mark', remarks: hits.map((hit) => remark(hit, approvedBy)) };
}

/** Without the files for which the policy switches the rule off. */
function within({ code, about }: Rule, input: GateInput): GateInput {
  if (about === 'change' || input.policy.allow.length === 0) return input;
  const { change } = input;
  const off = isAllowed(input.policy, code);
  const [files, skipped] = [change.files, change.skipped];
  return {
    ...input,
    change: {
      ...change,
      files: files.filter(({ path }) => !off(path)),
      skipped: skipped.filter(({ path }) => !off(path)),
    },
  };
}

/** A remedy is left out where another finding decides: "approve it" would lead nowhere. */
function reasonToHold(code: string, holds: readonly Hit[], approvable: boolean): Reason {
  const remedies = holds.flatMap(({ rule }) =>
    'remedy' in rule && (approvable || rule.effect === 'hold-always') ? [rule.remedy] : [],
  );
  return {
    code,
    cause: 'codex',
    message: holds.map(({ rule, findings }) => `Held: ${listed(findings)}. ${rule.why}`).join('\n\n'),
    next: [...new Set(remedies)].join(' '),
  };
}

/** Names the approver first, because a renderer may cut the end. Untrusted. */
function remark({ rule, findings }: Hit, approvedBy: string | null): string {
  return rule.effect === 'mark'
    ? `${listed(findings)} ${findings.length === 1 ? rule.why : inPlural(rule.why)}.`
    : `${headOf(approvedBy ?? '', 100)} approved what was held here: ${listed(findings)}. ${rule.why}`;
}

/** The verb of a mark's reason agrees with several findings. */
const inPlural = (why: string): string =>
  why.replace(/^\w+/, (verb) => ({ is: 'are', was: 'were' })[verb] ?? verb.replace(/s$/, ''));

/** Lists at most five names. They are untrusted and escaped when they are rendered. Shows no secret. */
function listed(findings: readonly Finding[]): string {
  const shown = findings.slice(0, 5).map((finding) => headOf(withoutSecrets(finding), 300));
  const more = findings.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}
