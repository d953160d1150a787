/** Compares the collected change with git: `git add --all` in an ordinary clone with the same files. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ChangeSet } from '../../src/core/change-set.ts';
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
  const run = await runScript('collect.ts', jobFor(of));
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

/** Gives a clone the files of another tree. */
function replaceFiles(clone: string, other: string): void {
  for (const name of readdirSync(clone)) if (name !== '.git') rmSync(join(clone, name), { recursive: true });
  cpSync(other, clone, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => path !== join(other, '.git'),
  });
}

function listingOf(origin: string, { files }: ChangeSet): string[] {
  for (const file of files) {
    if (file.type === 'deletion') git(origin, 'update-index', '--force-remove', file.path);
  }
  for (const file of files) {
    if (file.type === 'deletion') continue;
    const input = Buffer.from(file.content, 'base64');
    const object = execFileSync('git', ['hash-object', '-w', '--stdin'], { cwd: origin, input });
    git(
      origin,
      'update-index',
      '--add',
      '--cacheinfo',
      `${file.mode},${object.toString().trim()},${file.path}`,
    );
  }
  return git(origin, 'ls-files', '--stage').split('\n');
}

describe('the published tree', () => {
  it.each<[string, Edit, Edit]>([
    [
      'with line ends, encodings and keywords that .gitattributes sets',
      (put) => {
        put(
          '.gitattributes',
          [
            '*.txt text',
            '*.bat text eol=crlf',
            '*.sh eol=lf',
            '*.auto text=auto',
            '*.raw -text',
            '*.bin binary',
            '*.id ident',
            '*.u16 text working-tree-encoding=UTF-16LE-BOM eol=crlf',
            '*.latin working-tree-encoding=ISO-8859-1',
            '*.old crlf',
            '*.x filter=unknown',
            '',
          ].join('\n'),
        );
        for (const kind of ['txt', 'bat', 'sh', 'auto', 'raw', 'bin', 'id', 'old', 'x'])
          for (const name of ['edited', 'same', 'gone']) put(`${name}.${kind}`, `${kind} $Id$\none\n`);
        for (const name of ['edited', 'same']) {
          put(`${name}.u16`, utf16('größe\r\n'));
          put(`${name}.latin`, Buffer.from('größe\n', 'latin1'));
        }
      },
      (put, directory) => {
        for (const kind of ['txt', 'bat', 'sh', 'auto', 'raw', 'bin', 'id', 'old', 'x']) {
          put(`edited.${kind}`, `${kind} $Id: 123 $\r\ntwo\nthree\r\n`);
          put(`dir/new.${kind}`, `${kind} $Id: 123 $\r\nnew\r\n`);
          rmSync(join(directory, `gone.${kind}`));
        }
        put('edited.u16', utf16('größer\r\n'));
        put('dir/new.u16', utf16('neu\r\n'));
        put('edited.latin', Buffer.from('größer\n', 'latin1'));
      },
    ],
    [
      'with attributes that the change sets itself, in a folder',
      (put) => {
        put('a.txt', 'one\n');
        put('dir/b.txt', 'one\n');
      },
      (put) => {
        put('dir/.gitattributes', '*.txt text eol=crlf\n[attr]mine text\n*.c mine\n');
        put('a.txt', 'two\r\n');
        put('dir/b.txt', 'two\r\n');
        put('dir/c.c', 'c\r\n');
      },
    ],
    [
      'with every kind of change at once, and odd names',
      (put, directory) => {
        for (const name of [
          'edited',
          'gone',
          'moved',
          'mode',
          ' blanks ',
          'file',
          'linked',
          'dir/a',
          'dir/b',
        ])
          put(name, `${name}\n`.repeat(30));
        put(
          'image',
          new Uint8Array(70_000).map((_, index) => index % 251),
        );
        put('run', '#!/bin/sh\n');
        chmodSync(join(directory, 'run'), 0o755);
        symlinkSync('edited', join(directory, 'link'));
      },
      (put, directory) => {
        put('edited', 'two\n');
        put(
          'image',
          new Uint8Array(70_000).map((_, index) => index % 249),
        );
        put('image 2', new Uint8Array([0, 255, 254, 0]));
        rmSync(join(directory, 'gone'));
        renameSync(join(directory, 'moved'), join(directory, '  moved  here '));
        chmodSync(join(directory, 'mode'), 0o755);
        chmodSync(join(directory, 'run'), 0o644);
        put(' blanks ', 'edited\n');
        put(' new folder / new file ', 'x');
        put('trailing.dot.', 'x');
        put('\u3000wide\u00a0', 'x');
        rmSync(join(directory, 'link'));
        put('link', 'a file now\n');
        rmSync(join(directory, 'linked'));
        symlinkSync(' blanks ', join(directory, 'linked'));
        rmSync(join(directory, 'file'));
        put('file/in', 'x');
        rmSync(join(directory, 'dir'), { recursive: true });
        put('dir', 'a file now\n');
        symlinkSync('nowhere ', join(directory, ' link '));
        put('empty', '');
        put(':100644 100644', 'x');
        put('1\u20111', 'x');
      },
    ],
  ])('is the one of git %s', async (_, fill, edit) => {
    const { origin, directory, change } = await collected(fill, edit);
    expect(change.skipped).toEqual([]);
    const clone = join(temporaryFolder(), 'clone');
    git(origin, 'clone', '--quiet', origin, clone);
    replaceFiles(clone, directory);
    git(clone, 'add', '--all');
    expect(listingOf(origin, change)).toEqual(git(clone, 'ls-files', '--stage').split('\n'));
  });
});

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
