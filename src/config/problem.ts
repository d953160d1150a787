/** Describes mistakes in a configuration file, with their position, for the person who edits it. */
import type { Node } from 'jsonc-parser';
import type * as z from 'zod';
import { headOf } from '../lib/cut-text.ts';
import { nearest } from '../lib/nearest.ts';

export interface ConfigProblem {
  readonly fileName: string;
  /** Line and column count from 1; the column in UTF-16 units. */
  readonly line: number;
  readonly column: number;
  /** The key, written as in code: `repositories["acme/*"].limits.minutes`. Empty for the whole file. */
  readonly path: string;
  /** One sentence without a full stop, mostly "expected …". */
  readonly message: string;
  readonly hint: string | null;
}

/** Records a mistake at the position of a node. */
export type Report = (
  node: { readonly offset: number },
  path: readonly PropertyKey[],
  message: string,
  hint?: string | null,
) => void;

export function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    const name = String(key);
    if (/^[A-Za-z_$][\w$]*$/.test(name)) return text === '' ? name : `${text}.${name}`;
    return `${text}[${JSON.stringify(name)}]`;
  }, '');
}

export function positionAt(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: offset - lineStart + 1 };
}

/** The node at a path, or the nearest enclosing one: a missing key is reported where it is missing. */
export function nodeAt(root: Node, path: readonly PropertyKey[]): Node {
  let node = root;
  for (const key of path) {
    const next =
      node.type === 'array'
        ? node.children?.[Number(key)]
        : node.children?.find((property) => property.children?.[0]?.value === key)?.children?.[1];
    if (next === undefined) return node;
    node = next;
  }
  return node;
}

/** Returns the node of the key itself, for problems with its name. */
export function keyNodeAt(root: Node, path: readonly PropertyKey[], key: string): Node {
  const parent = nodeAt(root, path);
  return parent.children?.find((property) => property.children?.[0]?.value === key)?.children?.[0] ?? parent;
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${headOf(value, 60)}…` : value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value);
  return value === undefined ? 'nothing' : 'an object';
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a text in quotes',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

/** Replaces the issue of a union by those of the one form that has the value's type: the person meant it. */
export function meantIssues(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const [meant, ...others] = issue.errors.filter((errors) => !errors.some(isOfAnotherType));
  if (meant === undefined || others.length > 0) return [issue];
  return meant.flatMap((inner) => meantIssues({ ...inner, path: [...issue.path, ...inner.path] }));
}

const isOfAnotherType = ({ code, path }: z.core.$ZodIssue): boolean =>
  path.length === 0 && (code === 'invalid_type' || code === 'invalid_value');

/** Lists the literal values that an issue would have accepted, over all forms of a union. */
function wordsAllowed(issue: z.core.$ZodIssue): string[] {
  if (issue.code === 'invalid_value') return issue.values.map((allowed) => String(allowed));
  return issue.code === 'invalid_union' ? issue.errors.flat().flatMap(wordsAllowed) : [];
}

/** Describes a zod issue about a value as "expected …, got …". */
export function describeIssue(
  issue: z.core.$ZodIssue,
  value: unknown,
): { message: string; hint: string | null } {
  const got = shown(value);
  if (issue.code === 'invalid_type') {
    if (value === undefined)
      return {
        message: `expected ${typeNames[issue.expected] ?? issue.expected}, which is missing`,
        hint: null,
      };
    return { message: `expected ${typeNames[issue.expected] ?? issue.expected}, got ${got}`, hint: null };
  }
  if (issue.code === 'invalid_value' || issue.code === 'invalid_union') {
    const values = wordsAllowed(issue);
    const near = typeof value === 'string' ? nearest(value, values) : null;
    const oneOf = `one of ${values.map((allowed) => JSON.stringify(allowed)).join(', ')}`;
    return {
      message: `expected ${issue.code === 'invalid_union' ? issue.message : oneOf}, got ${got}`,
      hint: near === null ? null : `did you mean "${near}"?`,
    };
  }
  if (issue.code === 'too_small' || issue.code === 'too_big') {
    const bound = issue.code === 'too_small' ? `at least ${issue.minimum}` : `at most ${issue.maximum}`;
    const isOne = bound.endsWith(' 1');
    const characters = isOne ? ' character' : ' characters';
    const entries = isOne ? ' entry' : ' entries';
    const unit = issue.origin === 'string' ? characters : issue.origin === 'array' ? entries : '';
    return { message: `expected ${bound}${unit}, got ${got}`, hint: null };
  }
  const hint: unknown = issue.code === 'custom' ? issue.params?.['hint'] : null;
  return { message: `expected ${issue.message}, got ${got}`, hint: typeof hint === 'string' ? hint : null };
}
