import { describe, expect, it } from 'vitest';
import { maxFileBytes } from '../core/change-set.ts';
import { parseChangeLines } from './change-lines.ts';

const base = 'a'.repeat(40);
const file = (path: string, content = 'eA==', more: object = {}) => ({
  type: 'file',
  path,
  mode: '100644',
  content,
  ...more,
});
const end = (entries: number, more: object = {}) => ({
  type: 'end',
  base,
  entries,
  links: [],
  diskFull: false,
  ...more,
});
const text = (...lines: unknown[]): string =>
  lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
const code = (...lines: unknown[]): string | null => {
  const parsed = parseChangeLines(text(...lines), base);
  return parsed.ok ? null : parsed.reason.code;
};

describe('parseChangeLines', () => {
  it('accepts files, deletions, skipped paths and the end', () => {
    const link = { path: 'l', target: 't' };
    const lines = text(
      file('a'),
      { type: 'deletion', path: 'b' },
      { type: 'skipped', path: 'c', why: 'too-large', bytes: 5, files: 2 },
      end(3, { links: [link], diskFull: true }),
    );
    expect(parseChangeLines(lines, base)).toEqual({
      ok: true,
      change: {
        base,
        files: [file('a'), { type: 'deletion', path: 'b' }],
        skipped: [{ type: 'skipped', path: 'c', why: 'too-large', bytes: 5, files: 2 }],
        links: [link],
        diskFull: true,
      },
    });
  });

  it.each<[string, unknown[], string]>([
    ['nothing at all', [], 'change-malformed'],
    ['a missing end', [file('a')], 'change-malformed'],
    ['a line cut in the middle', [JSON.stringify(file('a')).slice(0, 20)], 'change-malformed'],
    ['fewer lines than were counted', [file('a'), end(2)], 'change-malformed'],
    ['something after the end', [end(0), file('a')], 'change-malformed'],
    ['two ends', [end(0), end(0)], 'change-malformed'],
    ['another base', [end(0, { base: 'b'.repeat(40) })], 'change-malformed'],
    ['a line of an unknown type', [{ type: 'patch' }, end(1)], 'change-malformed'],
    ['an unknown field', [file('a', 'eA==', { url: 'x' }), end(1)], 'change-malformed'],
    ['an unknown mode', [file('a', 'eA==', { mode: '160000' }), end(1)], 'change-malformed'],
    ['content that is not base64', [file('a', 'e A='), end(1)], 'change-malformed'],
    ['content with the wrong padding', [file('a', 'eA'), end(1)], 'change-malformed'],
    ['an array', ['[]'], 'change-malformed'],
    [
      'the report of a failed collector',
      [file('a'), { type: 'failed', code: 'too-large', message: 'big' }],
      'collect-too-large',
    ],
    ['the same path twice', [file('a'), file('a'), end(2)], 'change-path-refused'],
    [
      'a path that is both changed and deleted',
      [file('a'), { type: 'deletion', path: 'a' }, end(2)],
      'change-path-refused',
    ],
    ['a file below a file', [file('a'), file('a/b'), end(2)], 'change-path-refused'],
    ['a path out of the repository', [file('../a'), end(1)], 'change-path-refused'],
    ['a deletion in .git', [{ type: 'deletion', path: '.git/config' }, end(1)], 'change-path-refused'],
  ])('refuses %s', (_, lines, expected) => {
    expect(code(...lines)).toBe(expected);
  });

  it('accepts a folder in place of a deleted file', () => {
    expect(code({ type: 'deletion', path: 'a' }, file('a/b'), end(2))).toBeNull();
  });

  it('refuses a file, a change and a number of files above the caps', () => {
    const bytes = (count: number): string => 'A'.repeat(Math.ceil(count / 3) * 4);
    expect(code(file('a', bytes(maxFileBytes)), end(1))).toBe('change-too-large');
    expect(code(...['a', 'b', 'c'].map((path) => file(path, bytes(maxFileBytes - 3))), end(3))).toBe(
      'change-too-large',
    );
    expect(code(...Array.from({ length: 2001 }, (_, index) => file(`f${index}`, '')), end(2001))).toBe(
      'change-too-large',
    );
  });
});
