/** A merge from the sandbox's scripts to the commit with two parents, on a simulated GitHub. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { GithubSimulator } from '../../simulators/github/contract.ts';
import { closedPolicy } from '../../src/core/policy.ts';
import { mergeResultSchema } from '../../src/core/merge.ts';
import { parseChangeLines } from '../../src/publish/change-lines.ts';
import { createPublication } from '../../src/publish/publisher.ts';
import { git, jobFor, runScript, temporaryFolder } from '../container/sandbox-scripts.ts';
import {
  factsOf,
  gateInput,
  ownProcess,
  publishInput,
  simulatedGithub,
  taskRequest,
} from './simulated-github.ts';

const policy = {
  ...closedPolicy,
  commit: { signOff: { name: 'Acme Bot', email: 'bot@acme.example' }, author: null },
};

const lines = (first: string, last: string) => `${first}\n2\n3\n4\n5\n6\n7\n8\n${last}\n`;

/** A pull request with conflicts in `both.txt` and `gone.txt`; others merge, and `old.txt` is renamed. */
async function conflicted(simulator: GithubSimulator, more: { head?: object; base?: object } = {}) {
  const at = { owner: 'acme', name: 'split' };
  const repository = await simulator.createRepository({
    ...at,
    files: {
      'both.txt': 'old\n',
      'apart.txt': lines('1', '9'),
      'gone.txt': 'gone\n',
      'old.txt': lines('old', 'name'),
      '.github/workflows/ci.yml': 'on: push\n',
    },
    collaborators: [{ login: 'maria', permission: 'write' }],
  });
  const head = {
    'both.txt': 'head\n',
    'apart.txt': lines('head', '9'),
    'gone.txt': null,
    'old.txt': null,
    'new.txt': lines('old', 'name'),
    'head.txt': 'only here\n',
    ...more.head,
  };
  const base = {
    'both.txt': 'base\n',
    'apart.txt': lines('1', 'base'),
    'gone.txt': 'changed\n',
    'old.txt': lines('old', 'changed'),
    'base.txt': 'only there\n',
    '.github/workflows/ci.yml': 'on: pull_request\n',
    ...more.base,
  };
  const named = { ...at, base: 'main', title: 'Head', author: 'maria' };
  const pull = await simulator.openPull({ ...named, branch: 'feature', files: head });
  const onBase = await simulator.openPull({ ...named, branch: 'onto', title: 'Base', files: base });
  git(repository.gitDir, 'update-ref', 'refs/heads/main', onBase.headSha);
  const facts = factsOf(repository);
  const request = taskRequest({ ask: { kind: 'run', job: 'resolve-conflicts' } });
  const place = {
    number: pull.number,
    title: 'Head',
    url: 'https://github.test/acme/split/pull/1',
    draft: false,
    author: 'maria',
    baseBranch: 'main',
    baseSha: onBase.headSha,
    headRef: 'feature',
    headSha: pull.headSha,
    fork: false,
  };
  return { repository, facts, request, place };
}

