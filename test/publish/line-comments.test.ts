/** Answers in the threads of a pull request that a person made, with overlapping and lost calls. */
import { expect, describe, it } from 'vitest';
import type { GithubSimulator } from '../../simulators/github/contract.ts';
import type { LineAnswer } from '../../src/core/line-answers.ts';
import type { CodeHost } from '../../src/core/ports/code-host.ts';
import { meaningOf } from '../../src/core/ports/upstream-error.ts';
import type { RepositoryFacts, RoutedRequest, TaskOutcome } from '../../src/core/task.ts';
import { createCodeHost } from '../../src/github/code-host.ts';
import { createPublication } from '../../src/publish/publisher.ts';
import { git } from '../container/sandbox-scripts.ts';
import {
  baseFiles,
  factsOf,
  ownProcess,
  publishInput,
  simulatedGithub,
  taskRequest,
} from './simulated-github.ts';

const at = { owner: 'acme', name: 'split' };
/** A name that people may choose, and that a path has to escape. */
const branch = 'mona/ü-fix#1%2F';

interface Scene {
  readonly simulator: GithubSimulator;
  readonly facts: RepositoryFacts;
  readonly gitDir: string;
  readonly pull: { readonly number: number; readonly headSha: string };
  /** Three line comments of one review. */
  readonly lines: readonly [number, number, number];
  /** What the line comment asked for, or a reply in its thread. */
  readonly asked: (commentId: number, inReplyTo?: number) => RoutedRequest;
}

async function scene(): Promise<Scene> {
  const simulator = await simulatedGithub();
  const repository = await simulator.createRepository({ ...at, files: baseFiles });
  const pull = await simulator.openPull({
    ...at,
    author: 'mona',
    branch,
    base: 'main',
    title: 'Round',
    body: 'Mona’s words.',
    files: { 'src/split.js': 'one\ntwo\nthree\n' },
  });
  const comments = [1, 2, 3].map((line) => ({ path: 'src/split.js', line, body: `Rename ${line}.` }));
  const review = await simulator.reviewPull({ ...at, number: pull.number, author: 'mona', comments });
  const [first = 0, second = 0, third = 0] = review.comments;
  const asked = (commentId: number, inReplyTo?: number): RoutedRequest =>
    taskRequest({
      trigger: {
        kind: 'github',
        event: 'review_comment',
        installationId: repository.installationId ?? 0,
        repositoryId: repository.id,
        issueNumber: pull.number,
        mention: 'airlock',
        onPullRequest: true,
        commentId,
        reviewId: review.id,
        lineComment: {
          path: 'src/split.js',
          line: 1,
          startLine: null,
          side: 'RIGHT',
          inReplyTo: inReplyTo ?? null,
          diffHunk: null,
        },
        triggeredAt: new Date().toISOString(),
      },
    });
  return {
    simulator,
    facts: factsOf(repository),
    gitDir: repository.gitDir,
    pull,
    lines: [first, second, third],
    asked,
  };
}

const hostOf = (simulator: GithubSimulator): CodeHost =>
  createCodeHost({ ...ownProcess(simulator), taskId: taskRequest().taskId });

/** The App's replies: which comment each answers, and the first line of each different version. */
const replies = ({ simulator, pull }: Scene) =>
  simulator
    .reviewComments({ ...at, number: pull.number })
    .filter(({ author }) => author === 'airlock[bot]')
    .map(({ inReplyTo, versions }) => [inReplyTo, ...new Set(versions.map((body) => body.split('\n')[0]))]);

