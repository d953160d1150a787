/** The main job: a mention in an issue becomes a pull request, and nothing of what made it is left over. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PullView } from '../../simulators/github/contract.ts';
import { demoScript } from '../../cli/demo/demo-script.ts';
import { png } from '../fixtures/images.ts';
import type { TaskView } from '../../src/core/task-view.ts';
import {
  ask,
  askOn,
  botComments,
  follow,
  splitBill,
  startFlow,
  untilEnded,
  untilNothingIsLeft,
  type Asked,
  type FlowWorld,
} from './ask.ts';
import { cloneBranch } from './clone-branch.ts';

const run = promisify(execFile);

describe('a mention in an issue', () => {
  let flow: FlowWorld;
  let asked: Asked;
  let view: TaskView;
  let pull: PullView;
  /** What was minted for the task, before the test mints one itself. */
  let minted: ReturnType<FlowWorld['world']['github']['issuedTokens']>;

  beforeAll(async () => {
    flow = await startFlow({
      script: (asking) =>
        asking.prompt.includes('is the second round needed?')
          ? [{ move: 'finish', text: JSON.stringify({ answer: 'It is not: see `split()`.' }) }]
          : typeof demoScript === 'function'
            ? demoScript(asking)
            : demoScript,
    });
    asked = await ask(flow.world, '@airlock fix the rounding in split()');
    view = await untilEnded(flow.world, asked.taskId);
    await untilNothingIsLeft(flow);
    minted = flow.world.github.issuedTokens();
    const [only, ...others] = await flow.world.github.pulls(splitBill);
    if (only === undefined || others.length > 0)
      throw new Error(`not one pull request: ${JSON.stringify(view.outcome)}`);
    pull = only;
  });
  afterAll(async () => await flow.close());

  it('is answered with 👀 at the mention', () => {
    expect(flow.world.github.reactions({ ...splitBill, issue: asked.issue, comment: asked.comment })).toEqual(
      [{ login: 'airlock[bot]', content: 'rocket' }],
    );
  });

  it('gets one comment that is edited until it links the pull request', () => {
    const comments = botComments(flow.world, { ...splitBill, issue: asked.issue });
    expect(comments).toHaveLength(1);
    const versions = comments[0]?.versions ?? [];
    expect(versions.length).toBeGreaterThan(1);
    expect(versions[0]).toContain('⏳');
    expect(versions[0]).not.toContain(pull.url);
    expect(versions.at(-1)).toContain(`(${pull.url})`);
  });

  it('ends in a pull request from a readable branch to main', () => {
    expect(view.outcome).toMatchObject({
      kind: 'pull-request',
      pullRequest: { number: pull.number, url: pull.url, headSha: pull.headSha, draft: false },
    });
    expect(pull.headRef).toBe(`airlock/hand-out-every-cent-in-split-${view.shortId}`);
    expect(pull).toMatchObject({
      baseRef: 'main',
      draft: false,
      author: 'airlock[bot]',
      title: 'Hand out every cent in split()',
    });
  });

  it('says in the pull request what ran, what it reached, and what it closes', () => {
    expect(pull.body).toContain('It now counts in whole cents');
    expect(pull.body).toMatch(/✅ `node --test` failed before, passes now in the sandbox\./);
    expect(pull.body).toMatch(/github\.com.*\n?.*api\.openai\.com|api\.openai\.com[^]*github\.com/);
    expect(pull.body).toContain('requested by @maria');
    expect(pull.body).toMatch(new RegExp(`^Closes #${asked.issue}$`, 'm'));
    expect(pull.body.trimEnd()).toMatch(new RegExp(`<!-- airlock:task=${asked.taskId} -->$`));
  });

  it('narrowed every token to the repository and to one purpose, and revoked it', () => {
    expect(minted.length).toBeGreaterThan(0);
    const purposes = [
      { contents: 'read' },
      { issues: 'write' },
      { contents: 'write', pull_requests: 'write' },
    ];
    for (const { repositories, permissions, revoked } of minted) {
      expect(repositories).toEqual(['acme/split-bill']);
      const { metadata, ...granted } = permissions;
      expect(metadata ?? 'read').toBe('read');
      expect(purposes).toContainEqual(granted);
      expect(revoked).toBe(true);
    }
  });

  it('destroyed the one sandbox that it started', () => {
    expect(flow.logged('sandbox.started')).toHaveLength(1);
    expect(flow.logged('sandbox.ended')).toHaveLength(1);
    expect(flow.world.bot.sandboxes()).toEqual([]);
  });

  it('made a branch that plain git fetches and whose tests pass, on top of what was there', async () => {
    await using clone = await cloneBranch(flow.world, pull.headRef);
    const { git, directory } = clone;
    expect(await git('rev-parse', 'HEAD')).toBe(pull.headSha);
    expect(await git('rev-parse', 'HEAD^')).toBe(flow.world.repository.headSha);
    expect(await git('diff', '--name-status', 'HEAD^')).toBe('M\tsrc/split.js');
    expect(await git('log', '-1', '--format=%an <%ae>')).toMatch(
      /^airlock\[bot\] <\d+\+airlock\[bot\]@users\.noreply\.github\.com>$/,
    );
    expect(await git('log', '-1', '--format=%(trailers:unfold)')).toMatch(
      new RegExp(
        `^Airlock-Task: ${asked.taskId}\\nCo-authored-by: maria <\\d+\\+maria@users\\.noreply\\.github\\.com>$`,
      ),
    );
    // Rejects when a test fails.
    await run(process.execPath, ['--test'], {
      cwd: directory,
      timeout: 120_000,
      env: { PATH: process.env['PATH'] },
    });
  });

  it('went through its phases in order, and the record says what was changed and used', () => {
    expect(view.phases.map(({ phase }) => phase)).toEqual([
      'accepted',
      'authorize',
      // Concurrent.
      expect.stringMatching(/acknowledge|slot/),
      expect.stringMatching(/acknowledge|slot|provision/),
      expect.stringMatching(/acknowledge|provision/),
      'canary',
      'clone',
      'codex',
      'collect',
      'gate',
      'publish',
      'report',
      'ended',
    ]);
    // No phase for setup, as none is configured.
    expect(view.setup).toEqual({ status: 'none' });
    expect(view.change).toEqual({ files: 1, insertions: 4, deletions: 2 });
    expect(view.usage.totalTokens).toBeGreaterThan(0);
    expect(view.receipt.denied).toEqual([]);
  });

  it('is continued by a question in its pull request, in one thread, with what is attached', async () => {
    const { github } = flow.world;
    const attach = (file: string, content: string | Uint8Array<ArrayBuffer>) =>
      github.attach({ ...splitBill, file, content });
    const shown = [
      `![](${attach('shot.png', png(64, 48))})`,
      `[numbers.log](${attach('numbers.log', '0.005 became 0.01')})`,
      `![](${attach('drawing.svg', '<svg xmlns="http://www.w3.org/2000/svg"/>')})`,
      `![](${attach('bomb.png', png(30_000, 30_000))})`,
    ].join(' ');
    const words = `@airlock ask is the second round needed? ${shown}`;
    const { taskId } = await askOn(flow.world, pull.number, words);
    const second = await untilEnded(flow.world, taskId);
    expect(second.outcome).toEqual({ kind: 'replied', text: 'It is not: see `split()`.' });
    const { threadId } = view.progress ?? {};
    expect(second.progress).toMatchObject({ threadId, resumed: 'yes' });
    expect(second.earlierTurn).toEqual({ shortId: view.shortId, resumed: true, why: null });
    const logged = await follow(flow.world, taskId);
    expect(logged.map(({ body }) => body)).toContainEqual({ kind: 'thread', threadId, resumed: 'yes' });
    const comment = botComments(flow.world, { ...splitBill, issue: pull.number }).at(-1)?.body;
    for (const part of ['It is not: see `split()`.', `continues \`${view.shortId}\``])
      expect(comment).toContain(part);
    expect(await flow.world.github.pulls(splitBill)).toHaveLength(1);
    const sent = JSON.stringify(flow.world.openai?.requests().at(-1)?.body);
    const image = `data:image/png;base64,${Buffer.from(png(64, 48)).toString('base64')}`;
    for (const part of [
      'fix the rounding in split()',
      'is the second round needed?',
      image,
      '0.005 became 0.01',
    ])
      expect(sent).toContain(part);
    const left = [
      'image 2 in the request is an SVG drawing',
      'image 3 in the request has 30,000 × 30,000 pixels',
    ];
    for (const why of left) {
      expect(sent).toContain(why);
      expect(second.attachmentsLeft).toContain(why);
    }
    expect(sent.split('data:image/')).toHaveLength(2);
  });
});
