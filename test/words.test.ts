/** Keeps comments, names, messages, titles and documents in plain English and within 110 columns. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = dirname(import.meta.dirname);

/** Folders and files that are checked. */
const checkedPaths: readonly string[] = [
  'src',
  'host',
  'container',
  'cli',
  'simulators',
  'probes',
  'chaos',
  'scripts',
  'bench',
  'docs',
  ...readdirSync(import.meta.dirname)
    .filter((name) => name !== 'words.test.ts')
    .map((name) => `test/${name}`),
  ...readdirSync(root).filter((name) => /\.(?:ts|jsonc|md)$/.test(name)),
];

/** Lines in which a banned expression is literally right, by file. Compared without indentation. */
const allowedLines: Readonly<Record<string, readonly string[]>> = {};

const maxColumns = 110;
const checkedFile = /\.(?:ts|mts|mjs|md|jsonc)$/;
const skippedPath = /(?:^|\/)(?:node_modules|dist|fixtures)\/|(?:^|\/)worker-configuration\.d\.ts$/;

interface Ban {
  readonly pattern: RegExp;
  readonly instead: string;
  /** A text that the pattern has to find. */
  readonly example: string;
}

const bans: readonly Ban[] = [
  { pattern: /\bwhoever\b/i, instead: 'anyone who, or name the subject', example: 'whoever asks' },
  { pattern: /\banew\b/i, instead: 'again, or new', example: 'starts anew' },
  { pattern: /\b(?:go|goes|went|going) on with\b/i, instead: 'continue', example: 'goes on with the log' },
  {
    pattern: /\b(?:is|are|was|were|be) told\b/i,
    instead: 'gets, reads, is notified; or say who reports what',
    example: 'Codex is told the branch',
  },
  { pattern: /\bso long\b/i, instead: 'until then, for that time', example: 'waits so long' },
  { pattern: /\bbeside\b/i, instead: 'next to, in addition to, concurrently', example: 'a file beside it' },
  {
    pattern: /\bmay ?pass\b/i,
    instead: 'transient (of an error), allowed (of a request)',
    example: 'an error that may pass, or mayPass',
  },
  {
    pattern: /\bway ?out\b/i,
    instead: 'remedy, or exfiltration channel',
    example: 'names the way out, or wayOut',
  },
  { pattern: /\bshall\b/i, instead: 'must, will, or an imperative', example: 'what shall be done' },
  { pattern: /\bto hear of\b/i, instead: 'to learn about, to be notified of', example: 'to hear of an end' },
  { pattern: /\bwhat passes\b/i, instead: 'what is allowed, what is forwarded', example: 'what passes here' },
  { pattern: /\b(?:stands|stood)\b/i, instead: 'is, means, was', example: 'it stands in the receipt' },
  { pattern: /\bin vain\b/i, instead: 'without success', example: 'asked in vain' },
  {
    pattern: /\b(?:breaks?|broke|broken|breaking) off\b/i,
    instead: 'abort, end early, truncate',
    example: 'an answer that breaks off',
  },
  {
    pattern: /\b(?:that|which) is none\b/i,
    instead: 'invalid, missing, no …',
    example: 'a port that is none',
  },
  { pattern: /\bfor who\b/i, instead: 'for people who, for users who', example: 'for who runs it' },
  { pattern: /\bof worth\b/i, instead: 'valuable', example: 'things of worth' },
  { pattern: /\basked for by\b/i, instead: 'requested by', example: 'asked for by maria' },
  { pattern: /\bin nobody[’']s name\b/i, instead: 'without a requester', example: 'in nobody’s name' },
  {
    pattern: /\bso that nothing was started\b/i,
    instead: 'so nothing was started',
    example: 'off, so that nothing was started',
  },
  { pattern: /\bis known to have\b/i, instead: 'name the subject', example: 'nobody is known to have asked' },
  { pattern: /\bwhat\b.{0,20}\bis what\b/i, instead: 'name the thing', example: 'what is what here' },
];

function filesUnder(path: string): string[] {
  if (statSync(join(root, path)).isFile()) return [path];
  return readdirSync(join(root, path), { recursive: true, encoding: 'utf8' })
    .map((name) => `${path}/${name}`)
    .filter((name) => checkedFile.test(name) && !skippedPath.test(name));
}

interface Line {
  readonly path: string;
  readonly number: number;
  readonly text: string;
  /** Whether the line is in a fenced block of a document: output or a diagram, copied as it is. */
  readonly fenced: boolean;
}

function linesOf(path: string): Line[] {
  let fenced = false;
  return readFileSync(join(root, path), 'utf8')
    .split('\n')
    .map((text, index) => {
      if (path.endsWith('.md') && /^\s*```/.test(text)) fenced = !fenced;
      return { path, number: index + 1, text, fenced };
    });
}

function wordProblems({ path, number, text }: Line): string[] {
  if (allowedLines[path]?.includes(text.trim()) === true) return [];
  return bans.flatMap(({ pattern, instead }) => {
    const found = pattern.exec(text)?.[0];
    return found === undefined ? [] : [`${path}:${number}: "${found}": write ${instead}`];
  });
}

/**
 * A line that is too wide and can be shortened: comments, titles, prose. Ignores URLs, tables, directives,
 * and code that the formatter could not break.
 */
function isTooWide(path: string, text: string): boolean {
  if (text.replace(/https?:\/\/\S+/g, '').length <= maxColumns) return false;
  const isTable = /^\s*(?:\* )?\|/.test(text);
  if (isTable || /^\s*\/\/ oxlint-disable/.test(text)) return false;
  if (path.endsWith('.md')) return true;
  const isComment = /^\s*(?:\/\/|\/?\*)/.test(text) || /[;,{)\]] \/\/ /.test(text);
  const isTitle = /^\s*(?:it|describe)\(['"`]/.test(text);
  return isComment || isTitle || !/['"`]|\/\S+\//.test(text);
}

const files = [...new Set(checkedPaths.flatMap((path) => filesUnder(path)))];

describe('the words of the project', () => {
  it('contain no banned expression', () => {
    expect(files.flatMap((path) => linesOf(path).flatMap(wordProblems))).toEqual([]);
  });

  it('fit into 110 columns', () => {
    const wide = files.flatMap((path) =>
      linesOf(path).filter(({ text, fenced }) => !fenced && isTooWide(path, text)),
    );
    expect(wide.map(({ path, number, text }) => `${path}:${number}: ${text.length} columns`)).toEqual([]);
  });

  it('have no allowed line that no longer exists', () => {
    const stale = Object.entries(allowedLines).flatMap(([path, allowed]) => {
      const texts = new Set(linesOf(path).map(({ text }) => text.trim()));
      return allowed.filter((line) => !texts.has(line)).map((line) => `${path}: ${line}`);
    });
    expect(stale).toEqual([]);
  });
});

it.each(bans)('finds $pattern in its example', ({ pattern, example }) => {
  expect(example).toMatch(pattern);
});

it.each([
  ['a.ts', `// ${'word '.repeat(25)}`, true],
  ['a.ts', `const a = b; // ${'word '.repeat(25)}`, true],
  ['a.ts', `it('${'word '.repeat(25)}', () => {`, true],
  ['a.ts', 'word '.repeat(25), true],
  ['a.ts', `const a = '${'word '.repeat(25)}';`, false],
  ['a.ts', `// see https://example.com/${'x'.repeat(110)}`, false],
  ['a.md', 'word '.repeat(25), true],
  ['a.md', `| ${'word '.repeat(25)}|`, false],
  ['a.ts', ` * | ${'word '.repeat(25)}|`, false],
  ['a.ts', `// oxlint-disable-next-line ${'a-rule, '.repeat(15)}`, false],
])('decides whether a line of %s is too wide', (path, text, expected) => {
  expect(isTooWide(path, text)).toBe(expected);
});