/** Merges in a clone, lets `resolve` edit it, and collects. */
async function resolved(
  simulator: GithubSimulator,
  of: Awaited<ReturnType<typeof conflicted>>,
  resolve: (directory: string) => void,
) {
  const { repository, facts, request, place } = of;
  const publication = createPublication(ownProcess(simulator));
  const clean = await publication.mergeCleanly({ facts, request, policy, pull: place });
  if (clean.kind !== 'conflict') throw new Error(clean.kind);
  const parents = { ours: place.headSha, theirs: place.baseSha, ancestor: clean.ancestor };
  const folder = temporaryFolder();
  const folders = { directory: join(folder, 'repo'), objectStore: join(folder, 'base') };
  const also = [
    `+${parents.theirs}:refs/remotes/origin/main`,
    `+${parents.ancestor}:refs/airlock/merge-base`,
  ];
  const cloned = { url: `file://${repository.gitDir}`, sha: place.headSha, branch: 'feature', also };
  await runScript('clone', { ...folders, ...cloned });
  const merge = { ...folders, ...parents, oursName: 'feature', theirsName: 'main' };
  const ran = await runScript('merge', merge);
  const result = mergeResultSchema.parse(JSON.parse(ran.stdout));
  if (!result.ok) throw new Error(result.error);
  // A repeated attempt finds the merge that has begun.
  expect((await runScript('merge', merge)).stdout).toBe(ran.stdout);
  const status = git(folders.directory, 'status', '--porcelain');
  resolve(folders.directory);
  const { tree } = result;
  const collected = await runScript('collect', jobFor({ ...folders, base: tree, branch: 'feature' }));
  const parsed = parseChangeLines(collected.stdout, tree);
  if (!parsed.ok) throw new Error(parsed.reason.message);
  const kept = { ...parents, tree };
  const measure = await publication.measure(facts, request.taskId, parsed.change, kept);
  const change = { ...parsed.change, measure, merge: kept };
  const ref = {
    number: place.number,
    title: 'Head',
    url: place.url,
    headRef: 'feature',
    headSha: place.headSha,
    draft: false,
  };
  const input = {
    ...publishInput(facts, change),
    change,
    request,
    pull: place,
    continues: ref,
    baseBranch: 'feature',
  };
  const gitDir = (...argv: string[]) => git(repository.gitDir, ...argv);
  return { ...folders, publication, conflicts: result.conflicts, status, change, measure, input, gitDir };
}

const write = (directory: string, path: string, text: string | Uint8Array) =>
  writeFileSync(join(directory, path), text);
const resolveAll = (directory: string) => {
  write(directory, 'both.txt', 'head and base\n');
  rmSync(join(directory, 'gone.txt'));
};

