import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderMarkdown } from '../../../simulators/github/pages/markdown.ts';
import { TestSite } from './harness.ts';

describe('renderMarkdown', () => {
  it.each([
    ['a heading', '## Plan ##', '<h2>Plan</h2>'],
    ['a list', '- one\n- two', '<ul><li>one</li><li>two</li></ul>'],
    ['a nested list', '- one\n  - two', '<ul><li>one\n<ul><li>two</li></ul></li></ul>'],
    ['a numbered list', '1. one\n2. two', '<ol><li>one</li><li>two</li></ol>'],
    [
      'a task list',
      '- [x] done\n- [ ] open',
      '<ul><li class="task"><input type="checkbox" disabled checked> done</li><li class="task"><input type="checkbox" disabled> open</li></ul>',
    ],
    [
      'a code fence',
      '```ts\nconst a = "<b>";\n```',
      '<pre><code class="language-ts">const a = &quot;&lt;b&gt;&quot;;</code></pre>',
    ],
    ['an unclosed code fence', '```\n**a**', '<pre><code>**a**</code></pre>'],
    ['inline code', 'run `a < b`', '<p>run <code>a &lt; b</code></p>'],
    ['emphasis in code as text', '`**a**`', '<p><code>**a**</code></p>'],
    ['bold and italic', '**bold** and *it*', '<p><strong>bold</strong> and <em>it</em></p>'],
    ['underscores in names as text', 'snake_case_name', '<p>snake_case_name</p>'],
    [
      'a link',
      '[text](https://example.com/?a=1&b=2)',
      '<p><a href="https://example.com/?a=1&amp;b=2" rel="nofollow noopener noreferrer">text</a></p>',
    ],
    ['a quote', '> said\n> twice', '<blockquote><p>said<br>twice</p></blockquote>'],
    [
      'an alert',
      '> [!WARNING]\n> Careful',
      '<div class="alert alert-warning"><p class="alert-title">Warning</p><p>Careful</p></div>',
    ],
    ['a mention', 'thanks @ada', '<p>thanks <span class="mention">@ada</span></p>'],
    [
      'an issue',
      'Closes #12, not a#1 or &#39;',
      '<p>Closes <a href="../issues/12">#12</a>, not a#1 or &amp;#39;</p>',
    ],
    [
      'details',
      '<details>\n<summary>More</summary>\n\ntext\n</details>',
      '<details>\n<summary>More</summary>\n<p>text</p>\n</details>',
    ],
    ['an HTML comment as nothing', 'a<!-- marker: 1 -->b', '<p>ab</p>'],
    ['an unclosed HTML comment as nothing', 'a<!-- b', '<p>a</p>'],
    ['an HTML comment in a code fence', '```\n<!-- a -->\n```', '<pre><code>&lt;!-- a --&gt;</code></pre>'],
    ['an escaped mark', '\\*not\\* bold', '<p>*not* bold</p>'],
    [
      'a table',
      '| a | b |\n|---|--:|\n| 1 | `x` |',
      '<div class="scroll"><table><thead><tr><th class="left">a</th><th class="right">b</th></tr></thead><tbody><tr><td class="left">1</td><td class="right"><code>x</code></td></tr></tbody></table></div>',
    ],
  ])('renders %s', (_, markdown, html) => {
    expect(renderMarkdown(markdown)).toBe(html);
  });

  it.each([
    ['<script>alert(1)</script>'],
    ['<img src=x onerror=alert(1)>'],
    ['[x](javascript:alert(1))'],
    ['[x](JaVaScRiPt:alert(1))'],
    ['[x](data:text/html,<script>alert(1)</script>)'],
    ['[x](//evil.example)'],
    ['![x](https://evil.example/pixel.png)'],
    ['[x](https://a/"onmouseover="alert(1))'],
    ['<details onclick=alert(1)>'],
    ['<a href="javascript:alert(1)">x</a>'],
    ['`<script>`'],
    ['```"><script>\nx\n```'],
    ['| <script> |\n|---|\n| <img src=x> |'],
    ['&lt;script&gt;'],
  ])('renders no unsafe HTML for %s', (markdown) => {
    expect(dangers(renderMarkdown(markdown))).toEqual([]);
  });

  it('renders no unsafe HTML for arbitrary text', () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      '"',
      "'",
      '`',
      '```\n',
      '*',
      '**',
      '_',
      '[',
      '](',
      ')',
      '!',
      '<!--',
      '-->',
      '\n',
      '> ',
      '- ',
      '1. ',
      '|',
      '\n|-|\n',
      '# ',
      'javascript:',
      'https://x',
      '<details>',
      '<script>',
      'onerror=',
      '\\',
      ' ',
      'a',
      '@b',
      '  ',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        expect(dangers(renderMarkdown(pieces.join('')))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['[', 20_000],
    ['**a', 10_000],
    ['> ', 10_000],
    ['`', 20_000],
    ['<!--', 10_000],
    ['- \n', 10_000],
    ['![](', 10_000],
    ['_a ', 10_000],
  ])('renders hostile text to its end without a danger: %j, %i times', (text, times) => {
    expect(dangers(renderMarkdown(text.repeat(times)))).toEqual([]);
  });
});

/** Tags and attributes that the renderer must not write. */
function dangers(html: string): string[] {
  const allowed =
    /^<\/?(h[1-6]|p|br|hr|ul|ol|li|input|pre|code|strong|em|b|i|del|a|span|blockquote|div|table|thead|tbody|tr|th|td|details|summary|kbd|sub|sup)((?: (?:class|rel|type)="[\w\- +]*")| href="(?:https?:\/\/|#|\/|\.\.\/issues\/)[^"<>]*"| disabled| checked| open)*>$/i;
  return (html.match(/<[^>]*>?/g) ?? []).filter((tag) => !allowed.test(tag));
}

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
    await call('POST', '/issues/1/comments', { body: '- [x] plan' });
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
    await call('POST', '/pulls', { title: 'Fix', head: 'fix', base: 'main', body: 'Closes #1', draft: true });
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
    expect(html).toContain('<strong>Wrong</strong> &lt;script&gt;');
    expect(html).toContain('👀 1');
    expect(html).toContain('<input type="checkbox" disabled checked> plan');
  });

  it('show a pull request with its commits and its diff', async () => {
    const { html } = await get('/acme/widgets/pull/2');
    expect(html).toContain('Draft');
    expect(html).toContain('Fix &lt;it&gt;');
    expect(html).toContain(
      '<tr class="del"><td class="no">2</td><td class="no"></td><td class="text">-two</td></tr>',
    );
    expect(html).toContain(
      '<tr class="add"><td class="no"></td><td class="no">2</td><td class="text">+2 &lt; 3</td></tr>',
    );
    expect(html).toContain('+&lt;script&gt;alert(2)&lt;/script&gt;');
    expect(html).toContain('Binary file');
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