describe('the post of a task that a line comment asked for', () => {
  it('is one reply in the thread, created once and then edited', async () => {
    const of = await scene();
    const { simulator, facts, lines, asked, pull } = of;
    const marker = `<!-- airlock:task=${taskRequest().taskId} -->`;
    const forged = { ...at, number: pull.number, author: 'mallory', comment: lines[1], body: marker };
    await simulator.replyInReview(forged);
    const ids = await Promise.all(
      Array.from({ length: 4 }, () =>
        hostOf(simulator).saveProgressComment(facts, asked(lines[1]), 'one', null),
      ),
    );
    const [id = 0] = ids;
    expect(new Set(ids).size).toBe(1);
    await hostOf(simulator).saveProgressComment(facts, asked(lines[1]), 'two', id);
    await hostOf(simulator).saveProgressComment(facts, asked(lines[1]), 'three', null);
    expect(replies(of)).toEqual([[lines[1], 'one', 'two', 'three']]);
    await hostOf(simulator).saveEndComment(facts, asked(lines[1]), 'held', 0);
    await hostOf(simulator).saveEndComment(facts, asked(lines[1]), 'held', 0);
    expect(replies(of).slice(1)).toEqual([[lines[1], 'held']]);
    expect(simulator.comments({ ...at, issue: pull.number })).toEqual([]);
  });

  it('is in the same thread if a reply asked', async () => {
    const of = await scene();
    const { simulator, facts, lines, asked, pull } = of;
    const reply = { ...at, number: pull.number, author: 'mona', comment: lines[0], body: '@airlock do it' };
    const [asking = 0] = (await simulator.replyInReview(reply)).comments;
    await hostOf(simulator).saveProgressComment(facts, asked(asking, lines[0]), 'one', null);
    expect(replies(of)).toEqual([[lines[0], 'one']]);
  });

  it('is not created twice if the answer was lost, and is refused in a thread that is gone', async () => {
    const of = await scene();
    const { simulator, facts, lines, asked } = of;
    const save = () => hostOf(simulator).saveProgressComment(facts, asked(lines[0]), 'one', null);
    simulator.failNext({ method: 'POST', path: /\/replies$/, status: 404 });
    const gone = await save().catch((error: unknown) => meaningOf(error));
    expect(gone).toMatchObject({ kind: 'gone', reason: { code: 'line-comment-gone' } });
    simulator.failNext({ method: 'POST', path: /\/replies$/, status: 'reset', when: 'after' });
    await expect(save()).rejects.toThrow(/./);
    await save();
    expect(replies(of)).toEqual([[lines[0], 'one']]);
  });
});

describe('the answers to the line comments of a review', () => {
  const outcome: TaskOutcome = { kind: 'no-change', summary: '' };
  const answers = ({ lines }: Scene): LineAnswer[] =>
    lines.map((id, index) => ({ id, thread: id, text: `Renamed ${index}.` }));
  const answer = async (of: Scene) =>
    await hostOf(of.simulator).replyToLines(of.facts, of.asked(0), answers(of), outcome);
  const once = ({ lines }: Scene) => lines.map((id, index) => [id, `Renamed ${index}.`]);

  it('are one reply each, also of overlapping attempts', async () => {
    const of = await scene();
    await Promise.all([answer(of), answer(of), answer(of)]);
    await answer(of);
    expect(replies(of)).toEqual(once(of));
    for (const { permissions } of of.simulator.issuedTokens())
      expect(permissions).toEqual({ pull_requests: 'write', metadata: 'read' });
  });

  it.each([502, 'reset'] as const)(
    'are completed by the next attempt after a lost call (%s)',
    async (status) => {
      const of = await scene();
      of.simulator.failNext({ method: 'POST', path: /\/replies$/, status, when: 'after' });
      await expect(answer(of)).rejects.toThrow(/./);
      expect(await answer(of)).toEqual([]);
      expect(replies(of)).toEqual(once(of));
    },
  );

  it('leave out a comment that takes no reply, and say which', async () => {
    const of = await scene();
    of.simulator.failNext({ method: 'POST', path: /\/replies$/, status: 404 });
    expect(await answer(of)).toEqual([
      { id: of.lines[0], reason: expect.objectContaining({ code: 'line-comment-gone' }) },
    ]);
    expect(replies(of)).toEqual(once(of).slice(1));
  });
});

it('a person’s branch gets one commit, and the pull request’s body stays theirs', async () => {
  const { simulator, facts, gitDir, pull, lines, asked } = await scene();
  const before = await simulator.pulls(at);
  const content = btoa('renamed\n');
  const change = {
    base: pull.headSha,
    files: [{ type: 'file', path: 'src/split.js', mode: '100644', content } as const],
    skipped: [],
    links: [],
    diskFull: false,
  };
  const place = {
    number: pull.number,
    title: 'Round',
    url: '',
    draft: false,
    author: 'mona',
    baseBranch: 'main',
    baseSha: pull.headSha,
    headRef: branch,
    headSha: pull.headSha,
    fork: false,
  };
  const input = publishInput(facts, change, {
    request: asked(lines[0]),
    pull: place,
    continues: { ...place, headRef: branch },
    baseBranch: branch,
  });
  const result = await createPublication(ownProcess(simulator)).publish(input);
  const head = git(gitDir, 'rev-parse', branch);
  expect(result).toMatchObject({ kind: 'published', added: head, pullRequest: { headRef: branch } });
  expect(git(gitDir, 'rev-parse', `${branch}^`)).toBe(pull.headSha);
  expect(await simulator.pulls(at)).toEqual(before.map((one) => ({ ...one, headSha: head })));
  expect(await simulator.branches(at)).toHaveLength(2);
});
