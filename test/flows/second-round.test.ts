/**
 * One conversation to its end: issue with a screenshot, pull request, review, failing check, conflict, merge.
 * Codex works in one thread all the way.
 */
import { readLedger } from '../../cli/task/bot-api.ts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { splitBillFiles } from '../../cli/demo/split-bill.ts';
import { splitBillPatch } from '../../cli/demo/demo-script.ts';
import type { PullView } from '../../simulators/github/contract.ts';
import { applyPatch, finish, shell, type Move } from '../../simulators/openai/script.ts';
import { taskIdFor } from '../../src/core/ids.ts';
import type { TaskView } from '../../src/core/task-view.ts';
import { summaryOf } from '../../src/web/report.ts';
import { png } from '../fixtures/images.ts';
import {
  askOn,
  botComments,
  follow,
  splitBill,
  startFlow,
  until,
  untilEnded,
  untilNothingIsLeft,
  type FlowWorld,
} from './ask.ts';
import { gitIn } from './clone-branch.ts';

const patched = (file: string, from: string, to: string): Move =>
  applyPatch(`*** Begin Patch\n*** Update File: ${file}\n@@\n-${from}\n+${to}\n*** End Patch`);

/** What Codex does in each turn, found by words of its prompt. A resumed thread shows all earlier ones. */
const turns: readonly (readonly [words: string, moves: (prompt: string) => readonly Move[]])[] = [
  [
    'a cent is missing',
    () => [applyPatch(splitBillPatch), finish({ title: 'Hand out every cent', summary: 'Counts in cents.' })],
  ],
  [
    'please do what I wrote in the lines',
    (prompt) => {
      const ids = [...prompt.matchAll(/, id (\d+)\]/g)].map(([, id]) => Number(id));
      return [
        patched(
          'src/split.js',
          '  const remaining = cents - share * people;',
          '  const rest = cents % people;',
        ),
        shell("sed -i 's/index < remaining/index < rest/' src/split.js"),
        finish({
          title: 'Name what is left over',
          summary: 'As the review asks.',
          replies: ids.map((id, index) => ({ id, text: `Done, number ${index + 1}.` })),
        }),
      ];
    },
  ],
  [
    'README.md has no heading',
    () => [
      patched('README.md', '# split-bill', '# Split a bill'),
      finish({ title: 'Give the README its heading', summary: 'The check asks for it.' }),
    ],
  ],
  [
    'resolve the conflicts',
    () => [
      shell(
        "git checkout --ours src/split.js 2>/dev/null || true; sed -i '/^<<<<<<<\\|^=======\\|^>>>>>>>/d' src/split.js",
      ),
      finish({ title: 'Merge main', summary: 'Keeps the count in cents.' }),
    ],
  ],
];

/** The latest turn that the prompt asks for. */
function latestTurn({ prompt }: { prompt: string }): readonly Move[] {
  const found = turns.findLast(([words]) => prompt.includes(words));
  if (found === undefined) throw new Error('the prompt asks for no known turn');
  return found[1](prompt);
}

let flow: FlowWorld;
const views: TaskView[] = [];
beforeAll(async () => {
  flow = await startFlow({ script: latestTurn });
});
afterAll(async () => await flow.close());

async function ended(taskId: string): Promise<TaskView> {
  const view = await untilEnded(flow.world, taskId);
  views.push(view);
  return view;
}

const gitOf = async (...args: readonly string[]) => await gitIn(flow.world.repository, ...args);
const parentsOf = async (sha: string) => (await gitOf('show', '-s', '--format=%P', sha)).split(' ');

async function onlyPull(): Promise<PullView> {
  const [pull, ...others] = await flow.world.github.pulls(splitBill);
  if (pull === undefined || others.length > 0) throw new Error('not one pull request');
  return pull;
}

it('an issue with a screenshot becomes a pull request', async () => {
  const { github, openai } = flow.world;
  const shot = png(64, 48);
  const { number } = await github.openIssue({
    ...splitBill,
    author: 'maria',
    title: 'split() loses a cent',
    body: `@airlock a cent is missing, see ![](${github.attach({ ...splitBill, file: 'shot.png', content: shot })})`,
  });
  const repositoryId = flow.world.repository.id;
  const { outcome } = await ended(taskIdFor({ event: 'issue_opened', repositoryId, issueNumber: number }));
  const pull = await onlyPull();
  expect(outcome).toMatchObject({ kind: 'pull-request', pullRequest: { number: pull.number } });
  expect(pull.body).toMatch(new RegExp(`^Closes #${number}$`, 'm'));
  const sent = JSON.stringify(openai?.requests().map(({ body }) => body));
  expect(sent).toContain(`data:image/png;base64,${Buffer.from(shot).toString('base64')}`);
});

