import { describe, expect, it } from 'vitest';
import type { RepositoryFacts, RepositoryRef } from '../../core/task.ts';
import { locateAlsoRead } from './also-read.ts';
import { facts } from '../../../test/fixtures/sample-task.ts';

const design = { owner: 'acme', name: 'design' };
const tokens = { owner: 'acme', name: 'tokens' };
const known: readonly RepositoryFacts[] = [
  facts,
  { ...facts, ...design, repositoryId: 9, installationId: 3, private: true },
];
const codeHost = {
  locate: async ({ owner, name }: RepositoryRef) =>
    known.find((one) => one.owner === owner && one.name === name) ?? null,
};

describe('locateAlsoRead', () => {
  it.each([
    ['nothing for no repositories', [], []],
    ['a repository by its id', [design], [{ ...design, installationId: 3, repositoryId: 9 }]],
    [
      'a repository once, even if it is named twice',
      [design, design],
      [{ ...design, installationId: 3, repositoryId: 9 }],
    ],
    ['nothing for the repository itself, which is granted anyway', [{ owner: 'acme', name: 'app' }], []],
  ])('returns %s', async (_, wanted, repositories) => {
    expect(await locateAlsoRead(wanted, facts, codeHost)).toEqual({ ok: true, repositories });
  });

  it('refuses when the App is not installed on one, and names it only for a private repository', async () => {
    const read = await locateAlsoRead([design, tokens], { ...facts, private: true }, codeHost);
    expect(read).toMatchObject({
      ok: false,
      reason: {
        code: 'also-read-not-installed',
        message: expect.stringContaining('not installed on `acme/tokens`'),
      },
    });
  });

  it('does not name the repository where everybody reads the answer', async () => {
    const read = await locateAlsoRead([tokens], { ...facts, private: false }, codeHost);
    expect(read).toMatchObject({ ok: false, reason: { message: expect.not.stringContaining('tokens') } });
  });

  it('lets the caller try again when GitHub cannot be asked', async () => {
    const down = { locate: async () => Promise.reject(new Error('down')) };
    await expect(locateAlsoRead([design], facts, down)).rejects.toThrow('down');
  });
});
