/** Commits on an existing pull request, with every interference by people. */
import { reasonText } from '../../src/core/reason.ts';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { GithubSimulator, PullView } from '../../simulators/github/contract.ts';
import type { ChangeSet } from '../../src/core/change-set.ts';
import type { PublishInput, PublishResult } from '../../src/core/ports/publication.ts';
import type { PullRequestRef, RepositoryFacts } from '../../src/core/task.ts';
import { createCodeHost } from '../../src/github/code-host.ts';
import { createPublication } from '../../src/publish/publisher.ts';
import { git } from '../container/sandbox-scripts.ts';
import {
  beforeCall,
  changeBy,
  changedRepository,
  type Edit,
  ownProcess,
  publishInput,
  simulatedGithub,
  taskRequest,
} from './simulated-github.ts';

const at = { owner: 'acme', name: 'split' };
const shortId = 'feedf00d';
const taskId = 'slack-follow-up';

interface Scene {
  readonly simulator: GithubSimulator;
  readonly facts: RepositoryFacts;
  readonly gitDir: string;
  /** The first task's pull request. */
  readonly first: PullRequestRef;
  /** The change of the follow-up. */
  readonly change: ChangeSet;
  readonly input: PublishInput;
}

function followUp(
  facts: RepositoryFacts,
  change: ChangeSet,
  continues: PullRequestRef,
  changes: Partial<PublishInput> = {},
): PublishInput {
  return publishInput(facts, change, {
    request: taskRequest({
      taskId,
      shortId,
      acceptedAt: '2026-11-20T11:00:00.000Z',
      trigger: {
        kind: 'slack',
        event: 'message',
        teamId: 'T1',
        channelId: 'C1',
        userId: 'U1',
        threadTs: '1.1',
        messageTs: '1.2',
        triggeredAt: '2026-11-20T11:00:00Z',
      },
    }),
    baseBranch: continues.headRef,
    answer: { title: 'Handle zero', summary: 'Refuses to divide by zero.', valid: true },
    continues,
    ...changes,
  });
}

const firstEdit: Edit = (directory) => writeFileSync(join(directory, 'src/split.js'), 'first\n');
const secondEdit: Edit = (directory) => {
  writeFileSync(join(directory, 'src/split.js'), 'second\n');
  writeFileSync(join(directory, 'logo.png'), new Uint8Array([1, 0, 255]));
};

async function scene(): Promise<Scene> {
  const simulator = await simulatedGithub();
  const { facts, change, repository } = await changedRepository(simulator, firstEdit);
  const opened = await createPublication(ownProcess(simulator)).publish(publishInput(facts, change));
  if (opened.kind !== 'published') throw new Error(opened.reason.message);
  const first = opened.pullRequest;
  const next = await changeBy(secondEdit, repository.gitDir, first.headSha);
  return {
    simulator,
    facts,
    gitDir: repository.gitDir,
    first,
    change: next,
    input: followUp(facts, next, first),
  };
}

const publish = async (
  { simulator }: Pick<Scene, 'simulator'>,
  input: PublishInput,
  fetch_: typeof fetch = fetch,
): Promise<PublishResult> => await createPublication(ownProcess(simulator, fetch_)).publish(input);

/** The subjects of the commits on a branch that are not on main, newest first. */
const subjects = (gitDir: string, branch: string): string[] =>
  git(gitDir, 'log', '--format=%s', `main..${branch}`).split('\n');

const results = (simulator: GithubSimulator, issue: number): string[] =>
  simulator
    .comments({ ...at, issue })
    .map(({ body }) => body)
    .filter((body) => body.includes('<!-- airlock:result='));

/** Asserts that the work became a new pull request, and returns it. */
async function ownPull({ simulator }: Scene, result: PublishResult): Promise<PullView> {
  expect(result).toMatchObject({ kind: 'published', added: null });
  const pulls = (await simulator.pulls(at)).filter((pull) => pull.headRef.endsWith(shortId));
  expect(pulls).toHaveLength(1);
  const [pull] = pulls;
  if (pull === undefined || result.kind !== 'published') throw new Error('no pull request');
  expect(result.pullRequest).toMatchObject({
    number: pull.number,
    headSha: pull.headSha,
    title: 'Handle zero',
    headRef: `airlock/handle-zero-${shortId}`,
  });
  return pull;
}

