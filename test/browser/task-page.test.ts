/** What a browser makes of a task's page: live and without a script, for eyes, keys and screen readers. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import type { Page } from 'playwright-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { projectRoot } from '../../host/project-root.ts';
import { initialProgress } from '../../src/codex/progress.ts';
import type { TaskEventBody, TaskView } from '../../src/core/task-view.ts';
import type { LedgerRow } from '../../src/core/ledger.ts';
import { emptyReceipt } from '../../src/core/grant.ts';
import { makeOpenLink } from '../../src/web/pages/open-link.ts';
import { keptMeasure, lines, pageWorld, privateKey } from '../pages/page-world.ts';
import { listen } from '../sandbox/local-subject.ts';
import { openBrowser, memoryOf, photograph, violations } from './browser.ts';

const path = '/t/gh-1-c2';
const started = (command: string): TaskEventBody => ({ kind: 'command.started', command });
const finished = (command: string, exitCode: number, outputTail: string): TaskEventBody => ({
  kind: 'command.finished',
  command,
  exitCode,
  outputTail,
  durationMs: 4200,
});
const blocked = {
  method: 'POST',
  host: 'collect.evil.example',
  path: '/env',
  reason: 'This host is not in the repository’s list.',
};
const begin: TaskEventBody[] = [
  { kind: 'thread', threadId: '019a-22', resumed: null },
  { kind: 'message', text: 'I will look at how the amounts are split, then fix the rounding.' },
  started('npm test'),
  finished(
    'npm test',
    1,
    '\u001B[31m✗ split(10, 3)\u001B[0m\n  expected \u001B[32m3.34\u001B[0m, got 3.33\n',
  ),
  started('node scripts/telemetry.js'),
  { kind: 'egress.denied', ...blocked },
  finished('node scripts/telemetry.js', 7, 'connect: refused'),
  { kind: 'files.changed', paths: ['src/split.ts', 'test/split.test.ts'] },
];
const view: Partial<TaskView> = {
  phase: 'codex',
  origin: 'github',
  issueNumber: 12,
  requester: 'maria',
  acceptedAt: new Date(1_700_000_000_000 - 9000).toISOString(),
  elapsedMs: 21_000,
  instruction: 'Fix the rounding in split(): the parts have to add up to the whole.',
  base: { branch: 'main', sha: 'a' },
  model: 'gpt-5.6',
  effort: 'high',
  usage: { inputTokens: 41_000, cachedInputTokens: 20_000, outputTokens: 1800, totalTokens: 42_800 },
  costUsd: 0.42,
  phases: [
    { phase: 'accepted', at: 1_700_000_000_000 },
    { phase: 'clone', at: 1_700_000_004_000 },
    { phase: 'codex', at: 1_700_000_009_000 },
  ],
  receipt: {
    ...emptyReceipt,
    hosts: [{ host: 'api.openai.com', requests: 9, bytesUp: 180_000, bytesDown: 44_000 }],
    denied: [{ ...blocked, rule: 'host', count: 1, at: 0, command: 'node scripts/telemetry.js' }],
    deniedTotal: 1,
  },
  progress: {
    ...initialProgress,
    plan: [
      { step: 'Reproduce the rounding error', status: 'completed' },
      { step: 'Distribute the remainder', status: 'inProgress' },
      { step: 'Run the tests', status: 'pending' },
    ],
    commandsTotal: 2,
  },
};
const patch =
  'diff --git a/src/split.ts b/src/split.ts\n--- a/src/split.ts\n+++ b/src/split.ts\n@@ -1,3 +1,4 @@\n export function split(total: number, parts: number) {\n-  return Array.from({ length: parts }, () => total / parts);\n+  const cents = Math.floor((total * 100) / parts);\n+  return Array.from({ length: parts }, () => cents / 100);\n }\n';

const entry: LedgerRow = {
  taskId: 'gh-1-c2',
  shortId: 'abcd1234',
  acceptedAt: 1_700_000_000_000,
  endedAt: null,
  place: 'github',
  repository: 'acme/shop',
  repositoryId: 2,
  installationId: 1,
  title: 'Fix rounding',
  issue: 5,
  person: 'github:7',
  requester: 'maria',
  state: 'held',
  outcome: 'held',
  asked: 'change',
  code: 'secrets',
  tokens: 1,
  dollars: null,
  pull: 13,
  closedAt: null,
  merged: false,
};
const ledger = [entry, { ...entry, taskId: 'gh-1-c1', state: 'ended' } as const];

const lineOf = (seq: number, kind: string) =>
  new TextEncoder().encode(`id: ${seq}\nevent: ${kind}\ndata: {}\n\n`);

/** Serves the pages of one task, which a test can continue, and signs each browser in as the operator. */
async function startSite(given: { view?: Partial<TaskView>; log?: readonly TaskEventBody[] } = {}) {
  const log = lines(...(given.log ?? begin));
  const state: { view: Partial<TaskView> } = { view: { ...view, ...given.view } };
  const viewers = new Set<ReadableStreamDefaultController<Uint8Array>>();
  const resumedFrom: number[] = [];
  const world = pageWorld({
    log,
    kept: keptMeasure({ text: patch, complete: true }),
    deps: {
      now: Date.now,
      ledger: async ({ state }) => await Promise.resolve(state === 'choosing' ? [] : ledger),
    },
    task: {
      view: async () => await Promise.resolve({ ...world.view, ...state.view }),
      watch: async (after) => {
        resumedFrom.push(after);
        let mine: ReadableStreamDefaultController<Uint8Array>;
        const stream = new ReadableStream<Uint8Array>({
          start: (controller) => {
            viewers.add((mine = controller));
            if (log.length > after) controller.enqueue(lineOf(log.length, 'note'));
          },
          cancel: () => void viewers.delete(mine),
        });
        return await Promise.resolve(stream);
      },
    },
  });
  world.routes.get('/assets/:name', async (c) => {
    const name = c.req.param('name');
    const file = await readFile(join(projectRoot, 'src/web/static/assets', name), 'utf8');
    return c.body(file, 200, { 'content-type': name.endsWith('.css') ? 'text/css' : 'text/javascript' });
  });
  const listener = getRequestListener(world.routes.fetch, { overrideGlobalObjects: false });
  const server = await listen((request, response) => void listener(request, response));
  onTestFinished(() => server.close());
  const { origin: url } = server;
  return {
    url,
    resumedFrom,
    calls: world.calls,
    signIn: async (page: Page, to = path) => {
      const link = await makeOpenLink({ url, id: 'this-start', privateKey }, path, Date.now() + 60_000);
      await page.goto(link);
      if (to !== path) await page.goto(url + to);
    },
    happen: (body: TaskEventBody, now: Partial<TaskView> = {}) => {
      log.push({ seq: log.length + 1, at: 1_700_000_000_000 + log.length * 1000, body });
      state.view = { ...state.view, ...now };
      for (const viewer of viewers) viewer.enqueue(lineOf(log.length, body.kind));
    },
    cut: () => {
      for (const viewer of viewers) viewer.close();
      viewers.clear();
    },
  };
}