describe('a merge of the base branch', () => {
  it('is a commit with both parents and the tree of the checkout', async () => {
    const simulator = await simulatedGithub();
    const of = await conflicted(simulator);
    const it = await resolved(simulator, of, resolveAll);
    expect(it.conflicts).toEqual({ paths: ['both.txt', 'gone.txt'], more: 0 });
    expect(it.status).toMatch(/^AA|^UU both.txt|DU gone.txt/m);
    expect(it.change.files.map(({ path }) => path).toSorted()).toEqual(['apart.txt', 'both.txt', 'new.txt']);
    expect(it.measure.merge).toEqual({ asInParent: [], withoutConflict: ['new.txt'], problem: null });
    expect(it.publication.gate(gateInput(it.change), null)).toEqual({ kind: 'allow' });

    const differs = { ...it.change, merge: { ...it.change.merge, tree: of.place.baseSha } };
    expect(await it.publication.publish({ ...it.input, change: differs })).toMatchObject({
      reason: { code: 'merge-differs' },
    });
    const at = { owner: 'acme', name: 'split' };
    const rules = [{ type: 'required_linear_history' }] as const;
    const { id } = simulator.addRuleset({ ...at, rules, include: ['refs/heads/feature'] });
    expect(await it.publication.publish(it.input)).toMatchObject({
      kind: 'rejected',
      reason: {
        code: 'ruleset-history',
        message: expect.stringMatching(/^The merge was not added /),
        next: expect.stringMatching(/Bypass list.*or rebase the branch by hand/),
      },
    });
    simulator.removeRuleset({ ...at, id });
    const published = await it.publication.publish(it.input);
    if (published.kind !== 'published') throw new Error(JSON.stringify(published));
    const head = it.gitDir('rev-parse', 'feature');
    expect(published).toMatchObject({ added: head, pullRequest: { headSha: head } });
    expect(it.gitDir('log', '-1', '--format=%P%n%s', head)).toBe(
      `${of.place.headSha} ${of.place.baseSha}\nMerge main into feature`,
    );
    git(it.directory, 'add', '--all');
    expect(it.gitDir('rev-parse', `${head}^{tree}`)).toBe(git(it.directory, 'write-tree'));
    // A second attempt finds the commit.
    expect(await it.publication.publish(it.input)).toEqual(published);
  });

  it('names the markers that are left, and is not published onto a head that has moved', async () => {
    const simulator = await simulatedGithub();
    const of = await conflicted(simulator);
    const it = await resolved(simulator, of, (directory) => {
      write(directory, 'apart.txt', `${lines('head', 'base')}=======\n`);
      write(directory, 'latin1.txt', Buffer.from('caf\xE9\n<<<<<<< x\n', 'latin1'));
    });
    expect(it.measure.merge?.problem).toMatch(/in `apart.txt:10`, `both.txt:1`, `latin1.txt:2`, so nothing/);
    const identity = ['-c', 'user.name=x', '-c', 'user.email=x@example.test'];
    const more = it.gitDir(...identity, 'commit-tree', '-p', 'feature', '-m', 'more', 'feature^{tree}');
    it.gitDir('update-ref', 'refs/heads/feature', more);
    // Publishing the same merge again could not succeed.
    expect(await it.publication.publish(it.input)).toMatchObject({
      kind: 'outdated',
      reason: { code: 'branch-moved', next: expect.stringContaining('`retry`') },
    });
    expect(it.gitDir('rev-parse', 'feature')).toBe(more);
  });

  it('is not published if both sides moved a submodule, which the sandbox cannot resolve', async () => {
    const simulator = await simulatedGithub();
    const of = await conflicted(simulator);
    const { gitDir } = of.repository;
    const withModule = (branch: string, sha: string): string => {
      git(gitDir, 'read-tree', branch);
      git(gitDir, 'update-index', '--add', '--cacheinfo', `160000,${sha},lib`);
      const identity = ['-c', 'user.name=x', '-c', 'user.email=x@example.test'];
      const tree = git(gitDir, 'write-tree');
      const commit = git(gitDir, ...identity, 'commit-tree', '-p', branch, '-m', 'lib', tree);
      git(gitDir, 'update-ref', `refs/heads/${branch}`, commit);
      return commit;
    };
    const headSha = withModule('feature', 'a'.repeat(40));
    const place = { ...of.place, headSha, baseSha: withModule('main', 'b'.repeat(40)) };
    const it = await resolved(simulator, { ...of, place }, resolveAll);
    expect(it.conflicts.paths).toContain('lib');
    expect(it.measure.merge?.problem).toMatch(/cannot publish: `lib`\.$/);
  });

  it('is judged by what is neither side’s, and by what only one side changed', async () => {
    const simulator = await simulatedGithub();
    const key = ['AKIA', 'IOSFODNN7EXAMPLQ'].join('');
    const of = await conflicted(simulator, { base: { 'both.txt': `${key}\n` } });
    const it = await resolved(simulator, of, (directory) => {
      write(directory, 'both.txt', `${key}\n`);
      rmSync(join(directory, 'gone.txt'));
      write(directory, '.github/workflows/ci.yml', 'on: push\n');
    });
    expect(it.measure.merge?.asInParent).toEqual(['both.txt']);
    expect(it.publication.gate(gateInput(it.change), null)).toMatchObject({
      kind: 'hold',
      reason: { code: 'workflow-files', message: expect.not.stringContaining('both.txt') },
    });
  });

  it('needs no sandbox where there is no conflict, and none where there is nothing to merge', async () => {
    const simulator = await simulatedGithub();
    const of = await conflicted(simulator, { base: { 'both.txt': 'old\n', 'gone.txt': 'gone\n' } });
    const publication = createPublication(ownProcess(simulator));
    const input = { facts: of.facts, request: of.request, policy, pull: of.place };
    const merged = await publication.mergeCleanly(input);
    const head = git(of.repository.gitDir, 'rev-parse', 'feature');
    expect(merged).toEqual({ kind: 'merged', commit: head });
    expect(git(of.repository.gitDir, 'log', '-1', '--format=%P', head)).toBe(
      `${of.place.headSha} ${of.place.baseSha}`,
    );
    expect(git(of.repository.gitDir, 'log', '-1', '--format=%(trailers:key=Signed-off-by)', head)).toBe(
      'Signed-off-by: Acme Bot <bot@acme.example>',
    );
    expect(await publication.mergeCleanly(input)).toEqual(merged);
    const request = { ...of.request, taskId: 'gh-1-c78' };
    expect(await publication.mergeCleanly({ ...input, request })).toEqual({ kind: 'contained' });
  });
});
