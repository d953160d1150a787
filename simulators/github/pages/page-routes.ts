/** Read-only web pages: repositories, issue, pull request. No sign-in; served on loopback only. */
import { Hono, type Context } from 'hono';
import { authorAssociation, issuePageUrl } from '../documents/issue-document.ts';
import { reportsOf } from '../commit-reports.ts';
import { refreshPull, pullCommits, pullFiles } from '../pull-state.ts';
import { pullsOf } from '../routes/pull-routes.ts';
import type { Issue, Pull, Repository, Review } from '../store.ts';
import type { Site } from '../site.ts';
import { changeCount, commentBox, fileDiff, labelsOf, moment, stateBadge, stateOf } from './fragments.ts';
import { escapeHtml, page, securityHeaders, type Crumb } from '../../pages/html.ts';

export function pageApplication(site: Site): Hono {
  const pages = new Hono();

  pages.use(securityHeaders);

  pages.get('/', (c) => {
    const rows = [...site.store.repositories.values()].map(
      (one) =>
        `<li><a class="strong" href="${escapeHtml(path(one))}">${escapeHtml(path(one).slice(1))}</a></li>`,
    );
    const list =
      rows.length === 0
        ? '<p class="empty">No repositories yet.</p>'
        : `<ul class="list">${rows.join('')}</ul>`;
    return c.html(page('Repositories', [], `<h1 class="title">Repositories</h1>${list}`));
  });

  const showRepository = async (c: Context): Promise<Response> => {
    const [owner = '', name = ''] = [c.req.param('owner'), c.req.param('repo')];
    const repository = site.store.repository(owner, name.replace(/\.git$/, ''));
    if (repository === null) return c.notFound();
    for (const { issue, pull } of pullsOf(repository)) await refreshPull(repository, issue, pull);
    return c.html(page(path(repository).slice(1), crumbs(repository), repositoryBody(site, repository)));
  };
  pages.get('/:owner/:repo', showRepository);
  // GitHub has a page for each list; this one page has both.
  pages.get('/:owner/:repo/issues', showRepository);
  pages.get('/:owner/:repo/pulls', showRepository);

  pages.get('/:owner/:repo/:kind{issues|pull}/:number{[0-9]+}', async (c) => {
    const repository = site.store.repository(c.req.param('owner'), c.req.param('repo'));
    const issue = repository?.issues.get(Number(c.req.param('number')));
    if (repository === null || issue === undefined) return c.notFound();
    const { pull } = issue;
    // As on GitHub, /issues/N and /pull/N redirect to the right kind.
    if ((pull === null) !== (c.req.param('kind') === 'issues'))
      return c.redirect(issuePageUrl(site, repository, issue));
    if (pull !== null) await refreshPull(repository, issue, pull);
    const head = heading(issue);
    const change = pull === null ? '' : await pullBody(repository, pull);
    const title = `${issue.title} · #${issue.number} · ${path(repository).slice(1)}`;
    return c.html(page(title, crumbs(repository), head + conversation(repository, issue) + change));
  });

  pages.notFound((c) => c.html(page('Not found', [], '<h1 class="title">Not found</h1>'), 404));
  return pages;
}

function path(repository: Repository): string {
  return `/${repository.owner.login}/${repository.name}`;
}

function crumbs(repository: Repository): Crumb[] {
  const href = path(repository);
  return [
    { text: repository.owner.login, href },
    { text: repository.name, href },
  ];
}

function repositoryBody(site: Site, repository: Repository): string {
  const all = [...repository.issues.values()].toReversed();
  const list = (title: string, shown: readonly Issue[]): string => {
    const rows = shown.map(
      (issue) =>
        `<li><span class="dot ${stateOf(issue)}" title="${stateOf(issue)}"></span><span class="grow"><a class="strong" href="${escapeHtml(issuePageUrl(site, repository, issue))}">${escapeHtml(issue.title)}</a> ${labelsOf(issue)}</span><span class="push">${issue.pull?.draft === true ? 'Draft · ' : ''}#${issue.number} · ${escapeHtml(issue.user.login)} · ${issue.comments.length} comments</span></li>`,
    );
    const body =
      rows.length === 0 ? '<p class="empty">None yet.</p>' : `<ul class="list">${rows.join('')}</ul>`;
    return `<h2 class="section">${title} <small>${shown.length}</small></h2>${body}`;
  };
  const visibility = repository.private ? 'Private' : 'Public';
  return `<h1 class="title">${escapeHtml(repository.name)} <span class="tag">${visibility}</span></h1>
<pre class="clone">git clone ${escapeHtml(`${site.url}${path(repository)}.git`)}</pre>
${list(
  'Pull requests',
  all.filter((issue) => issue.pull !== null),
)}
${list(
  'Issues',
  all.filter((issue) => issue.pull === null),
)}`;
}