const steps = (page: Page) => page.locator('#steps > li');

describe('the page of a task', () => {
  it('follows a task while it runs, resumes a lost stream, and shows the end', async () => {
    const site = await startSite();
    const { page, problems } = await (await openBrowser()).page();
    await site.signIn(page);
    expect(page.url()).toBe(site.url + path);
    await expect.poll(() => site.resumedFrom).toEqual([8]);
    site.happen(started('npm run build'));
    await expect.poll(async () => await page.locator('#s9 .running').textContent()).toBe('running');
    await page.locator('#s9 summary').click();
    await page.locator('#words').fill('use cents');
    site.happen(finished('npm run build', 0, 'built'));
    await expect.poll(async () => await page.locator('#s9').textContent()).toContain('exit code 0');
    // What the reader folded stays folded, and what they write stays written.
    expect(await page.locator('#s9 details').getAttribute('open')).toBeNull();
    expect(await page.locator('#words').inputValue()).toBe('use cents');
    site.cut();
    await expect.poll(() => site.resumedFrom).toEqual([8, 10]);
    await page.locator('#words').press('Enter');
    await expect.poll(() => site.calls.length).toBe(1);
    await page.waitForLoadState();
    const outcome = {
      kind: 'pull-request',
      pullRequest: {
        number: 13,
        title: 'Split amounts in cents',
        url: 'https://github.example/acme/shop/pull/13',
        headRef: 'x',
        headSha: 'a',
        draft: false,
      },
    } as const;
    site.happen({ kind: 'ended', outcome }, { outcome, status: 'ended', phase: 'ended' });
    await expect.poll(async () => await page.locator('.state').textContent()).toContain('#13 Split amounts');
    await expect.poll(async () => await page.locator('#change table').count()).toBe(1);
    expect(await page.locator('.actions button').count()).toBe(0);
    await photograph(page, 'task-ended');
    expect(problems).toEqual([]);
  });

  it('is whole without a script', async () => {
    const site = await startSite({ view: { outcome: { kind: 'no-change', summary: 'Nothing to do.' } } });
    const { page, problems } = await (await openBrowser()).page({ javaScriptEnabled: false });
    await site.signIn(page);
    expect(await steps(page).count()).toBe(5);
    expect(await page.locator('#s5 .attempts').textContent()).toContain('POST collect.evil.example/env');
    await page.locator('text=Show side by side').click();
    expect(await page.locator('table.sides tr').count()).toBe(5);
    await photograph(page, 'task-without-script');
    expect(problems).toEqual([]);
  });

  it.each([
    ['light', 1280, 900],
    ['dark', 1280, 900],
    ['light', 390, 844],
    ['dark', 1920, 1080],
  ] as const)(
    'has nothing that axe objects to, in %s colours and %i pixels wide',
    async (scheme, width, height) => {
      const site = await startSite({ log: [...begin, started('npm test')] });
      const { page } = await (
        await openBrowser()
      ).page({ colorScheme: scheme, viewport: { width, height }, reducedMotion: 'reduce' });
      await site.signIn(page);
      await photograph(page, `task-${scheme}-${width}`);
      expect(await violations(page)).toEqual([]);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
      expect(wide).toBe(false);
      await page.goto(`${site.url}/tasks`);
      expect(await page.locator('tbody tr').count()).toBe(4);
      await photograph(page, `tasks-${scheme}-${width}`);
      expect(await violations(page)).toEqual([]);
      await page.getByRole('link', { name: 'Outcomes and cost' }).click();
      expect(await page.locator('tbody tr').count()).toBe(4);
      await photograph(page, `outcomes-${scheme}-${width}`);
      expect(await violations(page)).toEqual([]);
    },
  );

  it('works by keyboard alone: to the content, into a step, to its output', async () => {
    const site = await startSite();
    const { page } = await (await openBrowser()).page();
    await site.signIn(page);
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toContain('Skip to the content');
    await page.keyboard.press('Enter');
    await page.locator('#s3 summary').focus();
    await page.keyboard.press('Enter');
    expect(await page.locator('#s3 .output').isVisible()).toBe(true);
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.className)).toBe('output');
  });

  it('stays smooth with 100,000 lines, of which it loads the earlier ones page by page', async () => {
    const log = Array.from(
      { length: 100_000 },
      (_, at) => ({ kind: 'message', text: `line ${at}` }) as const,
    );
    const site = await startSite({ log });
    const { page, problems } = await (await openBrowser()).page();
    const from = Date.now();
    await site.signIn(page);
    expect(await steps(page).count()).toBe(400);
    const shownMs = Date.now() - from;
    // Interactive: the module runs, and the field takes a key.
    await page.locator('#words').press('a');
    await expect.poll(() => site.resumedFrom).toEqual([100_000]);
    const interactiveMs = Date.now() - from;
    const reportMemory = async (what: string) => {
      const { heap, nodes } = await memoryOf(page);
      process.stdout.write(
        `100,000 lines, ${what}: heap ${(heap / 1e6).toFixed(1)} MB, ${nodes} DOM nodes\n`,
      );
      return nodes;
    };
    process.stdout.write(`100,000 lines: shown after ${shownMs} ms, interactive after ${interactiveMs} ms\n`);
    // A step has about ten nodes.
    expect(await reportMemory('400 of them shown')).toBeLessThan(400 * 20);
    for (const count of [800, 1200]) {
      await page.locator('#earlier').click();
      await expect.poll(async () => await steps(page).count()).toBe(count);
    }
    expect(await reportMemory('1,200 of them shown')).toBeLessThan(1200 * 20);
    expect(await steps(page).first().textContent()).toContain('line 98800');
    site.happen({ kind: 'message', text: 'newest' });
    await expect.poll(async () => await steps(page).last().textContent()).toContain('newest');
    expect(problems).toEqual([]);
  });

  it('shows a stranger nothing', async () => {
    const site = await startSite();
    const { page } = await (await openBrowser()).page();
    await page.goto(site.url + path);
    expect(await page.locator('main').textContent()).not.toContain('rounding');
    expect(await violations(page)).toEqual([]);
    await photograph(page, 'task-sign-in');
  });
});
