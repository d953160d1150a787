/** Tests that a repository's current facts are found by its id, against a simulated GitHub. */
import { describe, expect, it } from 'vitest';
import { createCodeHost } from '../../src/github/code-host.ts';
import { baseFiles, factsOf, ownProcess, simulatedGithub } from './simulated-github.ts';

const at = { owner: 'acme', name: 'split' };

async function scene() {
  const simulator = await simulatedGithub();
  const repository = await simulator.createRepository({ ...at, files: baseFiles });
  const facts = factsOf(repository);
  const host = createCodeHost({ ...ownProcess(simulator), taskId: 'gh-1-c2' });
  return { simulator, facts, relocate: async () => await host.relocate(facts) };
}
const path = /\/installation\/repositories$/;

describe('the current facts of a repository', () => {
  it('have its new name after a rename, even if another repository took the old name', async () => {
    const { simulator, facts, relocate } = await scene();
    expect(await relocate()).toEqual(facts);
    simulator.renameRepository(at, 'halves');
    expect(await relocate()).toEqual({ ...facts, name: 'halves' });
    await simulator.createRepository({ ...at, files: {} });
    expect(await relocate()).toEqual({ ...facts, name: 'halves' });
  });

  it('are read with a token for this repository alone', async () => {
    const { simulator, relocate } = await scene();
    await relocate();
    const [token, ...others] = simulator.issuedTokens();
    expect(others).toEqual([]);
    expect(token).toMatchObject({ permissions: { contents: 'read' }, repositories: ['acme/split'] });
  });

  it.each([
    ['is gone', 404],
    ['is closed to us', 403],
    ['redirects elsewhere', 301],
  ])('are null if the repository %s', async (_, status) => {
    const { simulator, relocate } = await scene();
    simulator.failNext({ method: 'GET', path, status, location: 'https://evil.example/' });
    expect(await relocate()).toBeNull();
  });

  it('are null if the repository was removed from the installation', async () => {
    const { simulator, relocate } = await scene();
    simulator.failNext({ method: 'POST', path: /\/access_tokens$/, status: 422 });
    expect(await relocate()).toBeNull();
  });

  it('reject if the token is no longer accepted, and are read with a new token the next time', async () => {
    const { simulator, facts, relocate } = await scene();
    simulator.failNext({ method: 'GET', path, status: 401 });
    await expect(relocate()).rejects.toThrow('GitHub answered');
    expect(await relocate()).toEqual(facts);
  });

  it.each([
    ['another id', { id: 4711, name: 'split', owner: { login: 'acme' } }],
    ['a name that is a path', { id: 0, name: '../evil', owner: { login: 'acme' } }],
    ['an owner that is a path', { id: 0, name: 'split', owner: { login: 'acme/evil' } }],
    ['no owner', { id: 0, name: 'split' }],
  ])('are not read from an answer with %s', async (_, answer) => {
    const { simulator, facts } = await scene();
    const lying: typeof fetch = async (input, init) =>
      path.test(input instanceof Request ? input.url : input.toString())
        ? Response.json({
            total_count: 1,
            repositories: [
              {
                ...answer,
                id: answer.id === 0 ? facts.repositoryId : answer.id,
                default_branch: 'main',
                private: true,
              },
            ],
          })
        : await fetch(input, init);
    const host = createCodeHost({ ...ownProcess(simulator), fetch: lying });
    expect(await host.relocate(facts).catch(() => null)).toBeNull();
  });
});
