/** The pages with tasks in memory. What GitHub says and how time passes is up to the test. */
import type { z } from 'zod';
import type { RepositoryAccess } from '../../src/core/access/page-access.ts';
import type { TaskEvent, TaskEventBody, TaskView } from '../../src/core/task-view.ts';
import type { Measure, measureSchema } from '../../src/core/change-set.ts';
import { createSigner } from '../../src/lib/signer.ts';
import { openLinks } from '../../src/web/pages/open-link.ts';
import type { PageDeps, PageTask } from '../../src/web/pages/page-deps.ts';
import { pageRoutes } from '../../src/web/pages/routes.ts';
import { slackView } from '../fixtures/sample-view.ts';
import { browserOf } from './browser-of.ts';

export const privateKey = 'the private key of the App';
export const origin = 'https://airlock.example';
export const lines = (...bodies: TaskEventBody[]): TaskEvent[] =>
  bodies.map((body, index) => ({ seq: index + 1, at: 1_700_000_000_000 + index * 1000, body }));

/** What the Worker keeps of its comparison. */
export const keptMeasure = (patch: Measure['patch']) => ({
  'measure.json': JSON.stringify({
    insertions: 1,
    deletions: 1,
    unmeasured: 0,
    baseFiles: 2,
    modesBefore: [],
    patch,
  } satisfies z.input<typeof measureSchema>),
});

export function pageWorld(
  given: {
    readonly view?: Partial<TaskView>;
    readonly log?: readonly TaskEvent[];
    readonly kept?: Readonly<Record<string, string>>;
    readonly access?: (login: string) => RepositoryAccess | null;
    readonly deps?: Partial<PageDeps>;
    readonly task?: Partial<PageTask>;
  } = {},
) {
  const clock = { now: 1_700_000_000_000 };
  const pauses: number[] = [];
  const logged: string[] = [];
  const calls: unknown[][] = [];
  const view: TaskView = { ...slackView, taskId: 'gh-1-c2', ...given.view };
  const log = given.log ?? [];
  const task: PageTask = {
    subject: async () => ({ place: { installationId: 1, repositoryId: 2 } }),
    view: async () => view,
    linesBefore: async (before, atMost) => log.filter(({ seq }) => seq < before).slice(-atMost),
    linesAfter: async (after, atMost) => log.filter(({ seq }) => seq > after).slice(0, atMost),
    watch: async () => null,
    kept: async (name) => given.kept?.[name] ?? null,
    cancel: async (by) => {
      calls.push(['cancel', by]);
      return { cancelled: true, reason: 'Cancelled.' };
    },
    addRemark: async (remark) => {
      calls.push(['remark', remark]);
      return 'waiting';
    },
    ...given.task,
  };
  const signer = createSigner(privateKey);
  const deps: PageDeps = {
    signer,
    signIn: {
      address: ({ redirectUri, state, challenge }) =>
        `https://github.example/authorize?${new URLSearchParams({ redirectUri, state, challenge }).toString()}`,
      person: async ({ code }) =>
        code === 'denied' ? { kind: 'denied' } : { kind: 'person', person: { login: code, id: code.length } },
    },
    openLinks: openLinks(signer, 'this-start'),
    url: origin,
    githubUrl: 'https://github.example',
    isListed: async (id) => id === view.taskId,
    task: () => task,
    ledger: async () => await Promise.resolve([]),
    repositories: async () => await Promise.resolve([]),
    accessOf: async (_place, { login }) => given.access?.(login) ?? null,
    retryPublication: async (...asked) => {
      calls.push(['publish', ...asked]);
      return { started: true };
    },
    runAgain: async (...asked) => {
      calls.push(['again', ...asked]);
      return { started: true, taskId: 'gh-2' };
    },
    now: () => clock.now,
    pause: async (ms) => void pauses.push(ms),
    log: (event) => logged.push(event),
    ...given.deps,
  };
  const routes = pageRoutes(deps);
  const newBrowser = (at = origin) => browserOf(routes, at);
  /** A browser in which this person is signed in. */
  const signedIn = async (login: string, to = '/tasks') => {
    const browser = newBrowser();
    const asked = await browser.visit(`/auth/sign-in?to=${to}`);
    const state = new URL(asked.to).searchParams.get('state') ?? '';
    await browser.visit(`/auth/callback?code=${login}&state=${state}`);
    return browser;
  };
  return { routes, task, clock, pauses, logged, calls, view, newBrowser, signedIn };
}