it('its review with three line comments becomes one commit and three replies', async () => {
  const { github } = flow.world;
  const before = await onlyPull();
  const at = { ...splitBill, number: before.number };
  const review = await github.reviewPull({
    ...at,
    author: 'maria',
    body: '@airlock please do what I wrote in the lines',
    comments: [8, 9, 10].map((line) => ({ path: 'src/split.js', line, body: `Say it shorter (${line}).` })),
  });
  const repositoryId = flow.world.repository.id;
  const { outcome } = await ended(taskIdFor({ event: 'review', repositoryId, reviewId: review.id }));
  const pull = await onlyPull();
  expect(outcome).toMatchObject({ kind: 'pull-request', added: true, commit: { sha: pull.headSha } });
  expect(await parentsOf(pull.headSha)).toEqual([before.headSha]);
  await until('three replies', () => github.reviewComments(at).length === 6);
  const replies = github.reviewComments(at).filter(({ author }) => author === 'airlock[bot]');
  expect(replies.map(({ inReplyTo }) => inReplyTo)).toEqual(review.comments);
  for (const [index, { body }] of replies.entries()) {
    expect(body).toContain(`Done, number ${index + 1}.`);
    expect(body).toContain(pull.headSha);
  }
});

it('its failing check is mended by the next commit', async () => {
  const { github } = flow.world;
  const before = await onlyPull();
  const check = { ...splitBill, check: 'docs' } as const;
  github.addCheckRun({
    ...check,
    sha: before.headSha,
    conclusion: 'failure',
    log: 'README.md has no heading',
  });
  const { taskId } = await askOn(flow.world, before.number, '@airlock fix the checks');
  const { outcome } = await ended(taskId);
  const pull = await onlyPull();
  expect(outcome).toMatchObject({ kind: 'pull-request', added: true, commit: { sha: pull.headSha } });
  expect(await parentsOf(pull.headSha)).toEqual([before.headSha]);
  github.addCheckRun({ ...check, sha: pull.headSha, conclusion: 'success' });
});

it('its conflict with the base is resolved by a merge commit with both parents', async () => {
  const { github } = flow.world;
  const before = await onlyPull();
  const split = (splitBillFiles['src/split.js'] ?? '').replace('Math.round((total', 'Math.floor((total');
  const main = await github.moveBranch({ ...splitBill, branch: 'main', files: { 'src/split.js': split } });
  const { taskId } = await askOn(flow.world, before.number, '@airlock resolve the conflicts');
  const { outcome } = await ended(taskId);
  const pull = await onlyPull();
  expect(outcome).toMatchObject({ kind: 'pull-request', added: true, commit: { sha: pull.headSha } });
  expect(await parentsOf(pull.headSha)).toEqual([before.headSha, main.sha]);
  expect(await gitOf('show', `${pull.headSha}:src/split.js`)).toContain('const rest = cents % people;');
});

it('is merged, after turns of one Codex thread, each with one comment', async () => {
  const { github } = flow.world;
  const { number, headSha } = await onlyPull();
  await github.closePull({ ...splitBill, number, merge: true });
  await gitOf('merge-base', '--is-ancestor', headSha, 'main');
  // The report has what the tasks took, and that their pull request was merged.
  const { apiToken, bot } = flow.world;
  const rows = await readLedger(
    { apiToken, url: bot.url },
    { repository: 'acme/split-bill', state: 'ended' },
  );
  const search = `#${number} SPLIT-bill`;
  expect(await readLedger({ apiToken, url: bot.url }, { search, state: 'ended' })).toEqual(rows);
  const { total } = summaryOf(rows);
  expect(total).toMatchObject({ merged: 1, open: 0, failed: 0, secondsToPull: expect.any(Number) });
  const usedBy = views.map(({ usage }) => usage.totalTokens);
  expect(total.tokens).toBe(usedBy.reduce((sum, one) => sum + one, 0));
  const threads = await Promise.all(
    views.map(async ({ taskId }) =>
      (await follow(flow.world, taskId)).flatMap(({ body }) => (body.kind === 'thread' ? [body] : [])),
    ),
  );
  const threadId = views[0]?.progress?.threadId ?? '';
  expect(threads).toEqual(
    [null, 'yes', 'yes', 'yes'].map((resumed) => [{ kind: 'thread', threadId, resumed }]),
  );
  // The screenshot of the issue is still in the thread.
  const latest = JSON.stringify(flow.world.openai?.requests().at(-1)?.body);
  expect(latest).toContain(`data:image/png;base64,${Buffer.from(png(64, 48)).toString('base64')}`);
  expect(botComments(flow.world, { ...splitBill, issue: number })).toHaveLength(3);
  await untilNothingIsLeft(flow);
});
