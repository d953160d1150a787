/** GitHub's form for a new issue, with the title and text of its address. The person is `mona`. */
import { Hono } from 'hono';
import { escapeHtml, page } from '../../pages/html.ts';
import { issuePageUrl } from '../documents/issue-document.ts';
import type { Site } from '../site.ts';
import { openIssue } from '../user-actions.ts';

const author = 'mona';

export function issueForm(site: Site): Hono {
  const pages = new Hono();

  pages.get('/:owner/:repo/issues/new', (c) => {
    const { title = '', body = '' } = c.req.query();
    c.header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'");
    return c.html(
      page(
        'New issue',
        [],
        `<h1 class="title">New issue</h1><form method="post">
<p><label>Title <input name="title" required value="${escapeHtml(title)}"></label></p>
<p><label>Text <textarea name="body" rows="6" cols="60">${escapeHtml(body)}</textarea></label></p>
<p><button>Create</button></p></form>`,
      ),
    );
  });

  pages.post('/:owner/:repo/issues/new', async (c) => {
    const { owner, repo: name } = c.req.param();
    const form = new URLSearchParams(await c.req.text());
    const fields = { title: form.get('title') ?? '', body: form.get('body') ?? '' };
    const repository = site.store.repository(owner, name);
    if (repository === null || fields.title === '') return c.notFound();
    const { number } = await openIssue(site, { owner, name, author, ...fields });
    const issue = repository.issues.get(number);
    return issue === undefined ? c.notFound() : c.redirect(issuePageUrl(site, repository, issue));
  });
  return pages;
}
