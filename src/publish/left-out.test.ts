import { describe, expect, it } from 'vitest';
import type { SkippedPath } from '../core/change-set.ts';
import { leftOutText } from './left-out.ts';

const skipped = (path: string, why: SkippedPath['why'], more: Partial<SkippedPath> = {}): SkippedPath => ({
  type: 'skipped',
  path,
  why,
  ...more,
});

describe('leftOutText', () => {
  it.each<[string, SkippedPath[], string | null]>([
    ['says nothing about an ordinary change', [], null],
    ['says nothing about what tools generate', [skipped('node_modules/', 'generated', { files: 900 })], null],
    [
      'names a repository of its own, and how to publish it',
      [skipped('tool/', 'nested-repository')],
      'Left out: tool/ (a Git repository of its own: delete its .git folder to publish its files).',
    ],
    [
      'names the size of a file and the limit',
      [skipped('a.bin', 'too-large', { bytes: 30 * 1024 * 1024 })],
      'Left out: a.bin (30 MiB, larger than 10 MiB, the limit for a file).',
    ],
    [
      'names the number of files of a folder',
      [skipped('target/', 'too-many', { files: 2100 }), skipped('b', 'ignored')],
      'Left out: target/ (2100 files, more than a change can have (2000 files, 20 MiB): add it to .gitignore or ask for less); b (excluded by .gitignore: add an exception if it is meant).',
    ],
    [
      'names no file whose name holds a secret',
      [skipped(['ghp', 'q7Rz2KfP9xWm4TbYc8VdL1nHs6GjA3eUo5Zi'].join('_'), 'ignored')],
      'Left out: [a GitHub token was here] (excluded by .gitignore: add an exception if it is meant).',
    ],
  ])('%s', (_, entries, text) => {
    expect(leftOutText(entries)).toBe(text);
  });

  it('names five entries and counts the rest', () => {
    const many = Array.from({ length: 8 }, (_, at) => skipped(`sub/${at}`, 'submodule'));
    expect(leftOutText(many)).toMatch(/^Left out: sub\/0 .*sub\/4 [^;]* and 3 more\.$/);
  });
});
