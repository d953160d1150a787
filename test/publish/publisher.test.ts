/** Publication to a simulated GitHub that keeps git objects and refuses what GitHub refuses. */
import { mkdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { GithubSimulator, Permissions } from '../../simulators/github/contract.ts';
import { secondaryLimit } from '../../simulators/github/known-refusals.ts';
import { meaningOf } from '../../src/core/ports/upstream-error.ts';
import { closedPolicy } from '../../src/core/policy.ts';
import { taskMarker } from '../../src/github/progress-comment.ts';
import { createPublication } from '../../src/publish/publisher.ts';
import { git } from '../container/sandbox-scripts.ts';
import {
  changedRepository,
  dyingFetch,
  type Edit,
  gateInput,
  ownProcess,
  publishInput,
  simulatedGithub,
  taskRequest,
} from './simulated-github.ts';

const at = { owner: 'acme', name: 'split' };
const branch = 'airlock/fix-the-rounding-in-split-0a1b2c3d';

function smallEdit(directory: string): void {
  writeFileSync(join(directory, 'src/split.js'), 'export const split = (a, b) => Math.round(a / b);\n');
  writeFileSync(join(directory, 'src/split.test.js'), 'import "./split.js";\n');
  unlinkSync(join(directory, 'docs/old.md'));
}

/** A repository, and a change to it that is ready for publication. */
async function scene(edit: Edit = smallEdit, permissions?: Permissions) {
  const simulator = await simulatedGithub(permissions);
  const publication = createPublication(ownProcess(simulator));
  const changed = await changedRepository(simulator, edit);
  return { simulator, publication, ...changed, input: publishInput(changed.facts, changed.change) };
}

async function published(
  simulator: GithubSimulator,
): Promise<{ branches: string[]; pulls: number; commits: number }> {
  const [branches, pulls] = await Promise.all([simulator.branches(at), simulator.pulls(at)]);
  const made = simulator
    .requests()
    .filter(
      ({ method, path, status }) => method === 'POST' && path.endsWith('/git/commits') && status === 201,
    );
  return {
    branches: branches.map(({ name }) => name).filter((name) => name !== 'main'),
    pulls: pulls.length,
    commits: made.length,
  };
}

describe('a published change', () => {
  it('is based on the recorded base commit, even if the base branch has moved', async () => {
    const { simulator, publication, repository, input } = await scene();
    const moved = await simulator.moveBranch({ ...at, branch: 'main', files: { 'src/split.js': 'other\n' } });
    const result = await publication.publish(input);
    expect(result.kind).toBe('published');
    expect(git(repository.gitDir, 'rev-parse', `${branch}^`)).toBe(repository.headSha);
    expect(git(repository.gitDir, 'rev-parse', 'main')).toBe(moved.sha);
    expect(git(repository.gitDir, 'diff', '--name-status', `${branch}^`, branch).split('\n')).toEqual([
      'D\tdocs/old.md',
      'M\tsrc/split.js',
      'A\tsrc/split.test.js',
    ]);
  });

  const acme = { name: 'Acme Bot', email: 'bot@acme.example' };
  it.each([
    [
      'the bot, and is signed by GitHub',
      null,
      String.raw`airlock\[bot\] <\d+\+airlock\[bot\]@users\.noreply\.github\.com>\|GitHub`,
    ],
    ['the configured author, unsigned', acme, String.raw`Acme Bot <bot@acme\.example>\|Acme Bot`],
  ])('names the task, the requester and %s in the commit', async (_, author, people) => {
    const { simulator, facts, change, repository } = await scene();
    const policy = { ...closedPolicy, commit: { signOff: null, author } };
    await createPublication(ownProcess(simulator)).publish(publishInput(facts, change, { policy }));
    const format =
      '%an <%ae>|%cn|%(trailers:key=Airlock-Task,valueonly)|%(trailers:key=Co-authored-by,valueonly)';
    expect(git(repository.gitDir, 'log', '-1', `--format=${format}`, branch).replaceAll('\n', '')).toMatch(
      new RegExp(String.raw`^${people}\|gh-1-c77\|mona <583231\+mona@users\.noreply\.github\.com>$`),
    );
    expect(/^gpgsig /m.test(git(repository.gitDir, 'cat-file', 'commit', branch))).toBe(author === null);
  });

  it('uses a token that may only write contents and pull requests of this repository', async () => {
    const { simulator, publication, input } = await scene();
    await simulator.createRepository({ owner: 'acme', name: 'other', files: { a: 'a' } });
    await publication.publish(input);
    const tokens = simulator.issuedTokens();
    expect(tokens).toHaveLength(1);
    const { metadata: _, ...permissions } = { ...tokens[0]?.permissions };
    expect(permissions).toEqual({ contents: 'write', pull_requests: 'write' });
    expect(tokens[0]?.repositories).toEqual(['acme/split']);
  });

  it('is a draft with its remarks on request', async () => {
    const { simulator, facts, change } = await scene();
    await createPublication(ownProcess(simulator)).publish(
      publishInput(facts, change, { draft: true, remarks: ['AGENTS.md tells agents what to do.'] }),
    );
    const [pull] = await simulator.pulls(at);
    expect(pull).toMatchObject({ draft: true, title: 'Fix the rounding in split()' });
    expect(pull?.body).toContain('AGENTS.md tells agents what to do.');
    expect(pull?.body).toContain('Closes #7');
  });
});

describe('a second attempt', () => {
  it('finds the pull request of the first', async () => {
    const { simulator, input } = await scene();
    const first = await createPublication(ownProcess(simulator)).publish(input);
    const second = await createPublication(ownProcess(simulator)).publish(input);
    expect(second).toEqual(first);
    expect(await published(simulator)).toEqual({ branches: [branch], pulls: 1, commits: 1 });
  });

  it('finds the branch under the prefix that the policy names', async () => {
    const { simulator, facts, change } = await scene();
    const policy = { ...closedPolicy, branchPrefix: 'bot-' };
    const input = publishInput(facts, change, { policy });
    const first = await createPublication(ownProcess(simulator)).publish(input);
    expect(await createPublication(ownProcess(simulator)).publish(input)).toEqual(first);
    const branches = ['bot-fix-the-rounding-in-split-0a1b2c3d'];
    expect(await published(simulator)).toEqual({ branches, pulls: 1, commits: 1 });
  });

  it('makes one branch and one pull request together with five concurrent ones', async () => {
    const { simulator, input } = await scene();
    const results = await Promise.all(
      Array.from({ length: 6 }, async () => await createPublication(ownProcess(simulator)).publish(input)),
    );
    expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(1);
    expect(results[0]?.kind).toBe('published');
    expect(await published(simulator)).toMatchObject({ branches: [branch], pulls: 1 });
  });

  it.each(['before', 'after'] as const)(
    'makes one branch, one commit and one pull request after a crash %s each single call',
    async (when) => {
      const { simulator, facts, change, repository } = await scene();
      let calls = 0;
      let same = false;
      for (let lastCall = 1; ; lastCall += 1) {
        const number = String(lastCall).padStart(2, '0');
        const request = taskRequest({
          taskId: `gh-1-c${number}`,
          shortId: `${when === 'after' ? 'aaaaaa' : 'bbbbbb'}${number}`,
        });
        const input = publishInput(facts, change, { request });
        const dying = dyingFetch(lastCall, when);
        const first = await createPublication(ownProcess(simulator, dying.fetch))
          .publish(input)
          .catch((error: unknown) => error);
        const second = await createPublication(ownProcess(simulator)).publish(input);
        if (!dying.died()) {
          // The first attempt succeeded, so every call was tried.
          calls = lastCall - 1;
          same = isDeepStrictEqual(first, second);
          break;
        }
        expect(first).toBeInstanceOf(Error);
        if (second.kind !== 'published') throw new Error(second.reason.message);
        const { headRef, headSha } = second.pullRequest;
        expect(git(repository.gitDir, 'rev-list', '--count', `main..${headRef}`)).toBe('1');
        expect(git(repository.gitDir, 'rev-parse', headRef)).toBe(headSha);
        const mine = (await simulator.pulls(at)).filter((pull) => pull.headRef.endsWith(request.shortId));
        expect(mine).toHaveLength(1);
        expect(
          (await simulator.branches(at)).filter(({ name }) => name.includes(request.shortId)),
        ).toHaveLength(1);
      }
      expect(calls).toBeGreaterThan(6);
      expect(same).toBe(true);
    },
  );

  it('finds the pull request after people have added commits to it, and no other commit in it', async () => {
    const { simulator, repository, input } = await scene();
    // Killed after the branch was created: seven calls come before it, two of them once per process.
    simulator.failNext({ method: 'POST', path: /\/pulls$/, status: 502, when: 'before' });
    await expect(createPublication(ownProcess(simulator)).publish(input)).rejects.toThrow('502');
    const onTop = await simulator.moveBranch({ ...at, branch, files: { 'more.txt': 'by a person\n' } });
    const second = await createPublication(ownProcess(simulator)).publish(input);
    const commit = git(repository.gitDir, 'rev-parse', `${branch}^`);
    const pullRequest = { headRef: branch, headSha: onTop.sha };
    expect(second).toMatchObject({ kind: 'published', pullRequest, commit });
    // Then somebody puts a commit of their own in its place.
    const message = `Mine\n\nAirlock-Task: ${input.request.taskId}`;
    const mine = git(repository.gitDir, 'commit-tree', '-p', 'main', '-m', message, `${onTop.sha}^{tree}`);
    git(repository.gitDir, 'update-ref', `refs/heads/${branch}`, mine);
    const third = await createPublication(ownProcess(simulator)).publish(input);
    expect(third).toMatchObject({ kind: 'published', pullRequest: { headSha: mine }, commit: null });
  });

  it('takes another name if the branch belongs to somebody else', async () => {
    const { simulator, repository, input } = await scene();
    // With a pull request that ends as ours do.
    const body = taskMarker('gh-1-c77');
    const theirs = { author: 'mona', branch, base: 'main', title: 'Theirs', body, files: { 'x.txt': 'x\n' } };
    const { number, headSha } = await simulator.openPull({ ...at, ...theirs });
    const first = await createPublication(ownProcess(simulator)).publish(input);
    expect(first).toMatchObject({ kind: 'published', pullRequest: { headRef: `${branch}-2` } });
    expect(await createPublication(ownProcess(simulator)).publish(input)).toEqual(first);
    expect(git(repository.gitDir, 'rev-parse', branch)).toBe(headSha);
    // Once people have merged it and deleted its branch, a late attempt creates none for a moment either.
    await simulator.closePull({ ...at, number: number + 1, merge: true });
    git(repository.gitDir, 'branch', '--quiet', '-D', `${branch}-2`);
    expect(await createPublication(ownProcess(simulator)).publish(input)).toEqual(first);
    const created = simulator
      .requests()
      .filter(({ path, status }) => path.endsWith('git/refs') && status === 201);
    expect(created).toHaveLength(1);
  });
});

describe('a refusal of GitHub', () => {
  it('of a workflow file is a reason that names the permission', async () => {
    const { simulator, publication, input } = await scene((directory) => {
      mkdirSync(join(directory, '.github/workflows'), { recursive: true });
      writeFileSync(join(directory, '.github/workflows/ci.yml'), 'on: push\n');
    });
    expect(publication.gate(gateInput(input.change), null)).toMatchObject({
      kind: 'hold',
      reason: { code: 'workflow-files' },
    });
    const result = await publication.publish(input);
    expect(result).toMatchObject({ kind: 'rejected', reason: { code: 'permission-missing' } });
    expect(result.kind === 'rejected' && result.reason.next).toContain('Workflows: write');
    expect(await published(simulator)).toMatchObject({ branches: [], pulls: 0 });
  });

  it('of an installation without the permission is a reason', async () => {
    const { publication, input } = await scene(smallEdit, {
      contents: 'read',
      issues: 'write',
      metadata: 'read',
    });
    const result = await publication.publish(input);
    expect(result).toMatchObject({ kind: 'rejected', reason: { code: 'installation-permissions' } });
  });

  it('of a deleted base branch is a reason', async () => {
    const { simulator, facts, change, repository } = await scene();
    git(repository.gitDir, 'branch', 'release', 'main');
    git(repository.gitDir, 'branch', '--delete', 'release');
    const result = await createPublication(ownProcess(simulator)).publish(
      publishInput(facts, change, { baseBranch: 'release' }),
    );
    expect(result).toMatchObject({ kind: 'rejected', reason: { code: 'base-branch-gone' } });
    const message = result.kind === 'rejected' ? result.reason.message : '';
    expect(message).toContain('The base branch `release` was deleted');
    expect(message).toContain(`The change is on the branch \`${branch}\``);
  });

  it.each([
    [500, /./],
    [502, /502/],
    [503, /./],
    [429, /rate limit/],
  ])('that is transient (%i) is thrown, and the next attempt succeeds', async (status, message) => {
    const { simulator, publication, input } = await scene();
    simulator.failNext({ method: 'POST', path: /\/git\/trees$/, status });
    await expect(publication.publish(input)).rejects.toThrow(message);
    expect((await publication.publish(input)).kind).toBe('published');
  });

  it.each([
    ['POST', /\/access_tokens$/],
    ['POST', /\/git\/trees$/],
    ['POST', /\/git\/commits$/],
    ['POST', /\/git\/refs$/],
    ['POST', /\/pulls$/],
    ['GET', /\/pulls$/],
  ])('by a secondary limit at %s %s says how long to wait', async (method, path) => {
    const { simulator, publication, input } = await scene();
    simulator.failNext({ method, path, ...secondaryLimit(5) });
    const failure: unknown = await publication.publish(input).catch((error: unknown) => error);
    expect(meaningOf(failure)).toMatchObject({ kind: 'transient', waitMs: 5000 });
    expect((await publication.publish(input)).kind).toBe('published');
  });

  it('of five branch names leaves no branch of ours', async () => {
    const { publication, repository, input } = await scene();
    for (const suffix of ['', '-2', '-3', '-4', '-5'])
      git(repository.gitDir, 'branch', `${branch}${suffix}`, 'main');
    const result = await publication.publish(input);
    expect(result).toMatchObject({ kind: 'rejected', reason: { code: 'branch-taken' } });
    const heads = git(repository.gitDir, 'for-each-ref', '--format=%(objectname)').split('\n');
    expect(new Set(heads)).toEqual(new Set([repository.headSha]));
  });

  it('of a pull request that exists but is not listed yet is thrown, and tried again', async () => {
    const { simulator, publication, input } = await scene();
    const message = `A pull request already exists for acme:${branch}.`;
    const errors = [{ resource: 'PullRequest', code: 'custom', message }];
    simulator.failNext({
      method: 'POST',
      path: /\/pulls$/,
      status: 422,
      message: 'Validation Failed',
      errors,
    });
    await expect(publication.publish(input)).rejects.toThrow('has changed during');
    expect((await publication.publish(input)).kind).toBe('published');
  });

  it('of a revoked token is thrown, and the next attempt mints another', async () => {
    const { simulator, input } = await scene();
    const ours = ownProcess(simulator);
    const publication = createPublication(ours);
    simulator.failNext({ method: 'POST', path: /\/git\/trees$/, status: 401 });
    await expect(publication.publish(input)).rejects.toThrow('401');
    expect((await publication.publish(input)).kind).toBe('published');
    expect(simulator.issuedTokens()).toHaveLength(2);
    await ours.tokens.forget('gh-1-c77');
    expect(simulator.issuedTokens().map(({ revoked }) => revoked)).toEqual([true, true]);
  });
});
