/**
 * A reason as people get it on GitHub, in Slack, from the API, on the page and in the terminal: what
 * happened, whose doing it is, and what to do next. `reasons.ts` and `github-reasons.ts` have the sentences.
 * Pure.
 */
import { githubReasons } from './github-reasons.ts';
import { causes, ownReasons } from './reasons.ts';
import type { Reason, TaskOutcome } from './task.ts';

export const reasonRows = { ...ownReasons, ...githubReasons } as const;
type Rows = typeof reasonRows;
/** What follows a dot tells apart the sentences of one code. */
export type ReasonKey = keyof Rows;

/** The names in braces. */
type Holes<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Holes<Rest>
  : never;
type HolesOf<Key extends ReasonKey> = Key extends ReasonKey ? Holes<Rows[Key][1] | Rows[Key][2]> : never;

/** The compiler demands exactly the values that the row's sentences name. */
export function reasonOf<Key extends ReasonKey>(
  key: Key,
  ...values: [HolesOf<Key>] extends [never] ? [] : [Readonly<Record<HolesOf<Key>, string>>]
): Reason;
export function reasonOf(key: ReasonKey, values: Readonly<Record<string, string>> = {}): Reason {
  const [cause, what, next] = reasonRows[key];
  // In one pass, so that nothing in a value counts as a name.
  const fill = (text: string) => text.replace(/\{(\w+)\}/g, (hole, name: string) => values[name] ?? hole);
  return { code: codeOf(key), cause, message: fill(what).replace(/^this /, 'This '), next: fill(next) };
}

const codeOf = (key: ReasonKey): string => key.split('.')[0] ?? key;

/** After a failure whose change is kept, another run would be a waste. */
export const withKeptChange = (reason: Reason): Reason => ({
  ...reason,
  next: 'Retry the publication: Codex does not run again.',
});

/**
 * Whose doing it is and what to do next: a paragraph under what happened, so that a cut leaves it whole.
 * `render` escapes `next` for the surface, and keeps its inline code.
 */
export function remedyText(
  { cause, next }: Reason,
  bold: (words: string) => string,
  render: (markdown: string) => string,
): string {
  return `${bold('Cause:')} ${causes[cause]}. ${bold('Next:')} ${render(next)}`;
}

/** All three parts as one paragraph of Markdown, not escaped. */
export const reasonText = (reason: Reason): string =>
  `${reason.message} ${remedyText(reason, String, String)}`;

/** Why a task ended without a published change; null where its end is an answer. */
export function reasonOfEnd(outcome: TaskOutcome): Reason | null {
  switch (outcome.kind) {
    case 'refused':
    case 'ignored':
    case 'held':
    case 'failed':
    case 'patch':
      return outcome.reason;
    case 'cancelled':
      return reasonOf('cancelled', { by: outcome.by });
    case 'no-change':
      return outcome.leftOut === undefined
        ? reasonOf('nothing-changed')
        : reasonOf('nothing-published', { leftOut: outcome.leftOut });
    case 'pull-request':
    case 'replied':
    case 'steered':
    case 'answered':
      return null;
  }
}
