/**
 * Decides which rules of a branch refuse what Airlock does: create a branch with one commit, and later add
 * commits to it. Rules about files refuse single changes only, and are left to the answer of the task.
 */
import * as z from 'zod';
import { stripHiddenCharacters } from '../core/ask/hidden-characters.ts';
import type { RepositoryPolicy } from '../core/policy.ts';
import { headOf } from '../lib/cut-text.ts';

const operators = z.enum(['starts_with', 'ends_with', 'contains', 'regex']);
/** A rule as GitHub lists it for a branch. Unknown types are kept and ignored. */
export const ruleSchema = z.object({
  type: z.string(),
  ruleset_id: z.number().int(),
  parameters: z
    .object({
      operator: operators.optional(),
      pattern: z.string().max(1000).optional(),
      negate: z.boolean().optional(),
      do_not_enforce_on_create: z.boolean().optional(),
    })
    .optional(),
});
export type BranchRule = z.infer<typeof ruleSchema>;

export interface RulePlace {
  /** A branch as Airlock would name it. */
  readonly branch: string;
  readonly commit: RepositoryPolicy['commit'];
  /** The App's slug. */
  readonly slug: string;
}

export interface RuleProblem {
  readonly ruleset: number;
  /** `all`: no change can be published. `some`: some cannot, or it is not known. */
  readonly refuses: 'all' | 'some';
  /** After the name of the ruleset. */
  readonly what: string;
}

export function judgeRules(rules: readonly BranchRule[], place: RulePlace): readonly RuleProblem[] {
  return rules.flatMap((rule) => {
    const found = problemOf(rule, place);
    return found === null ? [] : [{ ruleset: rule.ruleset_id, refuses: found[0], what: found[1] }];
  });
}

function problemOf(
  rule: BranchRule,
  { branch, commit, slug }: RulePlace,
): readonly [RuleProblem['refuses'], string] | null {
  const { author } = commit;
  const onCreation = rule.parameters?.do_not_enforce_on_create !== true;
  switch (rule.type) {
    case 'creation':
      return ['all', `does not let the App create \`${branch}\``];
    case 'required_signatures':
      return author === null ? null : ['all', 'demands signatures, which commits with `commit.author` lack'];
    case 'required_status_checks':
    case 'workflows':
      return onCreation ? ['all', `demands passed checks before \`${branch}\` is created`] : null;
    case 'branch_name_pattern':
      return unlessFits(rule, { text: branch, unknown: 'ends_with' }, `the branch name \`${branch}\``);
    case 'commit_author_email_pattern': {
      // It begins with the account's id.
      const own = { text: `${slug}[bot]@users.noreply.github.com`, unknown: 'starts_with' } as const;
      return unlessFits(rule, author === null ? own : { text: author.email }, 'the author’s e-mail');
    }
    case 'committer_email_pattern':
      return unlessFits(rule, { text: author?.email ?? 'noreply@github.com' }, 'the committer’s e-mail');
    case 'commit_message_pattern':
      return ['some', `demands commit messages that ${demandOf(rule)}`];
    case 'update':
    case 'pull_request':
    case 'merge_queue':
      return ['some', `does not let the App add commits to \`${branch}\`, so a second round gets a patch`];
    case 'required_linear_history':
      return ['some', `takes no merge on \`${branch}\`, so “resolve the conflicts” is refused`];
    default:
      return null;
  }
}

/** `unknown`: what cannot be said of the text, because its beginning or its end is another each time. */
interface Example {
  readonly text: string;
  readonly unknown?: 'starts_with' | 'ends_with';
}

/** A text from GitHub's settings, as a terminal can show it. */
export function printable(untrustedText: string): string {
  return headOf(stripHiddenCharacters(untrustedText).replaceAll(/\p{Cc}+/gu, ' '), 100);
}

function unlessFits(rule: BranchRule, example: Example, name: string): ReturnType<typeof problemOf> {
  const fits = fitsPattern(rule, example);
  if (fits === true) return null;
  return fits === null
    ? ['some', `may refuse ${name}: it must ${demandOf(rule).replace(/^do not /, 'not ')}`]
    : ['all', `refuses ${name}: it must ${demandOf(rule).replace(/^do not /, 'not ')}`];
}

/** null: not known. */
function fitsPattern({ parameters }: BranchRule, { text, unknown }: Example): boolean | null {
  const { operator, pattern, negate = false } = parameters ?? {};
  if (operator === undefined || pattern === undefined || operator === unknown) return null;
  if (operator === 'regex' && unknown === 'starts_with' && pattern.includes('^')) return null;
  const matches = {
    starts_with: () => text.startsWith(pattern),
    ends_with: () => text.endsWith(pattern),
    contains: () => text.includes(pattern),
    regex: () => matchesSimply(pattern, text),
  }[operator]();
  return matches === null ? null : matches !== negate;
}

/**
 * Null for a pattern that a backtracking engine can take exponential or long polynomial time for: GitHub's
 * engine is another, and its patterns come from outside.
 */
function matchesSimply(pattern: string, text: string): boolean | null {
  const isSimple =
    pattern.length <= 200 &&
    !/\)[*+?{]|\\[1-9k]|\(\?/.test(pattern) &&
    (pattern.match(/[*+?{]/g) ?? []).length <= 3;
  if (!isSimple) return null;
  try {
    return new RegExp(pattern).test(text);
  } catch {
    return null;
  }
}

function demandOf({ parameters }: BranchRule): string {
  const { operator, pattern = '', negate = false } = parameters ?? {};
  const verb = { starts_with: 'start with', ends_with: 'end with', contains: 'contain', regex: 'match' };
  return `${negate ? 'do not ' : ''}${operator === undefined ? 'match' : verb[operator]} \`${printable(pattern).replaceAll('`', '')}\``;
}