function heading(issue: Issue): string {
  const who = `<strong>${escapeHtml(issue.user.login)}</strong>`;
  const { pull } = issue;
  const what =
    pull === null
      ? `<span>${who} opened this issue ${moment(issue.createdAt)} · ${issue.comments.length} comments</span>`
      : `<span>${who} wants to merge into <span class="ref">${escapeHtml(pull.baseRef)}</span> from <span class="ref">${escapeHtml(pull.headRef)}</span></span>`;
  return `<h1 class="title">${escapeHtml(issue.title)} <span class="num">#${issue.number}</span></h1>
<div class="meta">${stateBadge(issue)}${what}${labelsOf(issue)}</div>`;
}

function conversation(repository: Repository, issue: Issue): string {
  const first = commentBox({
    ...issue,
    anchor: `issue-${issue.id}`,
    edits: 0,
    role: authorAssociation(repository, issue.user),
  });
  const comments = issue.comments.map((comment) =>
    commentBox({
      ...comment,
      anchor: `issuecomment-${comment.id}`,
      edits: comment.versions.length - 1,
      role: authorAssociation(repository, comment.user),
    }),
  );
  const reviews = (issue.pull?.reviews ?? []).map((review) => reviewBoxes(repository, issue.pull, review));
  return first + comments.join('') + reviews.join('');
}

/** A review's own words, if it has any, and its comments in the diff. */
function reviewBoxes(repository: Repository, pull: Pull | null, review: Review): string {
  const role = authorAssociation(repository, review.user);
  const { id, user, body, submittedAt: createdAt } = review;
  const own = { user, body, createdAt, role, reactions: [], edits: 0, anchor: `pullrequestreview-${id}` };
  const comments = (pull?.reviewComments ?? [])
    .filter((one) => one.reviewId === id)
    .map((one) => {
      const place = `<div class="quiet"><code>${escapeHtml(one.path)}:${one.line}</code></div>`;
      const edits = one.versions.length - 1;
      return place + commentBox({ ...one, anchor: `discussion_r${one.id}`, edits, role });
    });
  return (body === '' ? '' : commentBox(own)) + comments.join('');
}

async function pullBody(repository: Repository, pull: Pull): Promise<string> {
  const [commits, files] = await Promise.all([pullCommits(repository, pull), pullFiles(repository, pull)]);
  const rows = commits.map(
    (commit) =>
      `<li><span class="grow">${escapeHtml(commit.message.split('\n')[0] ?? '')}</span><span class="push">${escapeHtml(commit.author.name)} · <span class="sha">${commit.sha.slice(0, 7)}</span></span></li>`,
  );
  const checks = reportsOf(repository)
    .checks.filter(({ sha }) => sha === pull.headSha)
    .map(
      ({ name, conclusion }) =>
        `<li><span class="grow">${escapeHtml(name)}</span><span class="push">${conclusion ?? 'in progress'}</span></li>`,
    );
  const ofChecks =
    checks.length === 0
      ? ''
      : `<h2 class="section">Checks <small>${checks.length}</small></h2><ul class="list">${checks.join('')}</ul>\n`;
  const sum = (field: 'additions' | 'deletions'): number =>
    files.reduce((total, file) => total + file[field], 0);
  return `${ofChecks}<h2 class="section">Commits <small>${commits.length}</small></h2><ul class="list">${rows.join('')}</ul>
<h2 class="section">Files changed <small>${files.length}</small> <small>${changeCount(sum('additions'), sum('deletions'))}</small></h2>
${files.map(fileDiff).join('')}`;
}