describe('a follow-up', () => {
  it('adds one commit to the only pull request', async () => {
    const { simulator, gitDir, first, input } = await scene();
    const stale = { ...first, title: 'What it was called before', draft: true };
    const result = await publish({ simulator }, { ...input, continues: stale });
    const head = git(gitDir, 'rev-parse', first.headRef);
    expect(result).toEqual({ kind: 'published', pullRequest: { ...first, headSha: head }, added: head });
    expect(git(gitDir, 'rev-parse', `${first.headRef}^`)).toBe(first.headSha);
    expect(subjects(gitDir, first.headRef)).toEqual(['Handle zero', 'Fix the rounding in split()']);
    expect(git(gitDir, 'show', `${first.headRef}:src/split.js`)).toBe('second');
    expect((await simulator.pulls(at)).map(({ headSha }) => headSha)).toEqual([head]);
    expect(await simulator.branches(at)).toHaveLength(2);
  });

  it('describes its commit in one comment and leaves the body of the pull request', async () => {
    const { simulator, gitDir, first, input } = await scene();
    const [before] = await simulator.pulls(at);
    await publish({ simulator }, { ...input, remarks: ['AGENTS.md tells agents what to do.'], draft: true });
    const [comment = ''] = results(simulator, first.number);
    for (const words of [
      'Handle zero',
      git(gitDir, 'rev-parse', first.headRef),
      'Refuses to divide by zero.',
      'AGENTS.md tells agents what to do.',
      '### Reported from inside the sandbox',
      '2 files',
      '### Network',
      'in Slack',
    ]) {
      expect(comment).toContain(words);
    }
    expect(comment.endsWith(`<!-- airlock:result=${taskId} -->`)).toBe(true);
    expect((await simulator.pulls(at))[0]?.body).toBe(before?.body);
  });

  it('uses only the publication token for this repository', async () => {
    const { simulator, input } = await scene();
    const before = simulator.issuedTokens().length;
    await publish({ simulator }, input);
    const minted = simulator.issuedTokens().slice(before);
    expect(minted.map(({ permissions, repositories }) => ({ permissions, repositories }))).toEqual([
      {
        permissions: { contents: 'write', pull_requests: 'write', metadata: 'read' },
        repositories: ['acme/split'],
      },
    ]);
  });

  it('requests no second review', async () => {
    const { simulator, first, input } = await scene();
    await publish({ simulator }, { ...input, reviewer: 'airlock-reviewer' });
    expect(simulator.requests().filter(({ path }) => path.endsWith('/requested_reviewers'))).toEqual([]);
    expect(first.number).toBe(1);
  });

  it('leaves the progress comment in the same conversation alone', async () => {
    const { simulator, facts, first, input } = await scene();
    const host = createCodeHost({ ...ownProcess(simulator), taskId });
    const request = taskRequest({
      taskId,
      shortId,
      trigger: {
        kind: 'github',
        event: 'issue_comment',
        installationId: facts.installationId,
        repositoryId: facts.repositoryId,
        issueNumber: first.number,
        mention: 'airlock',
        onPullRequest: true,
        commentId: 5,
        triggeredAt: new Date().toISOString(),
      },
    });
    const progress = await host.saveProgressComment(facts, request, 'working', null);
    await publish({ simulator }, { ...input, request });
    expect(await host.saveProgressComment(facts, request, 'done', null)).toBe(progress);
    expect(simulator.comments({ ...at, issue: first.number })).toHaveLength(2);
    expect(results(simulator, first.number)).toHaveLength(1);
  });
});

