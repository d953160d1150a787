/** A repository that gets another name while Codex works on it: fetched, told and published under the new one, and nothing else. */
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

/** Until the test has renamed it: it commits this file to the branch afterwards. */
const fetchRenamed =
  'for i in $(seq 1 100); do git fetch -q origin main 2>/tmp/why && git cat-file -e FETCH_HEAD:renamed.txt 2>/dev/null && break; sleep 0.2; done; git show FETCH_HEAD:renamed.txt || cat /tmp/why';
const tryFetch = 'sleep 1; git fetch -q origin main; echo "fetch ended with $?"';
const done = [applyPatch(splitBillPatch), finish({ title: 'Hand out every cent', summary: 'Done.' })];

let flow: FlowWorld;
beforeAll(async () => {
  flow = await startFlow({
    configText: JSON.stringify({ repositories: { 'acme/*': {}, 'acme/forbidden': { enabled: false } } }),
    script: scriptsByName({
      renamed: [shell(fetchRenamed), ...done],
      redirected: [shell('echo ready'), shell(tryFetch), ...done],
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
const now = (name: string) => ({ owner: 'acme', name });

describe('a repository that is renamed while Codex works on it', () => {
  /** `taken`: a new repository takes the old name at once. */
  async function workOn(before: string, after: string, taken: boolean): Promise<TaskView> {
    const { github } = flow.world;
    const repository = await repositoryNamed(before);
    const { taskId, issue } = await ask(flow.world, '@airlock mend it [renamed]', { repository });
    await untilCommand(flow.world, taskId, 'renamed.txt');
    github.renameRepository(repository, after);
    if (taken)
      await github.createRepository({ ...now(before), files: { 'renamed.txt': 'of the other one\n' } });
    await github.moveBranch({ ...now(after), branch: 'main', files: { 'renamed.txt': 'of the same one\n' } });

    const [fetched] = await outputsOf(taskId);
    expect(fetched).toBe('of the same one');
    const view = await untilEndedAt(taskId, { ...now(after), issue });
    const [pull, ...others] = await github.pulls(now(after));
    expect(others).toEqual([]);
    expect(pull).toMatchObject({ title: 'Hand out every cent', baseRef: 'main' });
    const [sticky, ...more] = botComments(flow.world, { ...now(after), issue });
    expect(more).toEqual([]);
    expect(sticky?.body).toContain('is ready for review');
    return view;
  }

  it('is the same one to the end', async () => {
    const { outcome, receipt } = await workOn('app', 'application', false);
    expect(outcome).toMatchObject({ kind: 'pull-request' });
    expect(receipt.denied).toEqual([]);
  });

  it('is the same one also when another has taken its name, which nothing reaches', async () => {
    const { outcome, receipt } = await workOn('shop', 'store', true);
    expect(outcome).toMatchObject({ kind: 'pull-request' });
    expect(receipt.denied).toEqual([]);
    const { github } = flow.world;
    expect(await github.pulls(now('shop'))).toEqual([]);
    expect(await github.branches(now('shop'))).toHaveLength(1);
    const opened = github.issuedTokens().flatMap(({ repositories }) => repositories);
    expect(opened).toContain('acme/store');
    expect(opened).not.toContain('acme/shop');
  });

  it('is not published to where the configuration does not allow its new name; the change is kept, and goes there once it does', async () => {
    const { github } = flow.world;
    const repository = await repositoryNamed('allowed');
    const { taskId, issue } = await ask(flow.world, '@airlock mend it [waits]', { repository });
    await untilCommand(flow.world, taskId, 'sleep 2');
    github.renameRepository(repository, 'forbidden');
    const view = await untilEndedAt(taskId, { ...now('forbidden'), issue });
    expect(view.outcome).toMatchObject({
      kind: 'failed',
      changeKept: true,
      reason: {
        code: 'renamed-not-allowed',
        message: expect.stringContaining('`acme/allowed` is called `acme/forbidden` now'),
      },
    });
    expect(await github.pulls(now('forbidden'))).toEqual([]);
    const [sticky] = botComments(flow.world, { ...now('forbidden'), issue });
    expect(sticky?.body).toContain('The change is kept');

    github.renameRepository(now('forbidden'), 'permitted');
    const again = await api(flow.world, `/api/tasks/${taskId}/publish`, { method: 'POST' });
    expect(again.status).toBeLessThan(300);
    await until('it is published', async () => {
      const { outcome } = await viewOf(flow.world, taskId);
      return outcome?.kind === 'pull-request';
    });
    expect(await github.pulls(now('permitted'))).toHaveLength(1);
  });
});

describe('a redirect of a fetch', () => {
  it.each([
    ['another repository', (url: string) => `${url}/acme/secret.git/info/refs?service=git-upload-pack`],
    ['another host', () => 'https://evil.example/acme/target.git/info/refs?service=git-upload-pack'],
    ['another part of GitHub', (url: string) => `${url}/acme/target/archive/main.zip`],
    ['a push', (url: string) => `${url}/acme/target.git/info/refs?service=git-receive-pack`],
  ])('to %s is refused and written down', async (what, location) => {
    const { github } = flow.world;
    const name = `target-${what.length}`;
    const repository = await repositoryNamed(name);
    if (what === 'another repository') await repositoryNamed('secret');
    const { taskId } = await ask(flow.world, '@airlock mend it [redirected]', { repository });
    await untilCommand(flow.world, taskId, 'echo ready');
    const path = new RegExp(`^/acme/${name}(\\.git)?/info/refs$`);
    github.failNext({ method: 'GET', path, status: 301, location: location(github.url) });
    const outputs = await outputsOf(taskId);
    expect(outputs[1]).toContain('fetch ended with 128');
    const view = await untilEnded(flow.world, taskId);
    expect(view.receipt.denied).toEqual([
      expect.objectContaining({ method: 'GET', host: 'github.com', rule: 'github.redirect', count: 1 }),
    ]);
    expect(view.outcome).toMatchObject({ kind: 'pull-request' });
    const asked = github.requests().filter(({ path: at }) => at.startsWith('/acme/secret'));
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
