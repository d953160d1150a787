/** What the collector makes of git's conversions. `test/publish/corpus` compares whole changes with git's. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseChangeLines } from '../../src/publish/change-lines.ts';
import { cloneWorkspace, git, jobFor, runScript, temporaryFolder } from './sandbox-scripts.ts';

type Edit = (put: (path: string, content: string | Uint8Array) => void, directory: string) => void;

const utf16 = (text: string): Buffer => Buffer.from(`\ufeff${text}`, 'utf16le');

/** Commits what `fill` writes, clones it as in a sandbox, and collects what `edit` changes there. */
async function collected(fill: Edit, edit: Edit) {
  const origin = temporaryFolder();
  git(origin, 'init', '--quiet');
  fill(writer(origin), origin);
  git(origin, 'add', '--all', '--force');
  git(origin, 'commit', '--quiet', '--allow-empty', '-m', 'base');
  const base = git(origin, 'rev-parse', 'HEAD');
  const of = await cloneWorkspace(origin, base);
  edit(writer(of.directory), of.directory);
  const run = await runScript('collect', jobFor(of));
  const parsed = parseChangeLines(run.stdout, base);
  if (!parsed.ok) throw new Error(parsed.reason.message);
  return { origin, directory: of.directory, change: parsed.change };
}

const writer =
  (directory: string): Parameters<Edit>[0] =>
  (path, content) => {
    mkdirSync(join(directory, path, '..'), { recursive: true });
    writeFileSync(join(directory, path), content);
  };

it('leaves out files that git would convert although nobody touched them', async () => {
  const { change } = await collected(
    (put, directory) => {
      put('old.txt', 'one\r\n');
      git(directory, 'add', 'old.txt');
      git(directory, 'commit', '--quiet', '-m', 'old');
      put('.gitattributes', '*.txt text\n');
      put('other', 'x');
    },
    (put) => put('other', 'y'),
  );
  expect(change.files.map(({ path }) => path)).toEqual(['other']);
});

it.each<[string, (directory: string) => void]>([
  ['staged', () => undefined],
  ['committed', (directory) => git(directory, 'commit', '--quiet', '-m', 'Normalize')],
])('collects line ends that Codex normalized and %s, although the files are untouched', async (_, then) => {
  const { change } = await collected(
    (put) => {
      put('old.txt', 'one\r\n');
      put('same.bin', 'one\r\n');
    },
    (put, directory) => {
      put('.gitattributes', '*.txt text=auto\n');
      git(directory, 'add', '--renormalize', '.');
      then(directory);
    },
  );
  expect(change.files).toMatchObject([
    { path: '.gitattributes' },
    { path: 'old.txt', content: Buffer.from('one\n').toString('base64') },
  ]);
});

it('names a file that does not have the encoding of its attribute, and collects the rest', async () => {
  const { change } = await collected(
    (put) =>
      put('.gitattributes', '*.u16 working-tree-encoding=UTF-16\n*.odd working-tree-encoding=NONE-1\n'),
    (put) => {
      for (const name of ['a', 'b', 'c', 'right.u16']) put(name, utf16('x'));
      put('wrong.u16', 'not UTF-16');
      put('a.odd', 'x');
    },
  );
  expect(change.files.map(({ path }) => path)).toEqual(['a', 'b', 'c', 'right.u16']);
  expect(change.skipped.map(({ path, why }) => `${path} ${why}`)).toEqual([
    'a.odd encoding',
    'wrong.u16 encoding',
  ]);
});
