/** Parses `airlock.config.jsonc`, or returns every mistake with its position. One refuses the file. */
import { getNodeValue, parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser';
import type * as z from 'zod';
import type { Budget } from '../core/policy.ts';
import { nearest } from '../lib/nearest.ts';
import { builtIn } from './built-in.ts';
import { budgetOf } from './budget-schema.ts';
import {
  describeIssue,
  formatPath,
  keyNodeAt,
  meantIssues,
  nodeAt,
  positionAt,
  type ConfigProblem,
  type Report,
} from './problem.ts';
import { checkRegistries } from './read-registries.ts';
import { readSlack } from './read-slack.ts';
import { compareSpecificity, overlap, readPattern } from './repository-pattern.ts';
import {
  configSchema,
  knownKeysAt,
  type AirlockConfig,
  type RepositoryEntry,
  type RepositorySettings,
} from './schema.ts';

export type ConfigRead =
  | { readonly ok: true; readonly config: AirlockConfig }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** Formats a problem as one line: `file:line:column: key: message (hint)`. */
export function formatProblem(problem: ConfigProblem): string {
  const where = `${problem.fileName}:${problem.line}:${problem.column}`;
  const what = problem.path === '' ? problem.message : `${problem.path}: ${problem.message}`;
  return `${where}: ${what}${problem.hint === null ? '' : ` (${problem.hint})`}`;
}

/** Messages for the parser's error codes. */
const syntaxWords: Readonly<Record<string, string>> = {
  InvalidSymbol: 'expected a value: text in quotes, a number, true, false, null, [ or {',
  InvalidNumberFormat: 'expected a number',
  PropertyNameExpected: 'expected a key in quotes',
  ValueExpected: 'expected a value',
  ColonExpected: 'expected ":" after the key',
  CommaExpected: 'expected "," before this',
  CloseBraceExpected: 'expected "}"',
  CloseBracketExpected: 'expected "]"',
  EndOfFileExpected: 'expected nothing after the closing brace',
  UnexpectedEndOfComment: 'expected "*/" to end the comment',
  UnexpectedEndOfString: 'expected a closing quote on the same line',
};

function duplicateKeys(node: Node, path: readonly PropertyKey[], report: Report): void {
  if (node.type === 'object') {
    const seen = new Set<string>();
    for (const property of node.children ?? []) {
      const [key, value] = property.children ?? [];
      if (key === undefined) continue;
      const name = String(key.value);
      if (seen.has(name)) report(key, [...path, name], 'is written twice', 'keep one of them');
      seen.add(name);
      if (value !== undefined) duplicateKeys(value, [...path, name], report);
    }
  } else node.children?.forEach((child, index) => duplicateKeys(child, [...path, index], report));
}

function readEntries(
  root: Node,
  repositories: Record<string, RepositorySettings>,
  report: Report,
): RepositoryEntry[] {
  const entries: RepositoryEntry[] = [];
  for (const [key, settings] of Object.entries(repositories)) {
    const path = ['repositories', key];
    const keyNode = keyNodeAt(root, ['repositories'], key);
    const read = readPattern(key);
    if (!read.ok) {
      report(keyNode, path, `expected ${read.expected}`, read.hint);
      continue;
    }
    const { pattern } = read;
    if (pattern.excludes && Object.keys(settings).length > 0) {
      report(keyNode, path, 'expected {} for a key with "!": it excludes, so its settings have no effect');
    }
    if (!pattern.exact && settings.aliases !== undefined) {
      report(
        nodeAt(root, [...path, 'aliases']),
        [...path, 'aliases'],
        'expected no aliases on a key with "*"',
        'list the repository by its name as well',
      );
    }
    for (const other of entries) {
      if (compareSpecificity(other.pattern, pattern) === 0 && overlap(other.pattern, pattern)) {
        const message = `"${other.pattern.key}" and "${key}" are equally specific and match the same repositories`;
        report(keyNode, path, message, 'make one of them longer, or remove one');
      }
    }
    settings.reviewers?.forEach((name, index) => {
      const [organization = '', team] = name.split('/');
      if (team === undefined || organization.toLowerCase() === pattern.owner.toLowerCase()) return;
      const at = [...path, 'reviewers', index];
      report(nodeAt(root, at), at, `expected a team of "${pattern.owner}", got "${name}"`);
    });
    checkRegistries(root, settings, path, report);
    const excluded = pattern.excludes || settings.enabled === false;
    entries.push({ pattern, place: entries.length, excluded, settings });
  }
  return entries;
}

function checkAliases(root: Node, entries: readonly RepositoryEntry[], report: Report): void {
  const owners = new Map<string, string>();
  for (const { pattern, settings } of entries) {
    settings.aliases?.forEach((alias, index) => {
      const path = ['repositories', pattern.key, 'aliases', index];
      const owner = owners.get(alias);
      if (owner === undefined) owners.set(alias, pattern.key);
      else
        report(
          nodeAt(root, path),
          path,
          `"${alias}" is already an alias of "${owner}"`,
          'an alias names one repository',
        );
    });
  }
}

/** A cap in dollars counts only what has a price, so each model that may run needs one. */
function checkBudgets(root: Node, config: AirlockConfig, report: Report): void {
  const inDollars = ({ dollars, perPerson }: Budget): boolean =>
    dollars !== null || perPerson.dollars !== null;
  const { defaults, prices, repositories } = config;
  for (const { pattern, settings, excluded } of repositories) {
    if (excluded || !(inDollars(config.budget) || inDollars(budgetOf(settings.budget ?? defaults.budget))))
      continue;
    const model = settings.model ?? defaults.model ?? builtIn.model;
    const unpriced = [model, ...(settings.models ?? defaults.models ?? [])].filter(
      (name) => !prices.has(name),
    );
    if (unpriced.length === 0) continue;
    const path = ['repositories', pattern.key];
    const message = `a budget in dollars needs a price of ${[...new Set(unpriced)].join(', ')}`;
    report(
      keyNodeAt(root, ['repositories'], pattern.key),
      path,
      message,
      'add it under "prices", or set a cap in tokens',
    );
  }
}

function readValue(root: Node, fileName: string, report: Report): AirlockConfig | null {
  const value: unknown = getNodeValue(root);
  const parsed = configSchema.safeParse(value);
  if (!parsed.success) {
    for (const issue of parsed.error.issues.flatMap(meantIssues)) reportIssue(issue, root, value, report);
    return null;
  }
  const {
    github,
    slack,
    prices = {},
    slots,
    budget,
    retention,
    defaults = {},
    repositories = {},
  } = parsed.data;
  const entries = readEntries(root, repositories, report);
  checkAliases(root, entries, report);
  const config: AirlockConfig = {
    fileName,
    github: {
      mention: github?.mention?.toLowerCase() ?? null,
      label: (github?.label ?? builtIn.label).toLowerCase(),
    },
    slack: null,
    prices: new Map(Object.entries(prices)),
    slots: {
      total: slots?.total ?? builtIn.slots.total,
      perRepository: slots?.perRepository ?? builtIn.slots.perRepository,
      perRequester: slots?.perRequester ?? builtIn.slots.perRequester,
    },
    budget: budgetOf(budget),
    retentionDays: retention?.days ?? builtIn.retentionDays,
    defaults,
    repositories: entries.toSorted((a, b) => compareSpecificity(a.pattern, b.pattern)),
  };
  checkBudgets(root, config, report);
  return { ...config, slack: readSlack(root, slack, config, report) };
}

function reportIssue(issue: z.core.$ZodIssue, root: Node, value: unknown, report: Report): void {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) {
      const known = knownKeysAt(path);
      const near = nearest(key, known);
      const hint = near === null ? `known keys: ${known.join(', ')}` : `did you mean "${near}"?`;
      report(keyNodeAt(root, path, key), [...path, key], 'unknown key', hint);
    }
  } else if (issue.code === 'invalid_key') {
    const key = String(path.at(-1));
    for (const inner of issue.issues) {
      const { message, hint } = describeIssue(inner, key);
      report(keyNodeAt(root, path.slice(0, -1), key), path, message, hint);
    }
  } else {
    const { message, hint } = describeIssue(issue, valueAt(value, path));
    report(nodeAt(root, path), path, message, hint);
  }
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    const next: unknown = Reflect.get(found, key);
    found = next;
  }
  return found;
}

/** `fileName` appears in messages only. */
export function loadConfig(text: string, fileName: string): ConfigRead {
  const problems: ConfigProblem[] = [];
  const report: Report = (node, path, message, hint = null) => {
    problems.push({ fileName, ...positionAt(text, node.offset), path: formatPath(path), message, hint });
  };
  const content = text.replace(/^\uFEFF/, ' ');
  const errors: ParseError[] = [];
  const root = parseTree(content, errors, { allowTrailingComma: true, disallowComments: false });
  for (const error of errors) {
    const code = printParseErrorCode(error.error);
    report(error, [], syntaxWords[code] ?? code);
  }
  if (root === undefined && problems.length === 0) {
    report({ offset: 0 }, [], 'expected an object', 'an empty configuration is {}');
  }
  // One broken bracket causes a cascade of syntax errors. The first one shows where it is.
  if (problems.length > 0 || root === undefined) return { ok: false, problems: problems.slice(0, 1) };

  duplicateKeys(root, [], report);
  const config = readValue(root, fileName, report);
  if (config === null || problems.length > 0) {
    return { ok: false, problems: problems.toSorted((a, b) => a.line - b.line || a.column - b.column) };
  }
  return { ok: true, config };
}