describe('a second attempt at a follow-up', () => {
  it('finds the commit of the first', async () => {
    const { simulator, gitDir, first, input } = await scene();
    const one = await publish({ simulator }, input);
    expect(await publish({ simulator }, input)).toEqual(one);
    expect(subjects(gitDir, first.headRef)).toHaveLength(2);
    expect(results(simulator, first.number)).toHaveLength(1);
  });

  it('makes one commit and one comment together with five concurrent ones', async () => {
    const { simulator, gitDir, first, input } = await scene();
    const all = await Promise.all(Array.from({ length: 6 }, async () => await publish({ simulator }, input)));
    expect(new Set(all.map((result) => JSON.stringify(result))).size).toBe(1);
    expect(all[0]).toMatchObject({ kind: 'published', added: expect.any(String) });
    expect(subjects(gitDir, first.headRef)).toHaveLength(2);
    expect(results(simulator, first.number)).toHaveLength(1);
    expect(await simulator.pulls(at)).toHaveLength(1);
  });

  it('does not take a commit of somebody else for its own, although it names the task', async () => {
    const { simulator, gitDir, first, input } = await scene();
    const tree = git(gitDir, 'rev-parse', `${first.headRef}^{tree}`);
    const message = `Mine\n\nAirlock-Task: ${taskId}`;
    const forged = git(gitDir, 'commit-tree', '-p', first.headRef, '-m', message, tree);
    git(gitDir, 'update-ref', `refs/heads/${first.headRef}`, forged);
    const result = await publish({ simulator }, input);
    expect(result).toMatchObject({ added: git(gitDir, 'rev-parse', first.headRef) });
    expect(subjects(gitDir, first.headRef)).toEqual(['Handle zero', 'Mine', 'Fix the rounding in split()']);
    expect(await publish({ simulator }, input)).toEqual(result);
  });

  it('finds its commit above and below the commits of people, who may name its task', async () => {
    const { simulator, gitDir, first, input: early } = await scene();
    const message = `Mine\n\nAirlock-Task: ${taskId}`;
    let base = first.headSha;
    for (let count = 1; count <= 5; count += 1)
      base = git(gitDir, 'commit-tree', '-p', base, '-m', message, `${base}^{tree}`);
    git(gitDir, 'update-ref', `refs/heads/${first.headRef}`, base);
    const input = { ...early, change: { ...early.change, base } };
    await publish({ simulator }, input);
    const onTop = await simulator.moveBranch({ ...at, branch: first.headRef, files: { 'more.txt': 'x' } });
    const again = await publish({ simulator }, input);
    expect(again).toMatchObject({
      kind: 'published',
      added: expect.any(String),
      pullRequest: { headSha: onTop.sha },
    });
    expect(subjects(gitDir, first.headRef)).toHaveLength(8);
    expect(await simulator.pulls(at)).toHaveLength(1);
  });

  it('adds nothing if it is late and a person has pushed on top of the commit of the first', async () => {
    const { simulator, gitDir, first, input } = await scene();
    const late = beforeCall('PATCH', /\/git\/refs\//, async () => {
      await publish({ simulator }, input);
      await simulator.moveBranch({ ...at, branch: first.headRef, files: { 'more.txt': 'x' } });
    });
    expect(await publish({ simulator }, input, late)).toMatchObject({
      kind: 'published',
      added: expect.any(String),
    });
    expect(subjects(gitDir, first.headRef)).toHaveLength(3);
    expect(await simulator.pulls(at)).toHaveLength(1);
    expect(results(simulator, first.number)).toHaveLength(1);
  });

  it('finds its commit after the pull request was merged and its branch deleted', async () => {
    const { simulator, gitDir, first, input } = await scene();
    await publish({ simulator }, input);
    await simulator.closePull({ ...at, number: first.number, merge: true });
    git(gitDir, 'branch', '--quiet', '-D', first.headRef);
    expect(await publish({ simulator }, input)).toMatchObject({
      kind: 'published',
      added: expect.any(String),
    });
    expect(await simulator.pulls(at)).toHaveLength(1);
  });
});

