/** The details of a decision. Which state is answered with what is the table in `workflow.test.ts`. */
import { describe, expect, it } from 'vitest';
import { placeInPull, type PullPlaceInput } from './pull-place.ts';
import type { PullRequestState, TaskJob } from '../task.ts';

const [now, before, base] = ['a'.repeat(40), 'b'.repeat(40), 'c'.repeat(40)];
const pullRequest = {
  number: 7,
  title: 'Work',
  url: 'https://github.com/acme/app/pull/7',
  headRef: 'work',
  headSha: before,
  draft: false,
};
const state: PullRequestState = {
  pullRequest,
  open: true,
  sameRepository: true,
  baseBranch: 'release',
  baseSha: before,
  merged: false,
  locked: false,
  autoMerge: false,
  author: 'wes',
};
const place = (over: Partial<PullPlaceInput> = {}, ofState: Partial<PullRequestState> = {}) =>
  placeInPull({
    number: 7,
    job: undefined,
    base: undefined,
    facts: { defaultBranch: 'main' },
    configuredBase: null,
    state: { ...state, ...ofState },
    heads: { head: now, base },
    ...over,
  });
const fork = { sameRepository: false };
const noHeads = { heads: { head: null, base: null } };

describe('placeInPull', () => {
  it('starts from the head of the branch as it is now, which GitHub shows in the pull request later', () => {
    expect(place()).toEqual({
      kind: 'work',
      pull: {
        number: 7,
        title: 'Work',
        url: pullRequest.url,
        draft: false,
        author: 'wes',
        baseBranch: 'release',
        baseSha: base,
        headRef: 'work',
        headSha: now,
        fork: false,
      },
      start: { branch: 'work', sha: now },
      continues: { ...pullRequest, headSha: now },
      readOnly: null,
    });
  });

  it('starts from a fork’s head under a name that no branch of the repository has', () => {
    const ofMain = { ...fork, pullRequest: { ...pullRequest, headRef: 'main' } };
    expect(place(noHeads, ofMain)).toMatchObject({
      start: { branch: 'pull/7/head', sha: before },
      pull: { headRef: 'main', headSha: before, baseSha: before, fork: true },
      continues: null,
      readOnly: 'The branch of pull request 7 is in another repository, to which Airlock does not write.',
    });
  });

  it.each<[string, Partial<PullRequestState>, Partial<PullPlaceInput>]>([
    ['open', {}, {}],
    ['from a fork', fork, noHeads],
    ['closed', { open: false }, {}],
    ['merged', { open: false, merged: true }, {}],
    ['merged, with its branch deleted', { open: false, merged: true }, noHeads],
    ['on auto-merge', { autoMerge: true }, {}],
    ['from the default branch', { pullRequest: { ...pullRequest, headRef: 'main' } }, {}],
  ])('answers a question about a pull request that is %s, and writes nothing', (_, ofState, over) => {
    expect(place({ ...over, job: 'question' }, ofState)).toMatchObject({
      kind: 'work',
      continues: null,
      readOnly: 'A question changes nothing.',
    });
  });

  it.each<[string, Partial<PullPlaceInput>, Partial<PullRequestState>, string]>([
    ['--base', { base: 'next' }, {}, 'base-in-pull-request'],
    ['a question where nobody may answer', { job: 'question' }, { locked: true }, 'conversation-locked'],
    [
      'a question about a pull request that is gone',
      { job: 'question', state: null },
      {},
      'pull-request-gone',
    ],
  ])('refuses %s', (_, over, ofState, code) => {
    expect(place(over, ofState)).toMatchObject({ kind: 'refused', reason: { code } });
  });

  it.each<TaskJob | undefined>([undefined, 'fix-checks', 'resolve-conflicts', 'question'])(
    'names the remedy of every refusal (%s)',
    (job) => {
      for (const open of [true, false])
        for (const over of [{}, noHeads, { base: 'x' }])
          for (const of of [{}, fork, { locked: true, autoMerge: true }, { merged: true }]) {
            const verdict = place({ ...over, job }, { open, ...of });
            const next = verdict.kind === 'refused' ? verdict.reason.next : 'Ask.';
            expect(next).toMatch(/[Aa]sk|[Mm]ention me|resolved by/);
          }
    },
  );
});
