/** Compares a measured change with what git says of the same commits. */
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createPublication } from '../../src/publish/publisher.ts';
import { cloneWorkspace, temporaryFolder } from '../container/sandbox-scripts.ts';
import {
  baseFiles,
  changedRepository,
  ownProcess,
  publishInput,
  simulatedGithub,
} from './simulated-github.ts';

const edit = (directory: string): void => {
  const write = (path: string, content: string | Uint8Array) => writeFileSync(join(directory, path), content);
  write('src/split.js', '// Rounds.\nexport const split = (a, b) => Math.round(a / b);');
  write('README.md', '# Split\n\n## More\n');
  chmodSync(join(directory, 'bin/run.sh'), 0o755);
  rmSync(join(directory, 'docs/old.md'));
  mkdirSync(join(directory, 'new'));
  write('new/a"b.txt', 'one\ntwo\n');
  write('new/empty.txt', '');
  write('LOGO.png', 'text\n');
  // A symlink in place of a file, and a file with the words of a symlink in its place.
  rmSync(join(directory, 'data/a/b.txt'));
  symlinkSync('../../README.md', join(directory, 'data/a/b.txt'));
  rmSync(join(directory, 'link'));
  write('link', 'README.md');
};

it('counts lines and modes as git does, and makes a patch that git applies', async () => {
  const simulator = await simulatedGithub();
  const { repository, facts, change } = await changedRepository(simulator, edit);
  const publication = createPublication(ownProcess(simulator));
  const measure = await publication.measure(facts, 'gh-1-c77', change, null);
  expect(measure).toMatchObject({ unmeasured: 0, baseFiles: 8, collisions: [['LOGO.png', 'logo.png']] });
  expect(new Map(measure.modesBefore).get('bin/run.sh')).toBe('100644');
  expect(measure.patch.complete).toBe(true);

  const workspace = await cloneWorkspace(repository.gitDir, repository.headSha);
  const patch = join(temporaryFolder(), 'change.patch');
  writeFileSync(patch, measure.patch.text);
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: workspace.directory, encoding: 'utf8' });
  git('apply', '--index', patch);
  expect(git('diff', '--cached', '--shortstat')).toContain(
    ` ${measure.insertions} insertions(+), ${measure.deletions} deletions(-)`,
  );
  const published = await publication.publish(publishInput(facts, change));
  if (published.kind !== 'published') throw new Error('not published');
  const head = execFileSync('git', ['rev-parse', `${published.pullRequest.headSha}^{tree}`], {
    cwd: repository.gitDir,
    encoding: 'utf8',
  });
  expect(git('write-tree')).toBe(head);
});

it('knows which secrets the base has in any of the changed files, and shows none of them', async () => {
  const simulator = await simulatedGithub();
  const [old, fresh] = [
    'q7Rz2KfP9xWm4TbYc8VdL1nHs6GjA3eUo5Zi',
    '3eUo5Ziq7Rz2KfP9xWm4TbYc8VdL1nHs6GjA',
  ] as const;
  const move = (directory: string): void => {
    rmSync(join(directory, 'old.env'));
    writeFileSync(join(directory, 'new.env'), `\nA=ghp_${old}\nB=ghp_${old},ghp_${fresh}\nC=npm_${old}\n`);
  };
  const files = { ...baseFiles, 'old.env': `ghp_${old}\nnpm_${old}\n` };
  const { facts, change } = await changedRepository(simulator, move, { files });
  const publication = createPublication(ownProcess(simulator));
  const { secretsBefore, patch } = await publication.measure(facts, 'gh-1-c77', change, null);
  expect(secretsBefore).toEqual([
    ['new.env', 2],
    ['new.env', 4],
  ]);
  expect(patch).toMatchObject({
    complete: false,
    text: expect.stringContaining('-[a GitHub token was here]'),
  });
  expect(patch.text).not.toContain(old.slice(0, 8));
});

it('shows nothing of a file that looks like a secret, or is binary', async () => {
  const simulator = await simulatedGithub();
  const token = ['ghp', 'q7Rz2KfP9xWm4TbYc8VdL1nHs6GjA3eUo5Zi'].join('_');
  const { facts, change } = await changedRepository(simulator, (directory) => {
    writeFileSync(join(directory, 'README.md'), `# Split\n${token}\n`);
    writeFileSync(join(directory, 'logo.png'), new Uint8Array([0, 1]));
  });
  const { patch } = await createPublication(ownProcess(simulator)).measure(facts, 'gh-1-c77', change, null);
  expect(patch).toEqual({
    complete: false,
    text: 'diff --git a/README.md b/README.md\n# Not shown: it has a GitHub token, line 2.\ndiff --git a/logo.png b/logo.png\n# Not shown: it is binary.\n',
  });
});
