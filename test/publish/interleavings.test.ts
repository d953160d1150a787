/** Publication under every order of the calls of overlapping attempts, on a model of GitHub. */
import { afterAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { CleanMergeInput, Publication, PublishInput } from '../../src/core/ports/publication.ts';
import { closedPolicy } from '../../src/core/policy.ts';
import type { ChangedFile } from '../../src/core/change-set.ts';
import type { RepositoryFacts } from '../../src/core/task.ts';
import { createAppTokens, type AppTokens } from '../../src/github/app-auth.ts';
import { createPublication } from '../../src/publish/publisher.ts';
import { namesTask } from '../../src/publish/trailers.ts';
import { explore, Names, Run, settled, type End, type Scene, type Start } from './explore-orders.ts';
import {
  answer,
  appId,
  blobId,
  emptyModel,
  history,
  inBase64,
  textId,
  withTree,
  type Tree,
  openedPull,
  pushed,
  repositoryId,
  squashed,
  withoutBranch,
  type Model,
} from './github-model.ts';
import { privateKey, publishInput, taskRequest } from './simulated-github.ts';

const facts: RepositoryFacts = {
  owner: 'acme',
  name: 'split',
  repositoryId,
  installationId: 1,
  defaultBranch: 'main',
  private: true,
};
const own = 'airlock/fix-the-rounding-in-split-0a1b2c3d';

const api = { apiUrl: 'https://api.github.test', now: () => Date.parse('2026-11-20T10:05:00Z') };
const tokens: AppTokens = {
  ...createAppTokens({ ...api, fetch, appId, privateKey }),
  tokenFor: async () => 'token',
  bot: async () => 'airlock[bot]',
};

/** An attempt in a process of its own. */
const attempt =
  (run: (publication: Publication) => Promise<unknown>): Start =>
  async (fetch_) =>
    await run(
      createPublication({
        ...api,
        fetch: fetch_,
        // No call takes time here, and the timers of thousands of calls need not live long.
        timeoutMs: 1,
        tokens,
      }),
    );
const publishing = (input: PublishInput): Start => attempt(async (on) => await on.publish(input));

/** Edits a.txt, deletes b.txt, and adds a binary file, which needs a call of its own. */
const files: readonly ChangedFile[] = [
  { type: 'file', path: 'a.txt', mode: '100644', content: inBase64('ours\n') },
  { type: 'deletion', path: 'b.txt' },
  { type: 'file', path: 'c.bin', mode: '100644', content: 'AAA=' },
];
const changed = (base: string) => ({ base, files, skipped: [], links: [], diskFull: false });

const start = pushed(emptyModel, 'mona', 'main', { 'a.txt': 'old\n', 'b.txt': 'old\n', 'd.txt': 'old\n' });
const base = start.refs['main'] ?? '';
/** With a pull request of a person, whose head is another commit. */
const withPull = openedPull(
  pushed({ ...start, refs: { ...start.refs, feature: base } }, 'mona', 'feature', { 'e.txt': 'theirs\n' }),
  { head: 'feature', base: 'main', title: 'Theirs', body: 'Theirs.' },
);
const head = withPull.refs['feature'] ?? '';
const theirs = {
  number: 1,
  title: 'Theirs',
  url: 'https://github.test/acme/split/pull/1',
  draft: false,
  headRef: 'feature',
  headSha: head,
};
const place = { ...theirs, author: 'mona', baseBranch: 'main', baseSha: base, fork: false };

const onOwn = publishInput(facts, changed(base));
const onHead: PublishInput = {
  ...publishInput(facts, changed(head)),
  baseBranch: 'feature',
  continues: theirs,
};
const asked: PublishInput = { ...onHead, pull: place };

/** The base branch has moved, and one file conflicts unless it is `clean`. */
const apart = (isClean: boolean): Model =>
  pushed(withPull, 'mona', 'main', { 'd.txt': 'new\n', ...(isClean ? {} : { 'e.txt': 'base\n' }) });
const mergePlace = (model: Model) => ({ ...place, baseSha: model.refs['main'] ?? '' });
const clean: CleanMergeInput = {
  facts,
  request: taskRequest(),
  policy: closedPolicy,
  pull: mergePlace(apart(true)),
};
const mergingCleanly = attempt(async (on) => await on.mergeCleanly(clean));

/** What git makes of both sides: `e.txt` conflicts, and has the head's version. */
const [conflicted, tree] = withTree(apart(false), {
  ...filesOf(apart(false), 'main'),
  'e.txt': { mode: '100644', sha: textId('theirs\n') },
});
const merging: PublishInput = {
  ...asked,
  pull: mergePlace(conflicted),
  change: {
    ...asked.change,
    base: tree,
    files: [{ type: 'file', path: 'e.txt', mode: '100644', content: inBase64('both\n') }],
    merge: { ours: head, theirs: conflicted.refs['main'] ?? '', ancestor: base, tree },
  },
};

function filesOf(model: Model, branch: string): Tree {
  const commit = model.commits[model.refs[branch] ?? ''];
  return model.trees[commit?.tree ?? ''] ?? {};
}

/** How an attempt ended, in a word. */
const resultSchema = z.union([
  z
    .object({ kind: z.literal('published'), pullRequest: z.object({ number: z.number() }) })
    .transform(({ pullRequest }) => `#${pullRequest.number}`),
  z.object({ kind: z.string() }).transform(({ kind }) => kind),
]);
const word = (end: End): string => ('value' in end ? resultSchema.parse(end.value) : 'transient');

const short = (branch: string): string => branch.replace(own, 'own');
/** The task's commits under a branch. */
const ours = (model: Model, branch: string): readonly string[] =>
  history(model, model.refs[branch] ?? '').filter((one) =>
    namesTask(model.commits[one]?.message ?? '', onOwn.request.taskId),
  );

/** What the attempts say; pull requests; branches with a commit of the task, and how many; comments. */
function outcome(model: Model, ends: readonly End[]): string {
  const said = [...new Set(ends.map(word))].toSorted().join(' ');
  const pulls = model.pulls.map((pull) => `${short(pull.head)} ${pull.state}`).join(', ');
  const branches = Object.keys(model.refs)
    .toSorted()
    .flatMap((branch) =>
      ours(model, branch).length > 0 ? [`${short(branch)} ${ours(model, branch).length}`] : [],
    );
  const others = Object.keys(model.refs).filter(
    (branch) => branch.startsWith(own) && ours(model, branch).length === 0,
  );
  const under = [...branches, ...others.map(() => 'a stranger’s')].join(', ');
  return `${said} | ${pulls} | ${under} | ${model.comments.length}`;
}

/** What the task's commits change. */
function changes(model: Model): ReadonlySet<string> {
  const found = Object.keys(model.refs).flatMap((branch) => ours(model, branch));
  return new Set(
    found.map((sha) => {
      const commit = model.commits[sha];
      const [before, after] = [commit?.parents[0] ?? '', sha].map(
        (one) => model.trees[model.commits[one]?.tree ?? ''] ?? {},
      );
      const paths = Object.keys({ ...before, ...after }).filter(
        (path) => before?.[path]?.sha !== after?.[path]?.sha,
      );
      return paths
        .map((path) => `${path} ${after?.[path]?.sha ?? 'gone'}`)
        .toSorted()
        .join('\n');
    }),
  );
}
const change = [`a.txt ${textId('ours\n')}`, 'b.txt gone', `c.bin ${blobId('AAA=')}`].join('\n');
const merged = [`d.txt ${textId('new\n')}`, `e.txt ${textId('both\n')}`].join('\n');

const ownBranch = (model: Model): string | undefined =>
  Object.keys(model.refs).find((branch) => branch.startsWith(own) && ours(model, branch).length > 0);
/** What people do. */
const onOwnBranch = (act: (model: Model, branch: string) => Model | null) => (model: Model) => {
  const branch = ownBranch(model);
  return branch === undefined ? null : act(model, branch);
};
const squash = onOwnBranch((model, branch) =>
  model.pulls.some((pull) => pull.head === branch && pull.state === 'open') ? squashed(model, branch) : null,
);
const push = (branch: string) => (model: Model) =>
  model.refs[branch] === undefined ? null : pushed(model, 'mona', branch, { 'f.txt': 'more\n' });
const close = (model: Model) => ({
  ...model,
  pulls: model.pulls.map((pull) => ({ ...pull, state: 'closed' as const })),
});
const stranger = (model: Model, suffix: string): Model => ({
  ...model,
  refs: { ...model.refs, [`${own}${suffix}`]: base },
});
const taken = stranger(start, '');

interface Row extends Omit<Scene, 'attempts' | 'check'> {
  readonly title: string;
  readonly start: Start;
  /** All ends that are right, each of which some order reaches. */
  readonly ends: readonly string[];
  readonly changes?: string;
}
const onOwnEnd = '#1 | own open | own 1 | 0';
const onHeadEnd = '#1 | feature open | feature 1 | 1';
const askedEnd = '#1 | feature open | feature 1 | 0';

const rows: readonly Row[] = [
  { title: 'a branch of its own', model: start, start: publishing(onOwn), crashes: 2, ends: [onOwnEnd] },
  {
    title: 'a branch of its own, with every call in every order',
    model: start,
    start: publishing(onOwn),
    crashes: 0,
    everyCall: true,
    ends: [onOwnEnd],
  },
  {
    title: 'a branch of its own, with a third attempt',
    model: start,
    start: publishing(onOwn),
    later: publishing(onOwn),
    crashes: 1,
    ends: [onOwnEnd],
  },
  {
    title: 'another name, as a stranger has the first',
    model: taken,
    start: publishing(onOwn),
    crashes: 2,
    ends: ['#1 | own-2 open | own-2 1, a stranger’s | 0'],
  },
  {
    title: 'the last name, as strangers have the others',
    model: ['-2', '-3', '-4'].reduce(stranger, taken),
    start: publishing(onOwn),
    crashes: 1,
    ends: ['#1 | own-5 open | own-5 1, a stranger’s, a stranger’s, a stranger’s, a stranger’s | 0'],
  },
  {
    title: 'another name, while a stranger takes the next',
    model: taken,
    start: publishing(onOwn),
    crashes: 1,
    events: {
      'a stranger': (model) => (model.refs[`${own}-2`] === undefined ? stranger(model, '-2') : null),
    },
    ends: [
      '#1 | own-2 open | own-2 1, a stranger’s | 0',
      '#1 | own-3 open | own-3 1, a stranger’s, a stranger’s | 0',
    ],
  },
  {
    title: 'a branch of its own, while a person pushes onto it',
    model: start,
    start: publishing(onOwn),
    crashes: 1,
    events: { 'a push': push(own) },
    ends: [onOwnEnd],
  },
  {
    title: 'a branch of its own, while a person squashes the pull request and deletes the branch',
    model: start,
    start: publishing(onOwn),
    crashes: 0,
    events: { 'a squash': squash },
    ends: [onOwnEnd, '#1 | own closed |  | 0'],
  },
  {
    title: 'another name, while a person squashes the pull request and deletes the branch',
    model: taken,
    start: publishing(onOwn),
    crashes: 0,
    events: { 'a squash': squash },
    ends: ['#1 | own-2 open | own-2 1, a stranger’s | 0', '#1 | own-2 closed | a stranger’s | 0'],
  },
  {
    title: 'a branch of its own, while a person deletes it',
    model: start,
    start: publishing(onOwn),
    crashes: 0,
    events: { 'a deletion': onOwnBranch(withoutBranch) },
    ends: [onOwnEnd, '#1 | own closed |  | 0', '#1 transient | own open | own 1 | 0'],
  },
  { title: 'a pull request', model: withPull, start: publishing(onHead), crashes: 2, ends: [onHeadEnd] },
  {
    title: 'the pull request that it was asked in, with a third attempt',
    model: withPull,
    start: publishing(asked),
    later: publishing(asked),
    crashes: 1,
    ends: [askedEnd],
  },
  {
    title: 'the pull request that it was asked in, while a person pushes onto it',
    model: withPull,
    start: publishing(asked),
    crashes: 0,
    events: { 'a push': push('feature') },
    ends: [askedEnd],
  },
  {
    title: 'the pull request that it was asked in, while a person closes it',
    model: withPull,
    start: publishing(asked),
    crashes: 0,
    events: { 'a close': close },
    ends: [
      askedEnd,
      '#1 | feature closed | feature 1 | 0',
      'unwritten | feature closed |  | 0',
      // Closed a moment before the commit came onto its branch, which the answer says.
      'unwritten | feature closed | feature 1 | 0',
    ],
  },
  {
    title: 'a new pull request, as the one that it continues was closed',
    model: close(withPull),
    start: publishing(onHead),
    crashes: 2,
    ends: ['#2 | feature closed, own open | own 1 | 0'],
  },
  {
    title: 'a new pull request, as a person has changed the same file',
    model: pushed(withPull, 'mona', 'feature', { 'a.txt': 'theirs\n' }),
    start: publishing(onHead),
    crashes: 1,
    ends: ['#2 | feature open, own open | own 1 | 0'],
  },
  {
    title: 'a merge with a conflict that Codex has resolved',
    model: conflicted,
    start: publishing(merging),
    crashes: 2,
    ends: [askedEnd],
    changes: merged,
  },
  {
    title: 'a merge that GitHub makes, while a person pushes onto the branch',
    model: apart(true),
    start: mergingCleanly,
    later: mergingCleanly,
    crashes: 1,
    events: { 'a push': push('feature') },
    ends: ['merged | feature open | feature 1 | 0'],
    changes: `d.txt ${textId('new\n')}`,
  },
];

const counted: string[] = [];
afterAll(() => console.log(`Orders of calls that were explored:\n${counted.join('\n')}`));

describe('overlapping attempts, in every order of their calls and crashes, publish once', () => {
  it.each(rows)('$title', async ({ title, start: run, ends, changes: expected = change, ...scene }) => {
    const reached = new Set<string>();
    const explored = await explore({
      ...scene,
      attempts: { one: run, other: run },
      check: ({ before, after, ends: said, retried, crashed }) => {
        const end = outcome(after, [...said, retried]);
        if (!ends.includes(end)) throw new Error(`it ends so: ${end}`);
        reached.add(end);
        // Without a crash nothing is left to put in order.
        const isDone = !crashed && said.some((one) => word(one) !== 'transient');
        if (isDone && outcome(before, [...said, retried]) !== end)
          throw new Error('a retry still changed it');
        for (const one of changes(after)) expect(one).toBe(expected);
      },
    });
    expect([...reached].toSorted()).toEqual([...ends].toSorted());
    counted.push(`${explored.orders.toLocaleString('en')} of ${title}`);
  });
});

it('takes six sequential round trips for three files, and no call for the content of text', async () => {
  const text = files.map((file) => (file.path === 'c.bin' ? { ...file, content: inBase64('text\n') } : file));
  const run = new Run('one', publishing(publishInput(facts, { ...changed(base), files: text })), new Names());
  const rounds: string[][] = [];
  let model = start;
  for (await settled(); run.end === null;) {
    const held = [...run.held];
    rounds.push(held.map(([, { method, path }]) => `${method} ${path}`));
    for (const [call, asked] of held) {
      const [next, given] = answer(model, asked);
      model = next;
      await run.give({ call, answer: given });
    }
  }
  expect(run.end).toMatchObject({ value: { kind: 'published' } });
  expect(rounds).toHaveLength(6);
  expect(rounds.flat()).not.toContain('POST git/blobs');
});
