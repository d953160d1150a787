import { parse, type DefaultTreeAdapterTypes } from 'parse5';
import { describe, expect, it } from 'vitest';
import { tokenIn } from '../../../test/pages/browser-of.ts';
import { keptMeasure, lines, pageWorld, privateKey } from '../../../test/pages/page-world.ts';
import { initialProgress } from '../../codex/progress.ts';
import { emptyReceipt } from '../../core/grant.ts';
import type { LedgerQuery, LedgerRow } from '../../core/ledger.ts';
import type { TaskEventBody, TaskView } from '../../core/task-view.ts';
import type { TaskOutcome } from '../../core/task.ts';
import { makeOpenLink } from './open-link.ts';

const path = '/t/gh-1-c2';
const changeHash = 'a'.repeat(64);
const may = (permission: 'read' | 'write') => ({ access: () => ({ permission, private: true }) });
const hostile =
  '<script>alert(1)</script><img src=x onerror=alert(1)>"\'`</code></pre></details>\u202Egnp.exe\u0007';
const started = (command: string): TaskEventBody => ({ kind: 'command.started', command });
const finished = (command: string, exitCode = 0, outputTail = ''): TaskEventBody => ({
  kind: 'command.finished',
  command,
  exitCode,
  outputTail,
  durationMs: 1200,
});
const denied = (host: string, reason = 'This host is not open.'): TaskEventBody => ({
  kind: 'egress.denied',
  method: 'GET',
  host,
  path: '/',
  reason,
});

async function shown(given: Parameters<typeof pageWorld>[0], at = path) {
  const world = pageWorld({ ...may('write'), ...given });
  return (await (await world.signedIn('ada')).visit(at)).text;
}

/** Names of all elements and attributes of a document, its links, and its text. */
function partsOf(html: string) {
  const [elements, attributes] = [new Set<string>(), new Set<string>()];
  const [links, texts]: [string[], string[]] = [[], []];
  const visit = (node: DefaultTreeAdapterTypes.Node): void => {
    if ('tagName' in node) {
      elements.add(node.tagName);
      for (const { name, value } of node.attrs) {
        attributes.add(name);
        if (name === 'href' || name === 'src' || name === 'action') links.push(value);
      }
    }
    if ('value' in node) texts.push(node.value);
    if ('childNodes' in node) node.childNodes.forEach(visit);
  };
  visit(parse(html));
  return { elements, attributes, links, text: texts.join('') };
}

