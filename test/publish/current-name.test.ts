/** What a repository is called now, asked of a simulated GitHub; and who is asked how often. */
import { describe, expect, it } from 'vitest';
import { createAppTokens } from '../../src/github/app-auth.ts';
import { createCurrentName, rarelyAsked, type CurrentName } from '../../src/github/current-name.ts';
import { createCodeHost } from '../../src/github/code-host.ts';
import {
  appId,
  baseFiles,
  factsOf,
  ownProcess,
  privateKey,
  simulatedGithub,
  taskRequest,
} from './simulated-github.ts';

const at = { owner: 'acme', name: 'split' };

async function scene() {
  const simulator = await simulatedGithub();
  const repository = await simulator.createRepository({ ...at, files: baseFiles });
  const api = { apiUrl: simulator.apiUrl, fetch, now: Date.now };
  const tokens = createAppTokens({ ...api, appId, privateKey });
  const ask = createCurrentName({ ...api, tokens });
  const facts = factsOf(repository);
  return { simulator, repository, facts, api, tokens, name: async () => await ask('gh-1-c2', facts) };
}
const path = /\/repositories\/\d+$/;

describe('the current name', () => {
  it('is the one it has, and after a renaming the other', async () => {
    const { simulator, name } = await scene();
    expect(await name()).toEqual(at);
    simulator.renameRepository(at, 'halves');
    expect(await name()).toEqual({ owner: 'acme', name: 'halves' });
    await simulator.createRepository({ ...at, files: {} });
    expect(await name()).toEqual({ owner: 'acme', name: 'halves' });
  });

  it('is asked for with a token that reads this repository alone', async () => {
    const { simulator, name } = await scene();
    await name();
    const [token, ...others] = simulator.issuedTokens();
    expect(others).toEqual([]);
    expect(token).toMatchObject({ permissions: { contents: 'read' }, repositories: ['acme/split'] });
  });

  it.each([
    ['is gone', 404],
    ['is closed to us', 403],
    ['is somewhere else altogether', 301],
  ])('is none where the repository %s', async (_, status) => {
    const { simulator, name } = await scene();
    simulator.failNext({ method: 'GET', path, status, location: 'https://evil.example/' });
    expect(await name()).toBeNull();
  });

  it('is none where the installation has lost it', async () => {
    const { simulator, name } = await scene();
    simulator.failNext({ method: 'POST', path: /\/access_tokens$/, status: 422 });
    expect(await name()).toBeNull();
  });

  it.each([
    ['trouble of GitHub’s own', 502],
    ['a cut connection', 'reset'],
    ['a token that it no longer takes', 401],
  ] as const)('is not known after %s, and asked for once', async (_, status) => {
    const { simulator, name } = await scene();
    simulator.failNext({ method: 'GET', path, status });
    await expect(name()).rejects.toThrow(/GitHub answered|closed|hang up/);
    expect(simulator.requests().filter((one) => path.test(one.path))).toHaveLength(1);
    expect(await name()).toEqual(at);
  });

  it.each([
    ['another id', { id: 4711, name: 'split', owner: { login: 'acme' } }],
    ['a name that is a path', { id: 0, name: '../evil', owner: { login: 'acme' } }],
    ['an owner that is a path', { id: 0, name: 'split', owner: { login: 'acme/evil' } }],
    ['no owner', { id: 0, name: 'split' }],
  ])('is never taken from an answer with %s', async (_, answer) => {
    const { api, tokens, facts } = await scene();
    const lying: typeof fetch = async () =>
      Response.json({ ...answer, id: answer.id === 0 ? facts.repositoryId : answer.id });
    const ask = createCurrentName({ ...api, fetch: lying, tokens });
    expect(await ask('gh-1-c2', facts).catch(() => null)).toBeNull();
  });
});

describe('who is asked by a sandbox', () => {
  const repository = { installationId: 1, repositoryId: 7 };
  const counting = (answer: CurrentName) => {
    let now = 0;
    const asked: number[] = [];
    const ask = rarelyAsked(
      async (taskId, known) => {
        asked.push(known.repositoryId);
        return await answer(taskId, known);
      },
      () => now,
    );
    return { ask, asked, pass: (ms: number) => void (now += ms) };
  };

  it('asks GitHub at most once in ten seconds for a repository', async () => {
    const { ask, asked, pass } = counting(async () => at);
    for (let n = 0; n < 1000; n += 1) expect(await ask('t', repository)).toEqual(at);
    await ask('t', { ...repository, repositoryId: 8 });
    expect(asked).toEqual([7, 8]);
    pass(10_000);
    await ask('t', repository);
    expect(asked).toEqual([7, 8, 7]);
  });

  it('learns nothing where GitHub cannot be asked, and does not ask again at once', async () => {
    const { ask, asked } = counting(async () => await Promise.reject(new Error('502')));
    expect([await ask('t', repository), await ask('t', repository)]).toEqual([null, null]);
    expect(asked).toEqual([7]);
  });
});

describe('the task’s comment', () => {
  async function commented() {
    const { simulator, repository, facts } = await scene();
    const { number: issue } = await simulator.openIssue({ ...at, author: 'wim', title: 'a', body: 'b' });
    const request = taskRequest({
      trigger: {
        kind: 'github',
        event: 'issue_opened',
        installationId: repository.installationId ?? 0,
        repositoryId: repository.id,
        issueNumber: issue,
        onPullRequest: false,
        commentId: null,
        triggeredAt: new Date().toISOString(),
      },
    });
    const host = createCodeHost(ownProcess(simulator));
    const save = async (text: string, known: number | null) =>
      await host.saveProgressComment(facts, request, text, known);
    return { simulator, save, issue };
  }

  it.each([false, true])(
    'is edited on under the new name, also when another has the old one: %s',
    async (taken) => {
      const { simulator, save, issue } = await commented();
      const id = await save('works', null);
      simulator.renameRepository(at, 'halves');
      if (taken) await simulator.createRepository({ ...at, files: {} });
      expect(await save('done', id)).toBe(id);
      const [comment, ...more] = simulator.comments({ owner: 'acme', name: 'halves', issue });
      expect(comment?.body).toContain('done');
      expect(more).toEqual([]);
    },
  );

  it('is refused as before where nothing was renamed', async () => {
    const { simulator, save } = await commented();
    simulator.failNext({ method: 'GET', path: /\/comments$/, status: 403 });
    await expect(save('works', null)).rejects.toThrow('403');
  });
});
