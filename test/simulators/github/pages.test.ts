import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestSite } from './harness.ts';

describe('pages', () => {
  let site: TestSite;
  const repo = { owner: 'acme', name: 'widgets' };

  beforeAll(async () => {
    site = await TestSite.start();
    const made = await site.repository();
    const token = await site.token(made.installationId);
    const call = (method: string, path: string, body: unknown) =>
      site.call(method, `/repos/acme/widgets${path}`, token, body);
    await site.simulator.openIssue({
      ...repo,
      author: 'ada',
      title: 'Rounding <b>',
      body: '**Wrong** <script>alert(1)</script>',
    });
    await call('POST', '/issues/1/reactions', { content: 'eyes' });
    await call('POST', '/issues/1/comments', { body: '- [x] plan\n\n> [!CAUTION]\n> Look' });
    await call('POST', '/git/refs', { ref: 'refs/heads/fix', sha: made.headSha });
    await site.simulator.moveBranch({
      ...repo,
      branch: 'fix',
      message: 'Fix <it>',
      files: {
        'src/a.txt': 'one\n2 < 3\nthree\n',
        'new.html': '<script>alert(2)</script>\n',
        'logo.bin': null,
      },
    });
    const sha = (await site.simulator.branches(repo)).find(({ name }) => name === 'fix')?.sha ?? '';
    site.simulator.addCheckRun({ ...repo, sha, check: 'unit <x>', conclusion: 'failure' });
    await call('POST', '/pulls', { title: 'Fix', head: 'fix', base: 'main', body: 'Closes #1', draft: true });
    const comments = [{ path: 'src/a.txt', line: 2, body: 'Why <b>2</b>?' }];
    await site.simulator.reviewPull({ ...repo, number: 2, author: 'wes', body: 'Hm.', comments });
  });
  afterAll(() => site.stop());

  const get = async (path: string) => {
    const response = await fetch(site.simulator.url + path, { redirect: 'manual' });
    return { status: response.status, headers: response.headers, html: await response.text() };
  };

  it.each([
    '/',
    '/acme/widgets',
    '/ACME/Widgets',
    '/acme/widgets/issues',
    '/acme/widgets/pulls',
    '/acme/widgets/issues/1',
    '/acme/widgets/pull/2',
  ])('serve %s without scripts and external resources', async (path) => {
    const { status, headers, html } = await get(path);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^text\/html/);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(html).not.toMatch(/<script|<img|<link|src=|@import|url\(/i);
  });

  it('show an issue with its comments and reactions', async () => {
    const { html } = await get('/acme/widgets/issues/1');
    expect(html).toContain('Rounding &lt;b&gt;');
    expect(html).toContain('<strong>Wrong</strong>');
    expect(html).toContain('👀 1');
    expect(html).toContain('<input type="checkbox" checked disabled> plan');
    expect(html).toContain('<p class="alert-title">CAUTION</p><p>Look</p>');
  });

  it('show a pull request with its commits and its diff', async () => {
    const { html } = await get('/acme/widgets/pull/2');
    expect(html).toContain('Draft');
    expect(html).toMatch(/<span class="grow">unit &lt;x&gt;<\/span><span class="push">failure</);
    expect(html).toContain('Fix &lt;it&gt;');
    expect(html).toContain(
      '<tr class="del"><td class="no">2</td><td class="no"></td><td class="text">-two</td></tr>',
    );
    expect(html).toContain(
      '<tr class="add"><td class="no"></td><td class="no">2</td><td class="text">+2 &lt; 3</td></tr>',
    );
    expect(html).toContain('+&lt;script&gt;alert(2)&lt;/script&gt;');
    expect(html).toContain('Binary file');
    expect(html).toMatch(/<p>Hm\.<\/p>[\s\S]*<code>src\/a\.txt:2<\/code>[\s\S]*Why /);
  });

  it('redirect between issue and pull request, and answer 404 for unknown pages', async () => {
    expect((await get('/acme/widgets/pull/1')).headers.get('location')).toBe(
      `${site.simulator.url}/acme/widgets/issues/1`,
    );
    expect((await get('/acme/widgets/issues/2')).status).toBe(302);
    for (const path of ['/acme/none', '/acme/widgets/issues/9', '/acme/widgets/issues/x', '/a/b/c/d'])
      expect((await get(path)).status).toBe(404);
  });
});