describe('a page with hostile content', () => {
  const outcomes: readonly TaskOutcome[] = [
    {
      kind: 'failed',
      reason: { code: 'x', cause: 'codex', message: hostile, next: hostile },
      changeKept: true,
    },
    { kind: 'replied', text: hostile },
    {
      kind: 'pull-request',
      pullRequest: {
        number: 1,
        title: hostile,
        url: `javascript:alert(1)//${hostile}`,
        headRef: hostile,
        headSha: 'a',
        draft: true,
      },
    },
    {
      kind: 'held',
      reason: { code: 'x', cause: 'codex', message: hostile, next: hostile },
      changeHash,
      patch: {
        text: `diff --git a/${hostile} b/${hostile}\n--- a/x\n+++ b/x\n@@ -1,1 +1,1 @@ ${hostile}\n-${hostile}\n+${hostile}\n# Not shown: ${hostile}.\n`,
        complete: false,
      },
    },
  ];
  const view: Partial<TaskView> = {
    instruction: hostile,
    requester: hostile,
    base: { branch: hostile, sha: 'a' },
    continues: { number: 2, url: 'javascript:alert(1)' },
    remarks: [{ by: hostile, text: hostile }],
    model: hostile,
    receipt: {
      ...emptyReceipt,
      hosts: [{ host: hostile, requests: 1, bytesUp: 1, bytesDown: 1 }],
      deniedTotal: 1,
    },
    progress: { ...initialProgress, plan: [{ step: hostile, status: 'inProgress' }] },
  };
  const log = lines(
    started(hostile),
    finished(
      hostile,
      1,
      `\u001b[31m${hostile}\u001b]8;;javascript:alert(1)\u0007x\u001b]8;;\u0007\u001b[38;2;1;2;3mx`,
    ),
    { kind: 'message', text: hostile },
    { kind: 'files.changed', paths: [hostile] },
    { kind: 'error', text: hostile, willRetry: true },
    { kind: 'note', text: hostile },
    { kind: 'thread', threadId: hostile, resumed: null },
    denied(hostile, hostile),
    started(`${hostile}2`),
  );

  it.each(outcomes)('is text in every field, with the outcome $kind', async (outcome) => {
    for (const query of ['', '?diff=sides']) {
      const page = partsOf(await shown({ view: { ...view, outcome }, log }, path + query));
      expect([...page.elements].filter((name) => ['img', 'style', 'iframe', 'svg'].includes(name))).toEqual(
        [],
      );
      expect([...page.attributes].filter((name) => /^on|style|srcdoc/.test(name))).toEqual([]);
      expect(page.links.filter((link) => !/^(?:[#/](?!\/)|https:\/\/github\.example\/)/.test(link))).toEqual(
        [],
      );
      // Nothing that a reader cannot see, and nothing that reorders what they do.
      expect(page.text).not.toMatch(/(?!\n)[\u202E\p{Cc}]/u);
      expect(page.text).toContain('⟨U+202E⟩gnp.exe');
    }
  });

  it('cuts what is too long, on one line or on many', async () => {
    const long = 'x'.repeat(1_000_000);
    const text = await shown({
      view: { instruction: long },
      log: lines({ kind: 'message', text: long }, finished(long, 0, long), {
        kind: 'files.changed',
        paths: [long],
      }),
    });
    expect(text.length).toBeLessThan(100_000);
  });
});

describe('the steps of a page', () => {
  it('shows a command with its end, output and colours in one step', async () => {
    const log = lines(
      started("bash -lc 'npm test'"),
      finished('npm test', 1, 'a \u001b[31mred\u001b[0m & b'),
    );
    const text = await shown({ log });
    expect(text).toContain('<code>npm test</code>');
    expect(text).toContain('exit code 1 after 1 s');
    expect(text).toContain('a <span class="ansi-red-fg">red</span> &amp; b');
    expect(text.match(/class="step /g)).toHaveLength(1);
  });

  it('puts a blocked request next to the command that ran, and others on a line of their own', async () => {
    const row = { method: 'GET', path: '/', rule: 'r', reason: 'This host is not open.', count: 1, at: 0 };
    const receipt = {
      ...emptyReceipt,
      denied: [
        { ...row, host: 'evil.example', command: 'curl evil.example' },
        { ...row, host: 'odd.example', command: null },
      ],
      deniedTotal: 2,
    };
    const log = lines(
      denied('evil.example'),
      started('ls'),
      finished('ls'),
      started('curl evil.example'),
      finished('curl evil.example', 6),
      denied('odd.example'),
    );
    const text = await shown({ view: { receipt }, log });
    const step = (id: string) => text.split('<li id="s').find((part) => part.startsWith(`${id}"`)) ?? '';
    expect(step('4')).toContain('GET evil.example/');
    expect(step('2')).not.toContain('Blocked');
    expect(step('6')).toContain('GET odd.example/');
    expect(step('1')).toBe('');
  });

  it('shows the newest of 100,000 lines, and leads to the earlier ones without a script', async () => {
    const log = lines(
      ...Array.from({ length: 100_000 }, (_, at) => ({ kind: 'message', text: `m${at}` }) as const),
    );
    const newest = await shown({ log });
    expect(newest).toContain('m99999');
    expect(newest.length).toBeLessThan(200_000);
    const href = /id="earlier" href="([^"]+)"/.exec(newest)?.[1] ?? '';
    const earlier = await shown({ log }, href);
    expect(earlier).toContain('m99599');
    expect(earlier).not.toContain('m99600');
  });

  it('answers with what is new after a line, and what has changed of the rest', async () => {
    const log = lines(
      started('a'),
      { kind: 'message', text: 'first' },
      finished('a', 0, 'out'),
      started('b'),
    );
    const news = await shown({ log }, `${path}/live?after=2`);
    expect(news).not.toContain('first');
    expect(news).toContain('data-last="4"');
    for (const part of ['head', 'facts', 'plan']) expect(news).toContain(`id="${part}" data-part`);
  });
});

describe('the change of a task', () => {
  const patch = {
    text: 'diff --git a/a.txt b/a.txt\n--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n same\n-old\n+new\ndiff --git "a/b \\"c\\"" "b/b \\"c\\""\nnew file mode 100644\n# Not shown: it is binary.\n',
    complete: false,
  };
  it.each([
    ['', ['<td class="code">-old</td>', '<td class="code">+new</td>', 'Show side by side']],
    ['?diff=sides', ['<td class="code delete">-old</td>', '<td class="code insert">+new</td>', 'one column']],
  ])('is shown file by file from the kept comparison (%j)', async (query, expected) => {
    const outcome = { kind: 'no-change', summary: '' } as const;
    const kept = keptMeasure(patch);
    const text = await shown({ view: { outcome }, kept }, path + query);
    for (const part of [...expected, '<code>a.txt</code>', 'b &quot;c&quot;', 'Not shown: it is binary.'])
      expect(text).toContain(part);
  });
});

describe('what a person may do', () => {
  const failed = {
    kind: 'failed',
    reason: { code: 'x', cause: 'codex', message: 'y', next: 'z' },
    changeKept: true,
  } as const satisfies TaskOutcome;
  const held = {
    kind: 'held',
    reason: { code: 'x', cause: 'codex', message: 'y', next: 'z' },
    changeHash,
  } as const satisfies TaskOutcome;
  const github = { login: 'ada', id: 3 };
  it.each<[string, Partial<TaskView>, Record<string, string>, unknown[]]>([
    ['cancel', { outcome: null }, {}, [['cancel', 'ada']]],
    ['retry', { outcome: failed }, {}, [['publish', 'gh-1-c2', null]]],
    ['again', { outcome: failed }, {}, [['again', 'gh-1-c2', github]]],
    [
      'approve',
      { outcome: held },
      { hash: changeHash },
      [['publish', 'gh-1-c2', { by: 'ada', github, changeHash }]],
    ],
    [
      'steer',
      { phase: 'codex' },
      { words: ' use cents ' },
      [
        [
          'remark',
          expect.objectContaining({
            by: 'ada',
            text: 'use cents',
            person: { slackUserId: null, githubId: 3 },
          }),
        ],
      ],
    ],
  ])('lets who may write %s, from a form of their own session only', async (action, view, fields, calls) => {
    const world = pageWorld({ view, ...may('write') });
    const browser = await world.signedIn('ada');
    const page = await browser.visit(path);
    expect(page.text).toContain(`action="${path}/${action}"`);
    const token = tokenIn(page);
    const send = async (sent: Record<string, string>, headers = {}) =>
      (await browser.submit(`${path}/${action}`, sent, headers)).status;
    expect(await send({ ...fields })).toBe(403);
    expect(await send({ ...fields, token: 'guessed' })).toBe(403);
    expect(await send({ ...fields, token }, { 'sec-fetch-site': 'cross-site' })).toBe(403);
    const another = tokenIn(await (await world.signedIn('ada')).visit(path));
    expect(await send({ ...fields, token: another })).toBe(403);
    expect(world.calls).toEqual([]);
    expect(await send({ ...fields, token })).toBe(303);
    expect(world.calls).toEqual(calls);
  });

  const reason = { code: 'x', cause: 'codex', message: 'y', next: 'z' } as const;
  const late = { ...reason, code: 'asked-long-ago' };
  it.each<[string, TaskOutcome | null, boolean]>([
    ['failed', { kind: 'failed', reason, changeKept: false }, true],
    ['was cancelled', { kind: 'cancelled', by: 'ada' }, true],
    ['ended without a change', { kind: 'no-change', summary: '' }, true],
    ['came too late', { kind: 'refused', reason: late }, true],
    ['was held', held, true],
    ['was refused', { kind: 'refused', reason }, false],
    ['answered', { kind: 'replied', text: 'x' }, false],
    ['runs', null, false],
  ])('offers to run a task again that %s: %#', async (_, outcome, isOffered) => {
    expect((await shown({ view: { outcome } })).includes(`action="${path}/again"`)).toBe(isOffered);
  });

  it('leads from a task to its repetition and back', async () => {
    const world = pageWorld({ view: { outcome: failed }, ...may('write') });
    const browser = await world.signedIn('ada');
    const token = tokenIn(await browser.visit(path));
    expect((await browser.submit(`${path}/again`, { token })).to).toMatch(/\/t\/gh-2$/);
    expect(await shown({ view: { repeatedBy: 'gh-2' } })).toContain('href="/t/gh-2"');
    expect(await shown({ view: { repeats: 'gh-1' } })).toContain('<a href="/t/gh-1">asked again</a>');
  });

  it('offers nothing to readers, and asks GitHub again at an action', async () => {
    const asked: string[] = [];
    const world = pageWorld({
      deps: {
        accessOf: async (_place, _person, how) => {
          asked.push(how);
          return await Promise.resolve({ permission: how === 'action' ? 'read' : 'write', private: true });
        },
      },
    });
    const browser = await world.signedIn('ada');
    const token = tokenIn(await browser.visit(path));
    expect((await browser.submit(`${path}/cancel`, { token })).status).toBe(403);
    expect([asked, world.calls]).toEqual([['page', 'action'], []]);
    const reader = pageWorld(may('read'));
    expect((await (await reader.signedIn('rea')).visit(path)).text).not.toContain(
      '<form method="post" action="/t/',
    );
  });

  it.each([
    ['cancel', {}, 'It has ended.'],
    ['retry', {}, 'There is no kept change.'],
    ['again', {}, 'It is still running.'],
    ['approve', { hash: 'x' }, 'names no change'],
    ['approve', { hash: changeHash }, 'There is no kept change.'],
    ['steer', { words: '' }, 'Nothing was written'],
    ['steer', { words: 'x' }, 'does not take more words'],
  ])('says why %s of %j did nothing', async (action, fields, why) => {
    const world = pageWorld({
      ...may('write'),
      task: {
        cancel: async () => await Promise.resolve({ cancelled: false, reason: 'It has ended.' }),
        addRemark: async () => await Promise.resolve(null),
      },
      deps: {
        retryPublication: async () =>
          await Promise.resolve({ started: false, reason: 'There is no kept change.' }),
        runAgain: async () => await Promise.resolve({ started: false, reason: 'It is still running.' }),
      },
    });
    const browser = await world.signedIn('ada');
    const token = tokenIn(await browser.visit(path));
    const answer = await browser.submit(`${path}/${action}`, { ...fields, token });
    expect([answer.status, answer.text.includes(why)]).toEqual([409, true]);
  });
});

describe('the stream of a page', () => {
  const bytes = (text: string) => new Response(text).body;

  it('resumes after the last line that the browser got', async () => {
    const asked: number[] = [];
    const watch = async (after: number) => {
      asked.push(after);
      return await Promise.resolve(bytes('id: 8\nevent: note\ndata: {}\n\n'));
    };
    const browser = await pageWorld({ ...may('read'), task: { watch } }).signedIn('rea');
    const first = await browser.visit(`${path}/events?after=5`);
    await browser.visit(`${path}/events?after=5`, { headers: { 'last-event-id': '7' } });
    expect(asked).toEqual([5, 7]);
    expect(first.headers.get('content-type')).toBe('text/event-stream');
    expect(first.text).toBe('retry: 1000\n\nid: 8\nevent: note\ndata: {}\n\n');
  });

  it('tells the browser not to come back once all of an ended task was sent', async () => {
    const outcome = { kind: 'cancelled', by: 'ada' } as const;
    const world = pageWorld({ ...may('read'), view: { outcome }, log: lines({ kind: 'ended', outcome }) });
    const browser = await world.signedIn('rea');
    expect((await browser.visit(`${path}/events?after=1`)).status).toBe(204);
  });

  it('gives a stranger neither stream nor news', async () => {
    const browser = await pageWorld().signedIn('eve');
    for (const part of ['events', 'live']) expect((await browser.visit(`${path}/${part}`)).status).toBe(404);
  });
});

describe('the list of tasks', () => {
  const row = (number: number, more: Partial<LedgerRow> = {}): LedgerRow => ({
    taskId: `gh-1-c${number}`,
    shortId: `id${number}`,
    acceptedAt: number,
    endedAt: null,
    place: 'github',
    repository: 'acme/shop',
    repositoryId: 2,
    installationId: 1,
    title: 'Fix rounding\u202E',
    issue: 5,
    person: 'github:7',
    requester: '<b>maria</b>',
    state: 'ended',
    outcome: 'failed',
    asked: 'change',
    code: 'sandbox-lost',
    tokens: 1,
    dollars: null,
    pull: null,
    closedAt: null,
    merged: false,
    ...more,
  });
  const hidden = { repositoryId: 3, repository: 'acme/secret', title: 'A secret plan' };
  const listWorld = (rows: readonly LedgerRow[]) => {
    const [asked, queries]: [number[], LedgerQuery[]] = [[], []];
    const world = pageWorld({
      deps: {
        ledger: async (query) => {
          queries.push(query);
          const { state, after, repositoryIds, limit } = query;
          const found = rows.filter(
            (one) =>
              (after === undefined || one.acceptedAt < after.acceptedAt) &&
              (state === undefined || one.state === state) &&
              (repositoryIds?.includes(one.repositoryId ?? 0) ?? true),
          );
          return await Promise.resolve(found.slice(0, limit));
        },
        repositories: async () =>
          await Promise.resolve([2, 3, 4].map((repositoryId) => ({ repositoryId, installationId: 1 }))),
        accessOf: async ({ repositoryId }) => {
          asked.push(repositoryId);
          if (repositoryId === 4) throw new Error('down');
          return await Promise.resolve(repositoryId === 2 ? { permission: 'read', private: true } : null);
        },
      },
    });
    const operator = async () => {
      const browser = world.newBrowser();
      const link = { url: '', id: 'this-start', privateKey };
      await browser.visit(await makeOpenLink(link, '/tasks', world.clock.now + 1000));
      return browser;
    };
    return { ...world, asked, queries, operator };
  };
  const rows = [
    row(6),
    row(5, hidden),
    row(4, { state: 'held', outcome: 'held', code: null }),
    row(3, { ...hidden, state: 'held' }),
    row(2, { state: 'choosing', outcome: null, repository: null, repositoryId: null, title: null }),
  ];
  const tasksIn = (text: string) => [...text.matchAll(/href="\/t\/gh-1-(\w+)/g)].map(([, id]) => id);

  it('lists what the person may see, and first what waits for people', async () => {
    const { signedIn, operator } = listWorld(rows);
    const { text } = await (await signedIn('rea')).visit('/tasks');
    expect(tasksIn(text)).toEqual(['c4', 'c6', 'c4']);
    expect(text).toContain('&lt;b&gt;maria&lt;/b&gt;');
    expect(text).toContain('Fix rounding⟨U+202E⟩');
    expect(text).not.toContain('secret');
    const all = (await (await operator()).visit('/tasks')).text;
    expect(tasksIn(all)).toEqual(['c4', 'c3', 'c2', 'c6', 'c5', 'c4', 'c3', 'c2']);
    expect(all).toContain('waits for a choice of its repository');
  });

  it.each(['/tasks', '/tasks?search=secret', '/tasks?repository=acme/secret', '/tasks/outcomes'])(
    'asks the ledger at %s for readable repositories only, and GitHub about all, whatever is searched',
    async (path) => {
      const { signedIn, asked, queries } = listWorld(rows);
      expect((await (await signedIn('rea')).visit(path)).status).toBe(200);
      expect(asked).toEqual([2, 3, 4]);
      expect(queries.map(({ repositoryIds }) => repositoryIds)).toEqual(queries.map(() => [2]));
    },
  );

  it('leads from page to page with the filters', async () => {
    const { signedIn, queries } = listWorld(Array.from({ length: 260 }, (_, at) => row(260 - at)));
    const browser = await signedIn('rea');
    let path = '/tasks?repository=acme%2Fshop&state=ended&search=fix';
    const pages: number[] = [];
    while (path !== '' && pages.length < 9) {
      const { text } = await browser.visit(path);
      pages.push(tasksIn(text).length);
      path = (/href="(\/tasks\?[^"]+)"/.exec(text)?.[1] ?? '').replaceAll('&amp;', '&');
    }
    expect(pages).toEqual([50, 50, 50, 50, 50, 10]);
    expect(queries.at(-1)).toMatchObject({ repository: 'acme/shop', state: 'ended', search: 'fix' });
  });

  it('sums up the outcomes of what the person may see, and gives them as CSV', async () => {
    const pulled = { outcome: 'pull-request', code: null, pull: 7, closedAt: 1e9, merged: true } as const;
    const { signedIn, queries } = listWorld([row(9, { ...pulled, endedAt: 61_009, dollars: 2 }), ...rows]);
    const browser = await signedIn('rea');
    const { text } = await browser.visit(
      '/tasks/outcomes?person=maria&since=2023-11-01&until=2023-11-30&state=held',
    );
    const cells = ['3', '33 %', '1', '0', '0', '1 min 1 s', '277 h 45 min', '3', '$2.00'];
    expect(text).toContain(`acme/shop</th>${cells.map((cell) => `<td>${cell}</td>`).join('')}`);
    expect(text).not.toContain('secret');
    const [from, until] = ['2023-11-01', '2023-11-30'].map((day) => Date.parse(day));
    expect(queries).toMatchObject([{ person: 'maria', from, until }]);
    const link = /href="(\/tasks\/outcomes\.csv[^"]+)"/.exec(text)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const csv = await browser.visit(link);
    expect(queries.at(-1)).toEqual(queries.at(0));
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(
      csv.text
        .trimEnd()
        .split('\r\n')
        .map((line) => line.slice(0, 7)),
    ).toEqual(['task,re', 'gh-1-c9', 'gh-1-c6', 'gh-1-c4']);
  });

  it.each(['/tasks', '/tasks/outcomes', '/tasks/outcomes.csv'])(
    'asks who is not signed in to sign in, at %s',
    async (path) => {
      const { status, text } = await listWorld(rows).newBrowser().visit(path);
      expect([status, text.includes('rounding')]).toEqual([401, false]);
    },
  );
});
