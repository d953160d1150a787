/** Tests review requests, and the links that only a private repository shows, against a simulated GitHub. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { GithubSimulator, Permissions } from '../../simulators/github/contract.ts';
import { closedPolicy } from '../../src/core/policy.ts';
import type { PublishInput } from '../../src/core/ports/publication.ts';
import { createPublication } from '../../src/publish/publisher.ts';
import {
  changedRepository,
  ownProcess,
  publishInput,
  simulatedGithub,
  type Edit,
} from './simulated-github.ts';

const at = { owner: 'acme', name: 'split' };

const edit: Edit = (directory) => writeFileSync(join(directory, 'src/split.js'), 'changed\n');

async function scene(
  changes: Partial<PublishInput> = {},
  repository: { private?: boolean; teams?: readonly string[] } = {},
  permissions?: Permissions,
): Promise<{ simulator: GithubSimulator; input: PublishInput }> {
  const simulator = await simulatedGithub(permissions);
  const { facts, change } = await changedRepository(simulator, edit, {
    collaborators: ['ada', 'mei'].map((login) => ({ login, permission: 'write' })),
    ...repository,
  });
  return { simulator, input: publishInput(facts, change, { reviewer: 'ada', ...changes }) };
}

const asked = (simulator: GithubSimulator): number[] =>
  simulator
    .requests()
    .filter(({ method, path }) => method === 'POST' && path.endsWith('/requested_reviewers'))
    .map(({ status }) => status ?? 0);

describe('the review', () => {
  it('is requested once by two attempts', async () => {
    const { simulator, input } = await scene();
    const first = await createPublication(ownProcess(simulator)).publish(input);
    expect(await createPublication(ownProcess(simulator)).publish(input)).toEqual(first);
    expect((await simulator.pulls(at))[0]?.requestedReviewers).toEqual(['ada']);
    expect(asked(simulator)).toEqual([201]);
  });

  it('is requested once by six concurrent attempts', async () => {
    const { simulator, input } = await scene();
    await Promise.all(
      Array.from({ length: 6 }, async () => await createPublication(ownProcess(simulator)).publish(input)),
    );
    expect((await simulator.pulls(at))[0]?.requestedReviewers).toEqual(['ada']);
    expect(asked(simulator)).toEqual([201]);
  });

  it('is requested by the second attempt if the first lost the answer of opening', async () => {
    const { simulator, input } = await scene();
    simulator.failNext({ method: 'POST', path: /\/pulls$/, status: 'reset', when: 'after' });
    await expect(createPublication(ownProcess(simulator)).publish(input)).rejects.toThrow(/./);
    expect(asked(simulator)).toEqual([]);
    await createPublication(ownProcess(simulator)).publish(input);
    expect(asked(simulator)).toEqual([201]);
  });

  it('is not requested again if the answer was lost', async () => {
    const { simulator, input } = await scene();
    simulator.failNext({ method: 'POST', path: /\/requested_reviewers$/, status: 'reset', when: 'after' });
    expect((await createPublication(ownProcess(simulator)).publish(input)).kind).toBe('published');
    expect((await createPublication(ownProcess(simulator)).publish(input)).kind).toBe('published');
    expect((await simulator.pulls(at))[0]?.requestedReviewers).toEqual(['ada']);
    expect(asked(simulator)).toHaveLength(1);
  });

  it('is not requested by a late attempt after people have acted', async () => {
    const { simulator, input } = await scene();
    simulator.failNext({ method: 'POST', path: /\/pulls$/, status: 'reset', when: 'after' });
    await expect(createPublication(ownProcess(simulator)).publish(input)).rejects.toThrow(/./);
    // GitHub's times have whole seconds.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await simulator.commentOnIssue({ ...at, issue: 1, author: 'ada', body: 'Looks good.' });
    expect((await createPublication(ownProcess(simulator)).publish(input)).kind).toBe('published');
    expect(asked(simulator)).toEqual([]);
  });

  it.each([
    ['a person who is not a collaborator', 'stranger', 422],
    ['the author, which is the App itself', 'airlock[bot]', 422],
  ])('may be refused for %s, which only the log reports', async (_, reviewer, status) => {
    const { simulator, input } = await scene({ reviewer });
    const logged: unknown[] = [];
    const log = (event: string, fields: Record<string, unknown>): void => {
      logged.push({ event, ...fields });
    };
    const result = await createPublication({ ...ownProcess(simulator), log }).publish(input);
    expect(result).toMatchObject({ kind: 'published', added: null, pullRequest: { number: 1 } });
    expect(logged).toEqual([
      {
        event: 'review.not_requested',
        taskId: input.request.taskId,
        pullRequest: 1,
        names: [reviewer],
        status,
      },
    ]);
  });

  it.each([403, 404, 429, 500, 'reset'] as const)(
    'does not fail the publication if GitHub answers %s',
    async (status) => {
      const { simulator, input } = await scene();
      simulator.failNext({ method: 'POST', path: /\/requested_reviewers$/, status });
      expect((await createPublication(ownProcess(simulator)).publish(input)).kind).toBe('published');
    },
  );

  it.each([null, '', '../ada', 'ada,mona', 'ada b'])('is not requested from %j', async (reviewer) => {
    const { simulator, input } = await scene({ reviewer });
    expect((await createPublication(ownProcess(simulator)).publish(input)).kind).toBe('published');
    expect(asked(simulator)).toEqual([]);
  });
});

describe('the labels and reviewers of the configuration', () => {
  const team: Permissions = { contents: 'write', issues: 'write', pull_requests: 'write', members: 'read' };
  const labels = ['Bot', 'later', 'a/b c'];
  const reviewers = ['mei', 'ADA', 'stranger', 'acme/core', 'other/core', 'acme/none'];
  const wanted = { policy: { ...closedPolicy, labels, reviewers } };
  const called = async (permissions?: Permissions) => {
    const { simulator, input } = await scene(wanted, { teams: ['core'] }, permissions);
    // Labels that exist.
    await simulator.openIssue({ ...at, author: 'ada', title: 'x', body: '', labels: ['bot', 'A/B C'] });
    const logged = new Set<string>();
    const log = (event: string, { missing, names, status }: Record<string, unknown>): void => {
      logged.add(JSON.stringify([event, missing ?? names, status ?? null]));
    };
    const attempt = async () => await createPublication({ ...ownProcess(simulator), log }).publish(input);
    const first = await attempt();
    const calls = () =>
      simulator
        .requests()
        .filter(
          ({ method, path, status }) =>
            method === 'POST' && status !== 422 && /labels$|reviewers$/.test(path),
        ).length;
    const before = calls();
    // Nothing is said again.
    expect(await attempt()).toEqual(first);
    expect(calls()).toBe(before);
    const [pull] = await simulator.pulls(at);
    return { labels: pull?.labels, people: pull?.requestedReviewers, teams: pull?.requestedTeams, logged };
  };
  const missing = ['label.missing', ['later'], null];
  const notRequested = (name: string) => ['review.not_requested', [name], 422];
  const stranger = notRequested('stranger');
  const lines = (...all: unknown[]) => new Set(all.map((one) => JSON.stringify(one)));

  it('are set once, without those that do not exist, and teams of the own organization only', async () => {
    const { logged, ...pull } = await called(team);
    expect(pull).toEqual({ labels: ['bot', 'A/B C'], people: ['ada', 'mei'], teams: ['core'] });
    expect(logged).toEqual(lines(missing, stranger, notRequested('none')));
  });

  it('are set without the teams if the App may not read them', async () => {
    const { logged, ...pull } = await called();
    expect(pull).toEqual({ labels: ['bot', 'A/B C'], people: ['ada', 'mei'], teams: [] });
    expect(logged).toEqual(lines(missing, stranger, notRequested('core'), notRequested('none')));
  });

  it.each([403, 'reset'] as const)('do not fail the publication if GitHub answers %s', async (status) => {
    const { simulator, input } = await scene(wanted);
    simulator.failNext({ method: 'GET', path: /\/labels\//, status, times: 3 });
    expect((await createPublication(ownProcess(simulator)).publish(input)).kind).toBe('published');
  });
});

describe('links to Slack and to the log', () => {
  const conversationUrl = 'https://acme.slack.com/archives/C1/p1';
  const evidence = (input: PublishInput): PublishInput => ({
    ...input,
    evidence: { ...input.evidence, conversationUrl, taskUrl: 'https://airlock.example/tasks/1' },
  });
  const bodyOf = async (simulator: GithubSimulator, input: PublishInput): Promise<string> => {
    await createPublication(ownProcess(simulator)).publish(input);
    return (await simulator.pulls(at))[0]?.body ?? '';
  };

  it('are in the pull request of a private repository', async () => {
    const { simulator, input } = await scene();
    expect(await bodyOf(simulator, evidence(input))).toContain(`[conversation](${conversationUrl})`);
  });

  it('are left out if the repository became public while the task ran', async () => {
    const { simulator, input } = await scene({}, { private: false });
    expect(input.facts.private).toBe(true);
    expect(await bodyOf(simulator, evidence(input))).not.toMatch(/slack\.com|airlock\.example/);
  });

  it('delay the publication if GitHub cannot tell whether the repository is private', async () => {
    const { simulator, input } = await scene();
    simulator.failNext({ method: 'GET', path: /\/repos\/acme\/split$/, status: 429 });
    await expect(createPublication(ownProcess(simulator)).publish(evidence(input))).rejects.toThrow(
      /rate limit/,
    );
    expect(await simulator.pulls(at)).toEqual([]);
  });

  it('cost no call if there are none', async () => {
    const { simulator, input } = await scene();
    await bodyOf(simulator, input);
    expect(simulator.requests().filter(({ path }) => path.endsWith('/repos/acme/split'))).toEqual([]);
  });
});
