/** A repository that is renamed while its task runs, and redirects of GitHub in general: none is followed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { splitBillFiles } from '../../cli/demo/split-bill.ts';
import { splitBillPatch } from '../../cli/demo/demo-script.ts';
import { applyPatch, finish, shell } from '../../simulators/openai/script.ts';
import type { TaskView } from '../../src/core/task-view.ts';
import {
  api,
  ask,
  botComments,
  follow,
  scriptsByName,
  startFlow,
  until,
  untilCommand,
  untilEnded,
  viewOf,
  type FlowWorld,
} from './ask.ts';

/** Where GitHub redirects each fetch of one task to. */
const redirects: readonly (readonly [what: string, location: (url: string) => string])[] = [
  [
    'the new name of the same repository',
    (url) => `${url}/acme/renamed.git/info/refs?service=git-upload-pack`,
  ],
  ['another repository', (url) => `${url}/acme/secret.git/info/refs?service=git-upload-pack`],
  ['another host', () => 'https://evil.example/acme/target.git/info/refs?service=git-upload-pack'],
  ['another part of GitHub', (url) => `${url}/acme/target/archive/main.zip`],
  ['a push', (url) => `${url}/acme/target.git/info/refs?service=git-receive-pack`],
];
const tryFetch = (what: string) => `git fetch -q origin main; echo "${what}: ended with $?"`;
const done = [applyPatch(splitBillPatch), finish({ title: 'Hand out every cent', summary: 'Done.' })];

let flow: FlowWorld;
beforeAll(async () => {
  flow = await startFlow({
    configText: JSON.stringify({ repositories: { 'acme/*': {} } }),
    script: scriptsByName({
      redirected: [
        shell('echo ready'),
        shell(['sleep 1', ...redirects.map(([what]) => tryFetch(what))].join('; ')),
        ...done,
      ],
      waits: [shell('sleep 2'), ...done],
    }),
  });
});
afterAll(async () => await flow.close());

async function repositoryNamed(name: string) {
  return await flow.world.github.createRepository({
    owner: 'acme',
    name,
    files: splitBillFiles,
    collaborators: [{ login: 'maria', permission: 'write' }],
  });
}
async function outputsOf(taskId: string): Promise<readonly string[]> {
  const events = await follow(flow.world, taskId);
  return events.flatMap(({ body }) => (body.kind === 'command.finished' ? [body.outputTail] : []));
}

it('keeps the change of a repository that is renamed meanwhile, and publishes it on retry', async () => {
  const { github } = flow.world;
  const repository = await repositoryNamed('app');
  const { taskId, issue } = await ask(flow.world, '@airlock mend it [waits]', { repository });
  await untilCommand(flow.world, taskId, 'sleep 2');
  github.renameRepository(repository, 'application');
  const renamed = { owner: 'acme', name: 'application', issue };
  const { outcome } = await untilEndedAt(taskId, renamed);
  expect(outcome).toMatchObject({
    kind: 'failed',
    changeKept: true,
    reason: {
      code: 'repository-renamed',
      message: expect.stringContaining('`acme/app` was renamed or moved'),
    },
  });
  expect(await github.pulls(renamed)).toEqual([]);
  const [, end, ...more] = botComments(flow.world, renamed);
  expect(more).toEqual([]);
  expect(end?.body).toContain('The change is kept');
  await expect.poll(() => botComments(flow.world, renamed)[0]?.body).toContain(`#issuecomment-${end?.id}`);

  const retried = await api(flow.world, `/api/tasks/${taskId}/publish`, { method: 'POST' });
  expect(retried.status).toBeLessThan(300);
  await until('it is published', async () => {
    const view = await viewOf(flow.world, taskId);
    return view.outcome?.kind === 'pull-request';
  });
  expect(await github.pulls(renamed)).toMatchObject([{ title: 'Hand out every cent', baseRef: 'main' }]);
});

describe('a redirect of a fetch', () => {
  let view: TaskView;
  let output: string | undefined;
  beforeAll(async () => {
    const { github } = flow.world;
    await repositoryNamed('secret');
    const repository = await repositoryNamed('target');
    const { taskId } = await ask(flow.world, '@airlock mend it [redirected]', { repository });
    await untilCommand(flow.world, taskId, 'echo ready');
    const path = /^\/acme\/target(\.git)?\/info\/refs$/;
    for (const [, location] of redirects)
      github.failNext({ method: 'GET', path, status: 301, location: location(github.url) });
    [, output] = await outputsOf(taskId);
    view = await untilEnded(flow.world, taskId);
  });

  it.each(redirects)('to %s is refused', (what) => {
    expect(output).toContain(`${what}: ended with 128`);
  });

  it('is written down each time, is not followed, and does not end the task', () => {
    expect(view.receipt.denied).toEqual([]);
    expect(view.receipt.failed).toEqual([
      expect.objectContaining({
        host: 'github.com',
        fault: 'upstream',
        rule: 'github.redirect',
        count: redirects.length,
      }),
    ]);
    expect(view.outcome).toMatchObject({ kind: 'pull-request' });
    const asked = flow.world.github.requests().filter(({ path }) => path.startsWith('/acme/secret'));
    expect(asked).toEqual([]);
  });
});

/** As `untilEnded`, for a repository that the task's view still calls by its old name. */
async function untilEndedAt(
  taskId: string,
  at: { owner: string; name: string; issue: number },
): Promise<TaskView> {
  await follow(flow.world, taskId);
  await until('the comment is in its last state', () =>
    botComments(flow.world, at).some(({ body }) => !body.includes('⏳')),
  );
  return await viewOf(flow.world, taskId);
}
