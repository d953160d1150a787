import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusals, secondaryLimit } from '../../../simulators/github/known-refusals.ts';
import { appJwt, git, TestSite } from './harness.ts';

describe('a fault', () => {
  let site: TestSite;
  let token: string;
  const repo = '/repos/acme/widgets';

  beforeAll(async () => {
    site = await TestSite.start();
    const made = await site.repository();
    token = await site.token(made.installationId);
    await site.simulator.openIssue({ owner: 'acme', name: 'widgets', author: 'ada', title: 't', body: '' });
  });
  afterAll(() => site.stop());

  const post = (path: string, body: unknown, signal = AbortSignal.timeout(60_000)) =>
    fetch(site.simulator.apiUrl + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
      signal,
    });
  const comments = () =>
    site.simulator.comments({ owner: 'acme', name: 'widgets', issue: 1 }).map((one) => one.body);

  it('fails the planned number of requests before they have an effect', async () => {
    site.simulator.failNext({ method: 'GET', path: /\/repos\/acme\/widgets$/, status: 502, times: 2 });
    const statuses: number[] = [];
    for (let n = 0; n < 3; n += 1) statuses.push((await site.call('GET', repo, token)).status);
    expect(statuses).toEqual([502, 502, 200]);
  });

  it('can lose the answer to a request that was performed', async () => {
    site.simulator.failNext({ method: 'POST', path: /comments$/, status: 504, when: 'after' });
    expect((await post(`${repo}/issues/1/comments`, { body: 'first' })).status).toBe(504);
    expect(comments()).toEqual(['first']);
    site.simulator.failNext({ method: 'POST', path: /comments$/, status: 'reset', when: 'after' });
    await expect(post(`${repo}/issues/1/comments`, { body: 'second' })).rejects.toThrow('fetch failed');
    expect(comments()).toEqual(['first', 'second']);
    site.simulator.failNext({ method: 'POST', path: /comments$/, status: 'timeout', when: 'after' });
    await expect(
      post(`${repo}/issues/1/comments`, { body: 'third' }, AbortSignal.timeout(300)),
    ).rejects.toThrow('timeout');
    expect(comments()).toEqual(['first', 'second', 'third']);
    expect((await post(`${repo}/issues/1/comments`, { body: 'fourth' })).status).toBe(201);
  });

  it('can close the connection, or leave the request unanswered', async () => {
    site.simulator.failNext({ method: 'POST', path: /reactions$/, status: 'reset' });
    await expect(post(`${repo}/issues/1/reactions`, { content: 'eyes' })).rejects.toThrow('fetch failed');
    site.simulator.failNext({ method: 'POST', path: /reactions$/, status: 'timeout' });
    await expect(
      post(`${repo}/issues/1/reactions`, { content: 'eyes' }, AbortSignal.timeout(300)),
    ).rejects.toThrow('timeout');
    expect(site.simulator.reactions({ owner: 'acme', name: 'widgets', issue: 1 })).toEqual([]);
  });

  it.each([
    ['GET', `${repo}/issues/1/comments`, secondaryLimit(60)],
    ['POST', `${repo}/issues/1/comments`, refusals.locked],
    ['POST', `${repo}/issues/1/comments`, refusals.issueDeleted],
    ['POST', `${repo}/issues/1/comments`, refusals.interactionLimit],
    ['GET', repo, refusals.archived],
    ['GET', `${repo}/issues/1`, refusals.suspended],
    ['POST', `${repo}/pulls`, refusals.noPullRequests],
  ])('of %s %s can be a refusal of GitHub’s, in its form: %o', async (method, path, refusal) => {
    site.simulator.failNext({ method, path: new RegExp(`${path}$`), ...refusal });
    // `call` checks the form against GitHub's description.
    const { status, body, headers } = await site.call(method, path, token, method === 'GET' ? undefined : {});
    expect({ status, body }).toMatchObject({ status: refusal.status, body: { message: refusal.message } });
    expect(headers.get('retry-after')).toBe('headers' in refusal ? '60' : null);
  });

  it('is not needed for a repository without a commit, whose refs answer 409', async () => {
    const { installationId } = await site.repository({ name: 'empty', files: {} });
    const reading = await site.token(installationId);
    const answer = await site.call('GET', '/repos/acme/empty/git/ref/heads/main', reading);
    expect(answer).toMatchObject({ status: 409, body: { message: 'Git Repository is empty.' } });
  });

  it('applies to git requests', async () => {
    const { host } = new URL(site.simulator.url);
    const url = `http://x-access-token:${token}@${host}/acme/widgets`;
    site.simulator.failNext({ method: 'GET', path: /info\/refs$/, status: 503 });
    expect((await git(site.folder, ['ls-remote', url])).code).not.toBe(0);
    expect((await git(site.folder, ['ls-remote', url])).code).toBe(0);
  });

  it('does not prevent the log of requests, which has the kind of caller but no token', async () => {
    await site.call('GET', '/app', appJwt());
    await site.call('GET', repo, null);
    await site.call('GET', repo, 'ghs_wrong');
    await expect
      .poll(() => site.simulator.requests().slice(-3))
      .toMatchObject([
        { method: 'GET', path: '/api/v3/app', status: 200, tokenKind: 'app' },
        { method: 'GET', path: '/api/v3/repos/acme/widgets', status: 404, tokenKind: 'anonymous' },
        { method: 'GET', path: '/api/v3/repos/acme/widgets', status: 401, tokenKind: 'refused' },
      ]);
    expect(JSON.stringify(site.simulator.requests())).not.toContain(token);
  });
});
