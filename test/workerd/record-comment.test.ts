/** The progress comment of a running task: the real record, and a simulated GitHub. */
import { runDurableObjectAlarm } from 'cloudflare:test';
import { expect, inject, it } from 'vitest';
import { z } from 'zod';
import { createAppTokens } from '../../src/github/app-auth.ts';
import { githubClient } from '../../src/github/client.ts';
import type { TaskRequest } from '../../src/core/task.ts';
import { authorization, recordOf, taskRequest } from './task.ts';

const api = {
  apiUrl: inject('github').apiUrl,
  fetch: (async (input, init) => await fetch(input, init)) satisfies typeof fetch,
  now: Date.now,
};
const tokens = createAppTokens({
  ...api,
  appId: Number(inject('github').appId),
  privateKey: inject('github').pkcs1,
});
const { installationId, id: repositoryId, issue } = inject('repository');
const scope = {
  taskId: 'a-look',
  installationId,
  repositoryId,
  permissions: { issues: 'read' },
} as const;
const client = githubClient(api, async () => await tokens.tokenFor(scope));
const comments = z.array(z.object({ body: z.string() }));

async function commentsNaming(shortId: string): Promise<readonly string[]> {
  const { data } = await client.request('GET /repos/acme/split/issues/{issue}/comments', { issue });
  return comments
    .parse(data)
    .map(({ body }) => body)
    .filter((body) => body.includes(shortId));
}

function onIssue(taskId: string, shortId: string): TaskRequest {
  return taskRequest(taskId, {
    shortId,
    requester: { login: 'ada', id: 1 },
    trigger: {
      kind: 'github',
      event: 'issue_comment',
      installationId,
      repositoryId,
      issueNumber: issue,
      mention: 'airlock',
      onPullRequest: false,
      commentId: null,
      triggeredAt: new Date().toISOString(),
    },
  });
}

it('shows a phase in an existing comment if the phase lasts, and creates no comment for it', async () => {
  const record = recordOf('tells-phases');
  await record.open(onIssue('tells-phases', 'aaaa1111'));
  await record.learn({ facts: authorization().facts, authorization: authorization() });
  await record.enter('authorize');
  expect(await commentsNaming('aaaa1111')).toEqual([]);
  await record.updatePost();
  expect(await commentsNaming('aaaa1111')).toHaveLength(1);
  await record.enter('clone');
  expect(await runDurableObjectAlarm(record)).toBe(true);
  await expect
    .poll(async () => await commentsNaming('aaaa1111'), { timeout: 15_000 })
    .toEqual([expect.stringContaining('Cloning the repository')]);
});