describe('a change whose branch has moved', () => {
  const rewritten = ({ gitDir, first }: Scene): void => {
    const tree = git(gitDir, 'rev-parse', `${first.headRef}^{tree}`);
    const other = git(gitDir, 'commit-tree', '-p', 'main', '-m', 'Rewritten', tree);
    git(gitDir, 'update-ref', `refs/heads/${first.headRef}`, other);
  };
  const pushed = ({ simulator, first }: Scene): Promise<unknown> =>
    simulator.moveBranch({
      ...at,
      branch: first.headRef,
      files: { 'more.txt': 'theirs\n', 'docs/old.md': null },
    });

  it.each([
    ['pushed to', 'before publication', pushed, null],
    ['pushed to', 'between looking and writing', pushed, /\/git\/refs\//],
    ['rewritten', 'before publication', rewritten, null],
  ] as const)('goes onto the new head if its files are untouched (%s %s)', async (_, __, happens, path) => {
    const of = await scene();
    const { simulator, gitDir, first, input } = of;
    if (path === null) await happens(of);
    const racing = beforeCall('PATCH', path ?? /^$/, async () => await happens(of));
    const attempts = path === null ? 3 : 1;
    const results = await Promise.all(
      Array.from({ length: attempts }, async () => await publish(of, input, racing)),
    );
    const head = git(gitDir, 'rev-parse', first.headRef);
    expect(results).toEqual(
      results.map(() => ({ kind: 'published', pullRequest: { ...first, headSha: head }, added: head })),
    );
    const [newest, theirs] = subjects(gitDir, first.headRef);
    expect([newest, theirs === input.answer.title]).toEqual(['Handle zero', false]);
    // Their change and ours, and nothing of the old head.
    expect(git(gitDir, 'diff', '--name-only', `${first.headRef}^`, first.headRef).split('\n')).toEqual([
      'logo.png',
      'src/split.js',
    ]);
    expect(await publish(of, input)).toEqual(results[0]);
    expect(await simulator.pulls(at)).toHaveLength(1);
  });
});

interface Detour {
  readonly name: string;
  readonly happens: (of: Scene) => Promise<unknown> | void;
  readonly says: RegExp;
  /** The base of the new pull request. */
  readonly into: 'the branch' | 'main';
}

const detours: readonly Detour[] = [
  {
    name: 'somebody has pushed to the branch',
    happens: ({ simulator, first }) =>
      simulator.moveBranch({ ...at, branch: first.headRef, files: { 'src/split.js': 'by a person\n' } }),
    says: /somebody changed `src\/split\.js` on its branch/,
    into: 'the branch',
  },
  {
    name: 'somebody has rewritten the branch',
    happens: ({ gitDir, first }) => {
      const other = git(gitDir, 'commit-tree', '-p', 'main', '-m', 'Rewritten', 'main^{tree}');
      git(gitDir, 'update-ref', `refs/heads/${first.headRef}`, other);
    },
    says: /somebody changed `src\/split\.js` on its branch/,
    into: 'the branch',
  },
  {
    name: 'the branch was deleted',
    happens: ({ gitDir, first }) => {
      git(gitDir, 'branch', '--quiet', '-D', first.headRef);
    },
    says: /it was closed|its branch was deleted/,
    into: 'main',
  },
  {
    name: 'the pull request was closed',
    happens: ({ simulator, first }) => simulator.closePull({ ...at, number: first.number }),
    says: /it was closed/,
    into: 'main',
  },
  {
    name: 'the pull request was merged',
    happens: ({ simulator, first }) => simulator.closePull({ ...at, number: first.number, merge: true }),
    says: /it was merged/,
    into: 'main',
  },
];

describe.each(detours)('the work becomes a new pull request if $name', ({ happens, says, into }) => {
  it.each([
    ['before publication', null],
    ['between looking and writing', /\/git\/refs\//],
  ] as const)('%s', async (_, path) => {
    const of = await scene();
    const { simulator, gitDir, first, input } = of;
    if (path === null) await happens(of);
    const treeOf = (commit: string) => git(gitDir, 'rev-parse', `${commit}^{tree}`);
    const heads = async (): Promise<unknown> =>
      (await simulator.branches(at)).flatMap(({ name, sha }) =>
        name === first.headRef
          ? [{ name, tree: treeOf(sha), parent: git(gitDir, 'rev-parse', `${sha}^`) }]
          : [],
      );
    let left = path === null ? await heads() : null;
    const racing = beforeCall('PATCH', path ?? /^$/, async () => {
      await happens(of);
      left = await heads();
    });
    const result = await publish(of, input, racing);
    const pull = await ownPull(of, result);
    expect(pull.body).toMatch(says);
    expect(pull.body).toContain(`continues #${first.number}`);
    expect(pull.baseRef).toBe(into === 'main' ? 'main' : first.headRef);
    expect(git(gitDir, 'rev-parse', `${pull.headRef}^`)).toBe(first.headSha);
    // Closed or merged a moment before our commit came onto the branch, the branch has it besides; nothing
    // else may differ.
    const late = { name: first.headRef, tree: treeOf(pull.headSha), parent: first.headSha };
    const tolerated = path !== null && into === 'main' ? [left, [late]] : [left];
    expect(tolerated).toContainEqual(await heads());
    expect(results(simulator, first.number)).toEqual([]);
    expect(await publish(of, input)).toEqual(result);
    await ownPull(of, result);
  });
});

describe('a task that was asked in the pull request', () => {
  /** As authorized: on a branch that somebody else made, or the first task's. */
  const askedIn = ({ input, first }: Scene): PublishInput => ({
    ...input,
    pull: {
      number: first.number,
      title: first.title,
      url: first.url,
      draft: false,
      author: 'mona',
      baseBranch: 'main',
      baseSha: first.headSha,
      headRef: first.headRef,
      headSha: first.headSha,
      fork: false,
    },
  });

  it('gets a commit, and leaves the comment to the task', async () => {
    const of = await scene();
    const result = await publish(of, askedIn(of));
    const head = git(of.gitDir, 'rev-parse', of.first.headRef);
    const pullRequest = { ...of.first, headSha: head };
    const report = expect.stringMatching(/### Change\n[^]*### Network\n[^]*### Task\n/);
    expect(result).toEqual({ kind: 'published', pullRequest, added: head, report });
    expect(results(of.simulator, of.first.number)).toEqual([]);
    expect(await publish(of, askedIn(of))).toEqual(result);
  });

  it.each<[string, string, (of: Scene) => unknown, RegExp]>([
    ...detours.map(({ name, happens, says }): [string, string, typeof happens, RegExp] => [
      name,
      'before publication',
      happens,
      says,
    ]),
    ...detours
      .filter(({ into }) => into === 'main')
      .map(({ name, happens, says }): [string, string, typeof happens, RegExp] => [
        name,
        'between looking and writing',
        happens,
        says,
      ]),
    [
      'the branch is protected',
      'before publication',
      ({ simulator, first }) => simulator.protectBranch({ ...at, branch: first.headRef }),
      /takes changes only through a pull request onto it\..*GitHub says: .*Or apply the patch\./,
    ],
    [
      'auto-merge is enabled',
      'before publication',
      ({ simulator, first }) => simulator.enableAutoMerge({ ...at, number: first.number }),
      /Disable auto-merge/,
    ],
  ])('gets a sentence and nothing else if %s (%s)', async (_, when, happens, says) => {
    const of = await scene();
    const { simulator, first } = of;
    const isEarly = when === 'before publication';
    const state = async () => ({
      pulls: (await simulator.pulls(at)).map(({ number, body }) => ({ number, body })),
      branches: (await simulator.branches(at)).map(({ name, sha }) => (isEarly ? { name, sha } : name)),
      comments: simulator.comments({ ...at, issue: first.number }),
    });
    if (isEarly) await happens(of);
    let left = await state();
    const racing = beforeCall('PATCH', isEarly ? /^$/ : /\/git\/refs\//, async () => {
      await happens(of);
      left = await state();
    });
    const result = await publish(of, askedIn(of), racing);
    if (result.kind !== 'unwritten') throw new Error(result.kind);
    expect(reasonText(result.reason)).toMatch(says);
    expect(await state()).toEqual(left);
    expect(await publish(of, askedIn(of))).toEqual(result);
  });
});

describe('publication', () => {
  it('opens a pull request when our branch only has the name of a fork’s branch', async () => {
    const of = await scene();
    const { simulator, facts, change, gitDir } = of;
    const main = git(gitDir, 'rev-parse', 'main');
    const fork = await simulator.openPullFromFork({
      ...at,
      author: 'mallory',
      branch: 'main',
      base: 'main',
      title: 'From outside',
      files: { 'src/split.js': 'theirs\n' },
    });
    const continues = { ...of.first, number: fork.number, headRef: 'main', headSha: fork.headSha };
    const result = await publish(of, followUp(facts, { ...change, base: fork.headSha }, continues));
    const pull = await ownPull(of, result);
    expect(pull.body).toContain('its branch is in another repository');
    expect(git(gitDir, 'rev-parse', 'main')).toBe(main);
  });

  it('opens a pull request when the earlier one’s head is the default branch', async () => {
    const of = await scene();
    const facts = { ...of.facts, defaultBranch: of.first.headRef };
    const pull = await ownPull(of, await publish(of, { ...of.input, facts }));
    expect(pull.baseRef).toBe(of.first.headRef);
    expect(git(of.gitDir, 'rev-parse', of.first.headRef)).toBe(of.first.headSha);
  });

  it('makes a new pull request instead of a commit on a branch that the App cannot push to', async () => {
    const of = await scene();
    of.simulator.protectBranch({ ...at, branch: of.first.headRef });
    const result = await publish(of, of.input);
    const pull = await ownPull(of, result);
    expect(pull.body).toContain(
      'do not let the App push to it (`Changes must be made through a pull request.`)',
    );
    expect(pull.baseRef).toBe(of.first.headRef);
    expect(await publish(of, of.input)).toEqual(result);
  });

  it('opens a pull request instead of a commit that auto-merge would merge without a review', async () => {
    const of = await scene();
    of.simulator.enableAutoMerge({ ...at, number: of.first.number });
    const pull = await ownPull(of, await publish(of, of.input));
    expect(pull.body).toContain('auto-merge is enabled on it');
    expect(pull.baseRef).toBe(of.first.headRef);
  });

  it('makes a new pull request if the earlier one does not exist', async () => {
    const of = await scene();
    const result = await publish(of, { ...of.input, continues: { ...of.first, number: 4711 } });
    expect((await ownPull(of, result)).baseRef).toBe('main');
  });
});

describe('the new pull request', () => {
  it('targets the next base if the first is deleted at the last moment', async () => {
    const of = await scene();
    const { simulator, gitDir, first } = of;
    await simulator.moveBranch({ ...at, branch: first.headRef, files: { 'src/split.js': 'x' } });
    const racing = beforeCall('POST', /\/pulls$/, async () => {
      git(gitDir, 'branch', '--quiet', '-D', first.headRef);
      await Promise.resolve();
    });
    const result = await publish(of, of.input, racing);
    expect((await ownPull(of, result)).baseRef).toBe('main');
    expect(await publish(of, of.input)).toEqual(result);
  });

  it('is the only one if six attempts find the branch moved', async () => {
    const of = await scene();
    await of.simulator.moveBranch({ ...at, branch: of.first.headRef, files: { 'src/split.js': 'x' } });
    const all = await Promise.all(Array.from({ length: 6 }, async () => await publish(of, of.input)));
    expect(new Set(all.map((result) => JSON.stringify(result))).size).toBe(1);
    const [result] = all;
    if (result === undefined) throw new Error('no result');
    await ownPull(of, result);
  });
});

describe('the comment about the commit', () => {
  it.each([
    [403, 'permission-missing'],
    [404, 'conversation-gone'],
    [410, 'issue-deleted'],
    [422, 'request-refused'],
  ])('does not undo the commit if GitHub refuses it (%i)', async (status, reason) => {
    const { simulator, first, input } = await scene();
    simulator.failNext({ method: 'POST', path: /\/comments$/, status });
    const logged: unknown[] = [];
    const log = (event: string, fields: Record<string, unknown>): void => {
      logged.push({ event, ...fields });
    };
    const publication = createPublication({ ...ownProcess(simulator), log });
    expect(await publication.publish(input)).toMatchObject({ kind: 'published', added: expect.any(String) });
    expect(logged).toEqual([{ event: 'comment.not_saved', taskId, pullRequest: first.number, reason }]);
  });

  it.each([502, 'reset'] as const)(
    'is written by the next attempt after a transient failure (%s)',
    async (status) => {
      const { simulator, gitDir, first, input } = await scene();
      simulator.failNext({ method: 'POST', path: /\/comments$/, status });
      await expect(publish({ simulator }, input)).rejects.toThrow(/./);
      expect(await publish({ simulator }, input)).toMatchObject({
        kind: 'published',
        added: expect.any(String),
      });
      expect(results(simulator, first.number)).toHaveLength(1);
      expect(subjects(gitDir, first.headRef)).toHaveLength(2);
    },
  );
});

describe('a branch that GitHub does not move', () => {
  it.each([
    [502, 'Server Error', 1, /with 502/],
    [409, 'Conflict', 3, /with 409/],
    [422, 'Update is not a fast forward', 3, /does not move the branch/],
    // Final: GitHub says no more, and the branch was three times where it should be.
    [422, 'Reference cannot be updated', 3, /^branch-protected .* names no rule\./],
    [422, 'Something new', 3, /^change-refused GitHub refused the change\./],
  ])('loses nothing and opens nothing (%i %s, %i times)', async (status, message, times, says) => {
    const { simulator, gitDir, first, input } = await scene();
    simulator.failNext({ method: 'PATCH', path: /\/git\/refs\//, status, message, times });
    const ended = await publish({ simulator }, input).then(
      (result) =>
        result.kind === 'rejected' ? `${result.reason.code} ${result.reason.message}` : result.kind,
      String,
    );
    expect(ended).toMatch(says);
    expect(await simulator.pulls(at)).toHaveLength(1);
    expect(await publish({ simulator }, input)).toMatchObject({
      kind: 'published',
      added: expect.any(String),
    });
    expect(subjects(gitDir, first.headRef)).toHaveLength(2);
  });
});
