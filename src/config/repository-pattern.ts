/**
 * Reads the keys under `repositories`: `owner/name`, `owner/prefix*`, either with `!` before it. The exact
 * name applies first, then the longest text before `*`, then the longest; ambiguous keys are an error.
 */
import { repositoryRefSchema, type RepositoryRef } from '../core/task.ts';

export interface RepositoryPattern {
  /** As written in the file. */
  readonly key: string;
  readonly excludes: boolean;
  /** Lower case, because GitHub ignores case. */
  readonly owner: string;
  /** Lower case; `*` matches any run of characters, including none. */
  readonly name: string;
  readonly exact: boolean;
}

export type PatternRead =
  | { readonly ok: true; readonly pattern: RepositoryPattern }
  | { readonly ok: false; readonly expected: string; readonly hint: string | null };

const bad = (expected: string, hint: string | null = null): PatternRead => ({ ok: false, expected, hint });

export function readPattern(key: string): PatternRead {
  const excludes = key.startsWith('!');
  const text = excludes ? key.slice(1) : key;
  const parts = text.split('/');
  const [owner = '', name = ''] = parts;
  if (parts.length === 1 && text !== '') return bad('"owner/name" or "owner/*"', `did you mean "${key}/*"?`);
  if (parts.length !== 2 || owner === '' || name === '') return bad('"owner/name" or "owner/*"');
  if (/[*?[{]/.test(owner)) {
    return bad(
      'an owner that is written out',
      'with a wildcard there, anyone who installs the App could use it; list each owner',
    );
  }
  if (/[?[\]{}]/.test(name)) return bad('"*" as the only wildcard');
  if (name.includes('**')) return bad('a single "*": it matches any run of characters');
  const exact = !name.includes('*');
  const probe = exact ? name : name.replaceAll('*', 'x');
  if (!repositoryRefSchema.safeParse({ owner, name: probe }).success) {
    return bad(
      'the name of a repository as GitHub writes it, "owner/name"',
      exact ? null : 'letters, digits, ".", "-", "_" and "*"',
    );
  }
  return {
    ok: true,
    pattern: { key, excludes, owner: owner.toLowerCase(), name: name.toLowerCase(), exact },
  };
}

export function matchesPattern(pattern: RepositoryPattern, repository: RepositoryRef): boolean {
  if (pattern.owner !== repository.owner.toLowerCase()) return false;
  const name = repository.name.toLowerCase();
  const [head = '', ...rest] = pattern.name.split('*');
  const tail = rest.pop();
  if (tail === undefined) return name === head;
  if (!name.startsWith(head) || !name.endsWith(tail) || name.length < head.length + tail.length) return false;
  let at = head.length;
  const end = name.length - tail.length;
  for (const piece of rest) {
    const found = name.indexOf(piece, at);
    if (found === -1 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}

/** Negative if `a` is more specific, 0 if neither is. */
export function compareSpecificity(a: RepositoryPattern, b: RepositoryPattern): number {
  if (a.exact !== b.exact) return a.exact ? -1 : 1;
  const prefix = (pattern: RepositoryPattern): number => pattern.name.split('*')[0]?.length ?? 0;
  const literal = (pattern: RepositoryPattern): number => pattern.name.replaceAll('*', '').length;
  return prefix(b) - prefix(a) || literal(b) - literal(a);
}

/** Whether some repository name matches both patterns. */
export function overlap(a: RepositoryPattern, b: RepositoryPattern): boolean {
  if (a.owner !== b.owner) return false;
  // reachable[j]: the first i characters of a and the first j of b can match the same text.
  let reachable = Array.from({ length: b.name.length + 1 }, (_, j) => /^\**$/.test(b.name.slice(0, j)));
  for (const left of a.name) {
    const next = [left === '*' && reachable[0] === true];
    for (let j = 1; j <= b.name.length; j += 1) {
      const right = b.name[j - 1];
      // A star on either side matches nothing, or the other side's character.
      if (left === '*' || right === '*') next.push(reachable[j] === true || next[j - 1] === true);
      else next.push(left === right && reachable[j - 1] === true);
    }
    reachable = next;
  }
  return reachable[b.name.length] === true;
}
