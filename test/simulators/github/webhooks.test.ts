import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { verify } from '@octokit/webhooks-methods';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { subscribedEvents } from '../../../simulators/github/simulator.ts';
import { payloadViolation } from './openapi.ts';
import { numberAt, TestSite, textAt, webhookSecret } from './harness.ts';

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

describe('webhooks', () => {
  let site: TestSite;
  let installationId: number | null;
  let receiver: Server;
  let answer = 202;
  const received: Received[] = [];
  const repo = { owner: 'acme', name: 'widgets' };
  const last = (): Received => {
    const found = received.at(-1);
    if (found === undefined) throw new Error('nothing was received');
    return found;
  };

  beforeAll(async () => {
    receiver = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
        response.writeHead(answer).end();
      });
    });
    await new Promise<void>((done) => {
      receiver.listen(0, '127.0.0.1', () => done());
    });
    const address = receiver.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    site = await TestSite.start({ webhookUrl: `http://127.0.0.1:${port}/github/webhooks` });
    ({ installationId } = await site.repository());
  });
  afterAll(async () => {
    await site.stop();
    receiver.closeAllConnections();
    receiver.close();
  });

  it('are signed, have a GUID, and match GitHub’s description', async () => {
    const { number, delivery, labelDeliveries } = await site.simulator.openIssue({
      ...repo,
      author: 'ada',
      title: 'Büg 🐞',
      body: 'Text',
      labels: ['bug'],
    });
    const comment = await site.simulator.commentOnIssue({
      ...repo,
      issue: number,
      author: 'wes',
      body: '@airlock fix it',
    });
    await site.simulator.editComment({ ...repo, comment: comment.id, body: '@airlock fix it, please' });
    await site.simulator.labelIssue({ ...repo, issue: number, label: 'codex', actor: 'ada' });

    expect(received.map(({ headers }) => headers['x-github-event'])).toEqual([
      'issues',
      'issues',
      'issue_comment',
      'issue_comment',
      'issues',
    ]);
    for (const { headers, body } of received) {
      expect(await verify(webhookSecret, body, String(headers['x-hub-signature-256']))).toBe(true);
      expect(await verify('another secret', body, String(headers['x-hub-signature-256']))).toBe(false);
      expect(headers['x-github-delivery']).toMatch(/^[0-9a-f-]{36}$/);
      expect(headers['x-github-hook-id']).toMatch(/^\d+$/);
      expect(headers['x-github-hook-installation-target-type']).toBe('integration');
      expect(headers['user-agent']).toMatch(/^GitHub-Hookshot\//);
      expect(headers['content-type']).toBe('application/json');
      const payload: unknown = JSON.parse(body);
      expect(
        payloadViolation(String(headers['x-github-event']), textAt(payload, 'action'), payload),
      ).toBeNull();
      expect(numberAt(payload, 'installation.id')).toBe(installationId);
    }
    expect(new Set(received.map(({ headers }) => headers['x-github-delivery'])).size).toBe(5);
    expect(delivery.attempts).toMatchObject([{ status: 202, error: null }]);
    expect(labelDeliveries).toHaveLength(1);
    expect(JSON.parse(received[3]?.body ?? '')).toMatchObject({
      action: 'edited',
      changes: { body: { from: '@airlock fix it' } },
      comment: { id: comment.id, body: '@airlock fix it, please', author_association: 'COLLABORATOR' },
      sender: { login: 'wes', type: 'User' },
    });
  });

  it('match GitHub’s description for pull requests, reviews and comments in the diff', async () => {
    const before = received.length;
    const files = { 'lines.txt': 'a\nb\n' };
    const branch = { ...repo, author: 'ada', base: 'main', branch: 'work', title: 'Work', files };
    const { number } = await site.simulator.openPull(branch);
    await site.simulator.labelIssue({ ...repo, issue: number, label: 'codex', actor: 'ada' });
    const comments = [{ path: 'lines.txt', line: 2, body: '@airlock why?' }];
    const { comments: ids } = await site.simulator.reviewPull({ ...repo, number, author: 'wes', comments });
    const [comment = 0] = ids;
    await site.simulator.replyInReview({ ...repo, number, author: 'ada', comment, body: 'Because.' });
    const events = received.slice(before).map(({ headers, body }) => {
      const payload: unknown = JSON.parse(body);
      const [event, action] = [String(headers['x-github-event']), textAt(payload, 'action')];
      expect(payloadViolation(event, action, payload)).toBeNull();
      return `${event}.${action}`;
    });
    const ofReview = ['pull_request_review.submitted', 'pull_request_review_comment.created'];
    expect(events).toEqual(['pull_request.opened', 'pull_request.labeled', ...ofReview, ...ofReview]);
    expect(JSON.parse(last().body)).toMatchObject({ comment: { in_reply_to_id: comment } });
  });

  it('are not sent for an event that the App does not subscribe to', async () => {
    const before = received.length;
    site.simulator.changeApp({ events: ['issue_comment'] });
    const asked = site.simulator.openIssue({ ...repo, author: 'ada', title: 't', body: '' });
    await expect(asked).rejects.toThrow('does not subscribe');
    expect(received).toHaveLength(before);
    site.simulator.changeApp({ events: subscribedEvents });
  });

  it('are redelivered with the same body and GUID', async () => {
    const { delivery } = await site.simulator.openIssue({ ...repo, author: 'ada', title: 'Twice', body: '' });
    answer = 500;
    expect((await site.simulator.redeliver(delivery.id)).status).toBe(500);
    answer = 202;
    expect((await site.simulator.redeliver(delivery.id)).status).toBe(202);
    const guid = (headers: NodeJS.Dict<unknown>) => headers['x-github-delivery'];
    const sent = received.filter(({ headers }) => guid(headers) === guid(delivery.headers));
    expect(sent.map(({ body }) => body)).toEqual(Array.from({ length: 3 }, () => delivery.body));
    expect(
      site.simulator
        .deliveries()
        .find((one) => one.id === delivery.id)
        ?.attempts.map((one) => one.status),
    ).toEqual([202, 500, 202]);
  });

  it('are sent for the App’s own comments, with the App as sender', async () => {
    const { number } = await site.simulator.openIssue({ ...repo, author: 'ada', title: 'Echo', body: '' });
    const token = await site.token(installationId);
    const made = await site.call('POST', `/repos/acme/widgets/issues/${number}/comments`, token, {
      body: '@airlock hello',
    });
    const id = numberAt(made.body, 'id');
    await expect.poll(() => last().headers['x-github-event']).toBe('issue_comment');
    expect(JSON.parse(last().body)).toMatchObject({
      action: 'created',
      comment: { id },
      sender: { login: 'airlock[bot]', type: 'Bot' },
    });
    await site.call('PATCH', `/repos/acme/widgets/issues/comments/${id}`, token, { body: 'edited' });
    await expect.poll(() => textAt(JSON.parse(last().body), 'action')).toBe('edited');
    await site.call('DELETE', `/repos/acme/widgets/issues/comments/${id}`, token);
    await expect.poll(() => textAt(JSON.parse(last().body), 'action')).toBe('deleted');
    expect(payloadViolation('issue_comment', 'deleted', JSON.parse(last().body))).toBeNull();
  });

  it('are sent for a button of a check run to an App that may write checks', async () => {
    const { headSha: sha } = await site.repository({ name: 'checked' });
    const at = { ...repo, name: 'checked' };
    const run = { ...at, sha, app: 'airlock', check: 'Receipt', conclusion: 'failure' } as const;
    const { id } = site.simulator.addCheckRun(run);
    const pressed = { ...at, run: id, identifier: 'accept', actor: 'wes' };
    await expect(site.simulator.pressCheckButton(pressed)).rejects.toThrow('does not subscribe');
    site.simulator.changeApp({ permissions: { contents: 'write', checks: 'write' } });
    await site.simulator.pressCheckButton(pressed);
    const payload: unknown = JSON.parse(last().body);
    expect(payload).toMatchObject({ check_run: { id }, requested_action: { identifier: 'accept' } });
    expect(payloadViolation('check_run', 'requested_action', payload)).toBeNull();
  });

  it('are recorded as failed if the receiver is unreachable', async () => {
    const other = await TestSite.start({ webhookUrl: 'http://127.0.0.1:1/' });
    try {
      await other.repository();
      const { delivery } = await other.simulator.openIssue({ ...repo, author: 'ada', title: 't', body: '' });
      expect(delivery.attempts).toMatchObject([{ status: null, error: expect.stringMatching(/./) }]);
      other.simulator.setWebhookUrl(null);
      expect(await other.simulator.redeliver(delivery.id)).toMatchObject({
        status: null,
        attempt: { error: 'no webhook URL is set' },
      });
    } finally {
      await other.stop();
    }
  });

  it('are not sent for a repository on which the App is not installed', async () => {
    await site.repository({ name: 'outside', installed: false });
    const before = received.length;
    await expect(
      site.simulator.openIssue({ owner: 'acme', name: 'outside', author: 'ada', title: 't', body: '' }),
    ).rejects.toThrow('not installed');
    expect(received).toHaveLength(before);
  });
});
