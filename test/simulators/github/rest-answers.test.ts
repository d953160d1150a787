import { createPrivateKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { appJwt, listAt, numberAt, TestSite, textAt } from './harness.ts';
import type { Rule } from '../../../simulators/github/contract.ts';
import { validatedOperations } from './openapi.ts';

/** What Airlock calls, with the statuses that this file must have validated at the end. */
const operations = [
  'GET /app 200',
  'GET /app/installations 200',
  'GET /app/installations/{installation_id} 200',
  'GET /app/hook/config 200',
  'PATCH /app/hook/config 200',
  'POST /app-manifests/{code}/conversions 201',
  'POST /app-manifests/{code}/conversions 404',
  'GET /app/hook/deliveries 200',
  'GET /app/hook/deliveries 422',
  'GET /app/hook/deliveries/{delivery_id} 200',
  'POST /app/hook/deliveries/{delivery_id}/attempts 202',
  'GET /users/{username}/installation 200',
  'GET /users/{username}/installation 404',
  'GET /repos/{owner}/{repo}/installation 200',
  'GET /repos/{owner}/{repo}/installation 404',
  'POST /app/installations/{installation_id}/access_tokens 201',
  'POST /app/installations/{installation_id}/access_tokens 422',
  'DELETE /installation/token 204',
  'GET /installation/repositories 200',
  'GET /users/{username} 200',
  'GET /users/{username} 404',
  'GET /repos/{owner}/{repo} 200',
  'GET /repos/{owner}/{repo} 404',
  'GET /repos/{owner}/{repo}/collaborators/{username}/permission 200',
  'GET /repos/{owner}/{repo}/collaborators/{username}/permission 404',
  'GET /repos/{owner}/{repo}/commits/{ref}/check-runs 200',
  'POST /repos/{owner}/{repo}/check-runs 201',
  'GET /repos/{owner}/{repo}/check-runs/{check_run_id} 200',
  'PATCH /repos/{owner}/{repo}/check-runs/{check_run_id} 200',
  'GET /repos/{owner}/{repo}/commits/{ref}/status 200',
  'GET /repos/{owner}/{repo}/actions/jobs/{job_id} 200',
  'GET /repos/{owner}/{repo}/issues 200',
  'POST /repos/{owner}/{repo}/issues 201',
  'GET /repos/{owner}/{repo}/issues/{issue_number} 200',
  'GET /repos/{owner}/{repo}/issues/{issue_number} 404',
  'POST /markdown 200',
  'GET /repos/{owner}/{repo}/issues/{issue_number}/comments 200',
  'POST /repos/{owner}/{repo}/issues/{issue_number}/comments 201',
  'POST /repos/{owner}/{repo}/issues/{issue_number}/comments 422',
  'GET /repos/{owner}/{repo}/issues/comments/{comment_id} 200',
  'PATCH /repos/{owner}/{repo}/issues/comments/{comment_id} 200',
  'DELETE /repos/{owner}/{repo}/issues/comments/{comment_id} 204',
  'GET /repos/{owner}/{repo}/issues/{issue_number}/reactions 200',
  'POST /repos/{owner}/{repo}/issues/{issue_number}/reactions 200',
  'POST /repos/{owner}/{repo}/issues/{issue_number}/reactions 201',
  'GET /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions 200',
  'POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions 200',
  'POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions 201',
  'POST /repos/{owner}/{repo}/issues/{issue_number}/labels 200',
  'GET /repos/{owner}/{repo}/issues/{issue_number}/labels 200',
  'GET /repos/{owner}/{repo}/labels/{name} 200',
  'GET /repos/{owner}/{repo}/labels/{name} 404',
  'POST /repos/{owner}/{repo}/git/blobs 201',
  'GET /repos/{owner}/{repo}/git/blobs/{file_sha} 200',
  'POST /repos/{owner}/{repo}/git/trees 201',
  'GET /repos/{owner}/{repo}/git/trees/{tree_sha} 200',
  'POST /repos/{owner}/{repo}/git/commits 201',
  'GET /repos/{owner}/{repo}/git/commits/{commit_sha} 200',
  'POST /repos/{owner}/{repo}/git/refs 201',
  'GET /repos/{owner}/{repo}/git/ref/{ref} 200',
  'GET /repos/{owner}/{repo}/git/ref/{ref} 404',
  'GET /repos/{owner}/{repo}/git/matching-refs/{ref} 200',
  'PATCH /repos/{owner}/{repo}/git/refs/{ref} 200',
  'DELETE /repos/{owner}/{repo}/git/refs/{ref} 204',
  'GET /repos/{owner}/{repo}/branches 200',
  'GET /repos/{owner}/{repo}/branches/{branch} 200',
  'GET /repos/{owner}/{repo}/branches/{branch} 404',
  'GET /repos/{owner}/{repo}/commits 200',
  'GET /repos/{owner}/{repo}/commits/{ref} 200',
  'GET /repos/{owner}/{repo}/compare/{basehead} 200',
  'POST /repos/{owner}/{repo}/merges 201',
  'POST /repos/{owner}/{repo}/merges 204',
  'POST /repos/{owner}/{repo}/merges 404',
  'POST /repos/{owner}/{repo}/merges 409',
  'GET /repos/{owner}/{repo}/rules/branches/{branch} 200',
  'GET /repos/{owner}/{repo}/rulesets/{ruleset_id} 200',
  'GET /repos/{owner}/{repo}/rulesets/{ruleset_id} 404',
  'POST /repos/{owner}/{repo}/pulls 201',
  'GET /repos/{owner}/{repo}/pulls 200',
  'GET /repos/{owner}/{repo}/pulls/{pull_number} 200',
  'PATCH /repos/{owner}/{repo}/pulls/{pull_number} 200',
  'GET /repos/{owner}/{repo}/pulls/{pull_number}/files 200',
  'GET /repos/{owner}/{repo}/pulls/{pull_number}/commits 200',
  'GET /repos/{owner}/{repo}/pulls/{pull_number} 404',
  'POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers 201',
  'GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews 200',
  'GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id} 200',
  'GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id} 404',
  'GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/comments 200',
  'GET /repos/{owner}/{repo}/pulls/{pull_number}/comments 200',
  'POST /repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies 201',
  'POST /repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies 404',
  'GET /repos/{owner}/{repo}/pulls/comments/{comment_id} 200',
  'PATCH /repos/{owner}/{repo}/pulls/comments/{comment_id} 200',
  'DELETE /repos/{owner}/{repo}/pulls/comments/{comment_id} 204',
  'GET /repos/{owner}/{repo}/pulls/comments/{comment_id}/reactions 200',
  'POST /repos/{owner}/{repo}/pulls/comments/{comment_id}/reactions 200',
  'POST /repos/{owner}/{repo}/pulls/comments/{comment_id}/reactions 201',
  'DELETE /repos/{owner}/{repo}/pulls/comments/{comment_id}/reactions/{reaction_id} 204',
] as const;

describe('an answer of the REST API', () => {
  let site: TestSite;
  let installationId: number | null;
  let token: string;
  let headSha: string;
  const repo = '/repos/acme/widgets';
  const call = (method: string, path: string, body?: unknown) => site.call(method, path, token, body);

  beforeAll(async () => {
    site = await TestSite.start();
    ({ installationId, headSha } = await site.repository());
    token = await site.token(installationId);
  });
  afterAll(() => site.stop());

  it('matches GitHub’s description for an account by its name', async () => {
    const bot = await site.call('GET', '/users/airlock%5Bbot%5D', token);
    expect(bot.body).toMatchObject({ login: 'airlock[bot]', type: 'Bot' });
    expect(await site.call('GET', '/users/nobody-of-that-name', token)).toMatchObject({ status: 404 });
  });

  it('matches GitHub’s description for the App and its installations', async () => {
    const app = await site.call('GET', '/app', appJwt());
    expect(app.body).toMatchObject({
      slug: 'airlock',
      installations_count: 1,
      permissions: { contents: 'write' },
    });
    await site.call('GET', `/app/installations/${String(installationId)}`, appJwt());
    expect((await site.call('GET', '/app/installations?per_page=100', appJwt())).body).toMatchObject([
      { id: installationId, suspended_at: null, account: { login: 'acme' } },
    ]);
    const found = await site.call('GET', `${repo}/installation`, appJwt());
    expect(found.body).toMatchObject({ id: installationId, app_slug: 'airlock' });
    expect(await site.call('GET', '/repos/acme/none/installation', appJwt())).toMatchObject({ status: 404 });
    const ofAccount = await site.call('GET', '/users/acme/installation', appJwt());
    expect(ofAccount.body).toMatchObject({ id: installationId });
    expect(await site.call('GET', '/users/nobody/installation', appJwt())).toMatchObject({ status: 404 });
    const hook = await site.call('GET', '/app/hook/config', appJwt());
    expect(hook.body).toMatchObject({ content_type: 'json', secret: '********' });
    const path = `/app/installations/${String(installationId)}/access_tokens`;
    const minted = await site.call('POST', path, appJwt(), {
      repositories: ['widgets'],
      permissions: { contents: 'read' },
    });
    expect(minted.body).toMatchObject({
      permissions: { contents: 'read', metadata: 'read' },
      repositories: [{ full_name: 'acme/widgets' }],
    });
    expect(await site.call('POST', path, appJwt(), { repositories: ['none'] })).toMatchObject({
      status: 422,
    });
    const other = textAt(minted.body, 'token');
    expect((await site.call('GET', '/installation/repositories', other)).body).toMatchObject({
      total_count: 1,
    });
    expect((await site.call('DELETE', '/installation/token', other)).status).toBe(204);
  });

  it('matches GitHub’s description for a repository and its collaborators', async () => {
    expect((await call('GET', repo)).body).toMatchObject({
      full_name: 'acme/widgets',
      private: true,
      default_branch: 'main',
    });
    expect((await call('GET', '/repos/ACME/Widgets')).status).toBe(200);
    expect((await call('GET', '/repos/acme/none')).status).toBe(404);
    expect((await call('GET', `${repo}/collaborators/nobody-knows/permission`)).status).toBe(404);
  });

  it.each([
    ['ada', 'admin', 'admin'],
    ['mia', 'write', 'maintain'],
    ['wes', 'write', 'write'],
    ['tri', 'read', 'triage'],
    ['rex', 'read', 'read'],
    ['WES', 'write', 'write'],
  ])(
    'matches GitHub’s description for the permission of %s, which is %s with the role %s',
    async (login, permission, role) => {
      const answer = await call('GET', `${repo}/collaborators/${login}/permission`);
      expect(answer.body).toMatchObject({
        permission,
        role_name: role,
        user: { permissions: { pull: true } },
      });
    },
  );

  it('matches GitHub’s description for issues, comments, labels and reactions', async () => {
    const { number } = await site.simulator.openIssue({
      owner: 'acme',
      name: 'widgets',
      author: 'ada',
      title: 'A bug',
      body: 'It is broken.',
      labels: ['bug'],
    });
    const issue = `${repo}/issues/${number}`;
    expect((await call('GET', issue)).body).toMatchObject({
      title: 'A bug',
      user: { login: 'ada' },
      author_association: 'COLLABORATOR',
      labels: [{ name: 'bug' }],
    });
    expect((await call('GET', `${repo}/issues/999`)).status).toBe(404);
    const full = await site.call('GET', issue, token, undefined, 'application/vnd.github.full+json');
    expect(full.body).toMatchObject({ body: 'It is broken.', body_html: '<p>It is broken.</p>' });
    const asked = { text: 'a <!-- b --> **c**', mode: 'gfm', context: 'acme/widgets' };
    expect((await call('POST', '/markdown', asked)).body).toBe('<p>a  <strong>c</strong></p>');
    expect(listAt((await call('GET', `${repo}/issues`)).body, '')).toHaveLength(1);
    const comment = await call('POST', `${issue}/comments`, { body: 'On it' });
    expect(comment.body).toMatchObject({
      body: 'On it',
      user: { login: 'airlock[bot]', type: 'Bot' },
      performed_via_github_app: { slug: 'airlock' },
    });
    expect((await call('POST', `${issue}/comments`, { body: ' ' })).status).toBe(422);
    const commentPath = `${repo}/issues/comments/${numberAt(comment.body, 'id')}`;
    expect((await call('GET', commentPath)).status).toBe(200);
    expect((await call('PATCH', commentPath, { body: 'Done' })).body).toMatchObject({ body: 'Done' });
    for (const path of [issue, commentPath]) {
      const first = await call('POST', `${path}/reactions`, { content: 'eyes' });
      const second = await call('POST', `${path}/reactions`, { content: 'eyes' });
      expect([first.status, second.status]).toEqual([201, 200]);
      expect(second.body).toEqual(first.body);
      expect(listAt((await call('GET', `${path}/reactions`)).body, '')).toHaveLength(1);
      expect((await call('GET', path)).body).toMatchObject({ reactions: { eyes: 1, total_count: 1 } });
    }
    expect((await call('POST', `${issue}/labels`, { labels: ['codex', 'bug'] })).body).toMatchObject([
      { name: 'bug' },
      { name: 'codex' },
    ]);
    await call('GET', `${issue}/labels`);
    expect((await call('GET', `${repo}/labels/BUG`)).body).toMatchObject({ name: 'bug' });
    expect((await call('GET', `${repo}/labels/none`)).status).toBe(404);
    expect((await call('DELETE', commentPath)).status).toBe(204);
    expect((await call('GET', commentPath)).status).toBe(404);
    expect((await call('POST', `${repo}/issues`, { title: 'Found by the App' })).status).toBe(201);
  });

  it('matches GitHub’s description for pages of comments, with Link headers to all of them', async () => {
    const { number } = await site.simulator.openIssue({
      owner: 'acme',
      name: 'widgets',
      author: 'ada',
      title: 'Long',
      body: '',
    });
    for (let n = 1; n <= 5; n += 1)
      await site.simulator.commentOnIssue({
        owner: 'acme',
        name: 'widgets',
        issue: number,
        author: 'wes',
        body: `comment ${n}`,
      });
    const bodies: string[] = [];
    let next: string | undefined = `${repo}/issues/${number}/comments?per_page=2`;
    while (next !== undefined) {
      const page = await call('GET', next);
      bodies.push(...listAt(page.body, '').map((one) => textAt(one, 'body')));
      const link: string | undefined = /<([^>]+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1];
      next = link?.slice(site.simulator.apiUrl.length);
    }
    expect(bodies).toEqual(['comment 1', 'comment 2', 'comment 3', 'comment 4', 'comment 5']);
  });

  it('matches GitHub’s description for git objects, refs, commits and pull requests', async () => {
    const blob = textAt(
      (await call('POST', `${repo}/git/blobs`, { content: 'bmV3Cg==', encoding: 'base64' })).body,
      'sha',
    );
    expect((await call('GET', `${repo}/git/blobs/${blob}`)).body).toMatchObject({
      content: 'bmV3Cg==\n',
      size: 4,
    });
    const tree = await call('POST', `${repo}/git/trees`, {
      base_tree: headSha,
      tree: [{ path: 'src/new.txt', mode: '100644', type: 'blob', sha: blob }],
    });
    const treeSha = textAt(tree.body, 'sha');
    const recursive = await call('GET', `${repo}/git/trees/${treeSha}?recursive=1`);
    expect(listAt(recursive.body, 'tree').map((one) => textAt(one, 'path'))).toContain('src/new.txt');
    const commit = await call('POST', `${repo}/git/commits`, {
      message: 'Add a file',
      tree: treeSha,
      parents: [headSha],
      author: { name: 'Ada', email: 'ada@example.com', date: '2026-01-02T03:04:05Z' },
    });
    expect(commit.body).toMatchObject({
      author: { name: 'Ada', date: '2026-01-02T03:04:05Z' },
      committer: { name: 'Ada' },
    });
    const verification = { verified: false, reason: 'unsigned' };
    const sha = textAt(commit.body, 'sha');
    expect((await call('GET', `${repo}/git/commits/${sha}`)).body).toMatchObject({ verification });
    // GitHub signs a commit of the App that names nobody, and no two are the same.
    const nameless = { message: 'Add a file', tree: treeSha, parents: [headSha] };
    const [one, other] = [
      await call('POST', `${repo}/git/commits`, nameless),
      await call('POST', `${repo}/git/commits`, nameless),
    ];
    expect(one.body).toMatchObject({
      author: { name: 'airlock[bot]' },
      committer: { name: 'GitHub', email: 'noreply@github.com' },
      message: 'Add a file',
      verification: { verified: true, reason: 'valid' },
    });
    expect(textAt(one.body, 'sha')).not.toBe(textAt(other.body, 'sha'));
    expect((await call('GET', `${repo}/commits/${textAt(one.body, 'sha')}`)).body).toMatchObject({
      commit: { verification: { verified: true, reason: 'valid', payload: expect.any(String) } },
    });
    expect(
      (await call('POST', `${repo}/git/refs`, { ref: 'refs/heads/airlock/add', sha })).body,
    ).toMatchObject({ ref: 'refs/heads/airlock/add', object: { sha, type: 'commit' } });
    expect((await call('GET', `${repo}/git/ref/heads/airlock/add`)).body).toMatchObject({ object: { sha } });
    expect((await call('GET', `${repo}/git/ref/heads%2Fairlock%2Fadd`)).body).toMatchObject({
      object: { sha },
    });
    expect((await call('GET', `${repo}/git/ref/heads/airlock`)).status).toBe(404);
    expect(listAt((await call('GET', `${repo}/git/matching-refs/heads/airlock`)).body, '')).toHaveLength(1);
    expect((await call('GET', `${repo}/branches/airlock/add`)).body).toMatchObject({ commit: { sha } });
    expect((await call('GET', `${repo}/branches/none`)).status).toBe(404);
    expect(listAt((await call('GET', `${repo}/branches`)).body, '')).toHaveLength(2);
    expect((await call('GET', `${repo}/commits/${sha}`)).body).toMatchObject({
      stats: { additions: 1 },
      files: [{ filename: 'src/new.txt', status: 'added' }],
    });
    expect((await call('GET', `${repo}/commits?sha=${sha}&per_page=1`)).body).toMatchObject([
      { sha, commit: { message: 'Add a file' } },
    ]);
    expect((await call('GET', `${repo}/compare/main...airlock/add`)).body).toMatchObject({
      status: 'ahead',
      ahead_by: 1,
      files: [{ filename: 'src/new.txt' }],
    });

    const opened = await call('POST', `${repo}/pulls`, {
      title: 'Add',
      head: 'airlock/add',
      base: 'main',
      body: 'Because.',
      draft: true,
    });
    expect(opened.body).toMatchObject({
      draft: true,
      state: 'open',
      head: { sha },
      base: { sha: headSha },
      commits: 1,
      additions: 1,
      changed_files: 1,
      mergeable: true,
    });
    const pull = `${repo}/pulls/${numberAt(opened.body, 'number')}`;
    expect(
      listAt((await call('GET', `${repo}/pulls?head=acme:airlock/add&base=main`)).body, ''),
    ).toHaveLength(1);
    expect(listAt((await call('GET', `${repo}/pulls?head=acme:other`)).body, '')).toHaveLength(0);
    expect(listAt((await call('GET', `${repo}/pulls?state=closed`)).body, '')).toHaveLength(0);
    expect((await call('GET', `${pull}/files`)).body).toMatchObject([
      { filename: 'src/new.txt', patch: '@@ -0,0 +1 @@\n+new' },
    ]);
    expect((await call('GET', `${pull}/commits`)).body).toMatchObject([{ sha }]);
    expect((await call('POST', `${pull}/requested_reviewers`, { reviewers: ['ada'] })).body).toMatchObject({
      requested_reviewers: [{ login: 'ada' }],
    });
    expect((await call('GET', `${repo}/issues/${numberAt(opened.body, 'number')}`)).body).toMatchObject({
      pull_request: { merged_at: null },
    });

    const second = await call('POST', `${repo}/git/commits`, {
      message: 'Again',
      tree: treeSha,
      parents: [sha],
    });
    const later = textAt(second.body, 'sha');
    expect((await call('PATCH', `${repo}/git/refs/heads/airlock/add`, { sha: later })).body).toMatchObject({
      object: { sha: later },
    });
    expect((await call('GET', pull)).body).toMatchObject({ head: { sha: later }, commits: 2 });
    expect((await call('PATCH', pull, { title: 'Better', body: 'New text' })).body).toMatchObject({
      title: 'Better',
      body: 'New text',
    });
    expect((await call('DELETE', `${repo}/git/refs/heads/airlock/add`)).status).toBe(204);
    expect((await call('GET', pull)).body).toMatchObject({ state: 'closed', head: { sha: later } });
  });

  it('matches GitHub’s description for pull requests with auto-merge, merged, and from a fork', async () => {
    const at = { owner: 'acme', name: 'widgets' };
    await call('POST', `${repo}/git/refs`, { ref: 'refs/heads/merging', sha: headSha });
    const moved = await site.simulator.moveBranch({ ...at, branch: 'merging', files: { 'merged.txt': 'x' } });
    const opened = await call('POST', `${repo}/pulls`, { title: 'Merge me', head: 'merging', base: 'main' });
    expect(opened.body).toMatchObject({ auto_merge: null, merged: false, head: { label: 'acme:merging' } });
    const number = numberAt(opened.body, 'number');
    site.simulator.enableAutoMerge({ ...at, number });
    expect((await call('GET', `${repo}/pulls/${number}`)).body).toMatchObject({
      auto_merge: { merge_method: 'squash' },
    });
    await site.simulator.closePull({ ...at, number, merge: true });
    const merged = await call('GET', `${repo}/pulls/${number}`);
    expect(merged.body).toMatchObject({ state: 'closed', merged: true, head: { sha: moved.sha } });
    expect((await call('GET', `${repo}/commits/main`)).body).toMatchObject({
      sha: textAt(merged.body, 'merge_commit_sha'),
      parents: [{ sha: headSha }, { sha: moved.sha }],
    });
    expect((await call('GET', `${repo}/issues/${number}`)).body).toMatchObject({
      pull_request: { merged_at: textAt(merged.body, 'merged_at') },
    });

    const fork = await site.simulator.openPullFromFork({
      ...at,
      author: 'mallory',
      branch: 'main',
      base: 'main',
      title: 'From outside',
      files: { 'evil.txt': 'x' },
    });
    expect((await call('GET', `${repo}/pulls/${fork.number}`)).body).toMatchObject({
      head: { label: 'mallory:main', ref: 'main', sha: fork.headSha, repo: { full_name: 'mallory/widgets' } },
      base: { repo: { full_name: 'acme/widgets' } },
      state: 'open',
    });
    expect(listAt((await call('GET', `${repo}/pulls?head=acme:main`)).body, '')).toEqual([]);
    expect(listAt((await call('GET', `${repo}/pulls?head=mallory:main`)).body, '')).toHaveLength(1);
    expect((await call('GET', `${repo}/pulls/4711`)).status).toBe(404);
  });

  it('matches GitHub’s description for merges', async () => {
    const at = { owner: 'acme', name: 'widgets', base: 'main', author: 'ada' };
    const one = { ...at, branch: 'side-a', title: 'A', files: { 'a.txt': 'a\n', 'both.txt': 'a\n' } };
    const other = { ...at, branch: 'side-b', title: 'B', files: { 'both.txt': 'b\n' } };
    const { number, headSha: a } = await site.simulator.openPull(one);
    const { headSha: b } = await site.simulator.openPull(other);
    const { headSha: c } = await site.simulator.openPull({
      ...at,
      branch: 'side-c',
      title: 'C',
      files: { 'c.txt': 'c' },
    });
    const merge = async (base: string, head: string) => await call('POST', `${repo}/merges`, { base, head });
    expect((await merge('side-a', b)).status).toBe(409);
    expect((await merge('side-a', 'nowhere')).status).toBe(404);
    const merged = await merge('side-a', c);
    expect(merged.body).toMatchObject({ parents: [{ sha: a }, { sha: c }] });
    expect((await merge('side-a', 'side-c')).status).toBe(204);
    const pull = `${repo}/pulls/${number}`;
    expect((await call('GET', pull)).body).toMatchObject({
      mergeable: true,
      head: { sha: textAt(merged.body, 'sha') },
    });
    await call('PATCH', pull, { base: 'side-b' });
    expect((await call('GET', pull)).body).toMatchObject({ mergeable: false, mergeable_state: 'dirty' });
  });

  it('matches GitHub’s description for the rules of a branch, whether it exists or not', async () => {
    const at = { owner: 'acme', name: 'widgets', include: ['refs/heads/ruled/**/*'] };
    const pattern = { operator: 'starts_with', pattern: 'x' } as const;
    const rules: Rule[] = [
      { type: 'creation' },
      { type: 'update' },
      { type: 'deletion' },
      { type: 'non_fast_forward' },
      { type: 'pull_request' },
      { type: 'merge_queue' },
      { type: 'required_linear_history' },
      { type: 'required_signatures' },
      {
        type: 'required_status_checks',
        parameters: {
          required_status_checks: [{ context: 'ci' }],
          strict_required_status_checks_policy: false,
        },
      },
      { type: 'branch_name_pattern', parameters: pattern },
      { type: 'commit_message_pattern', parameters: pattern },
      { type: 'commit_author_email_pattern', parameters: pattern },
      { type: 'committer_email_pattern', parameters: pattern },
      { type: 'file_path_restriction', parameters: { restricted_file_paths: ['infra/**/*'] } },
      { type: 'file_extension_restriction', parameters: { restricted_file_extensions: ['*.exe'] } },
      { type: 'max_file_path_length', parameters: { max_file_path_length: 9 } },
      { type: 'max_file_size', parameters: { max_file_size: 1 } },
    ];
    const { id } = site.simulator.addRuleset({ ...at, rules });
    site.simulator.addRuleset({ ...at, rules, enforcement: 'evaluate' });
    site.simulator.addRuleset({ ...at, rules, exclude: ['refs/heads/ruled/a/*'] });
    site.simulator.addRuleset({ ...at, rules, classic: true });
    const listed = await call('GET', `${repo}/rules/branches/ruled/a/b?per_page=100`);
    const source = { ruleset_source_type: 'Repository', ruleset_source: 'acme/widgets', ruleset_id: id };
    expect(listed.body).toEqual(rules.map((rule) => ({ ...rule, ...source })));
    expect((await call('GET', `${repo}/rules/branches/unruled`)).body).toEqual([]);
    const ruleset = await call('GET', `${repo}/rulesets/${id}`);
    expect(ruleset.body).toMatchObject({ rules, current_user_can_bypass: 'never' });
    expect((await call('GET', `${repo}/rulesets/4711`)).status).toBe(404);
  });

  it('matches GitHub’s description for reviews and for comments in the diff', async () => {
    const at = { owner: 'acme', name: 'widgets' };
    const branch = {
      base: 'main',
      branch: 'reviewed',
      title: 'Add lines',
      files: { 'lines.txt': 'a\nb\nc\n' },
    };
    const { number } = await site.simulator.openPull({ ...at, ...branch, author: 'ada' });
    const comments = [
      { path: 'lines.txt', line: 2, body: 'Why **b**?' },
      { path: 'lines.txt', line: 3, startLine: 2, body: 'And these?' },
    ];
    const review = {
      ...at,
      number,
      author: 'wes',
      body: 'Almost.',
      state: 'CHANGES_REQUESTED',
      comments,
    } as const;
    const submitted = await site.simulator.reviewPull(review);
    const [first = 0, second = 0] = submitted.comments;
    const pull = `${repo}/pulls/${number}`;
    const full = async (path: string) =>
      (await site.call('GET', path, token, undefined, 'application/vnd.github.full+json')).body;
    expect(await full(`${pull}/reviews/${submitted.id}`)).toMatchObject({
      state: 'CHANGES_REQUESTED',
      body_html: '<p>Almost.</p>',
    });
    expect(listAt((await call('GET', `${pull}/reviews`)).body, '')).toHaveLength(1);
    expect((await call('GET', `${pull}/reviews/4711`)).status).toBe(404);
    expect(await full(`${pull}/reviews/${submitted.id}/comments`)).toMatchObject([
      {
        id: first,
        path: 'lines.txt',
        line: 2,
        side: 'RIGHT',
        diff_hunk: '@@ -0,0 +1,3 @@\n+a\n+b',
        body_html: '<p>Why <strong>b</strong>?</p>',
      },
      { id: second, start_line: 2, line: 3 },
    ]);

    const replies = `${pull}/comments/${first}/replies`;
    const reply = await call('POST', replies, { body: 'Because.' });
    expect(reply.body).toMatchObject({ in_reply_to_id: first, user: { login: 'airlock[bot]' }, line: 2 });
    const id = numberAt(reply.body, 'id');
    expect((await call('POST', `${pull}/comments/${id}/replies`, { body: 'x' })).status).toBe(422);
    expect((await call('POST', `${pull}/comments/4711/replies`, { body: 'x' })).status).toBe(404);
    const comment = `${repo}/pulls/comments/${id}`;
    await call('PATCH', comment, { body: 'Because of c.' });
    expect((await call('GET', comment)).body).toMatchObject({ body: 'Because of c.' });
    const reactions = `${repo}/pulls/comments/${first}/reactions`;
    const eyes = await call('POST', reactions, { content: 'eyes' });
    expect((await call('POST', reactions, { content: 'eyes' })).status).toBe(200);
    expect(listAt((await call('GET', reactions)).body, '')).toHaveLength(1);
    expect((await call('DELETE', `${reactions}/${numberAt(eyes.body, 'id')}`)).status).toBe(204);
    expect((await call('DELETE', comment)).status).toBe(204);

    await site.simulator.moveBranch({ ...at, branch: 'reviewed', files: { 'lines.txt': 'd\n' } });
    const outdated = listAt((await call('GET', `${pull}/comments`)).body, '');
    expect(outdated).toMatchObject([{ original_line: 2 }, { original_line: 3 }]);
    expect(JSON.stringify(outdated)).not.toContain('"line":');
    expect((await call('GET', pull)).body).toMatchObject({ review_comments: 2 });
    const elsewhere = { ...review, comments: [{ path: 'lines.txt', line: 9, body: 'x' }] };
    await expect(site.simulator.reviewPull(elsewhere)).rejects.toThrow('not in the diff');
  });

  it('matches GitHub’s description for check runs, jobs, their logs and commit statuses', async () => {
    const at = { owner: 'acme', name: 'widgets', sha: headSha };
    const steps = [{ name: 'Run npm test', conclusion: 'failure' }] as const;
    site.simulator.addCheckRun({ ...at, check: 'test', conclusion: 'failure', log: 'an older run' });
    const job = { ...at, check: 'test', conclusion: 'failure', steps, log: 'npm ERR! 1 failing' } as const;
    const { id } = site.simulator.addCheckRun(job);
    const output = { title: '2 warnings', summary: 'See *there*.' };
    site.simulator.addCheckRun({ ...at, check: 'lint', conclusion: null, app: 'linter', output });
    const runs = `${repo}/commits/${headSha}/check-runs`;
    expect((await call('GET', runs)).body).toMatchObject({
      total_count: 2,
      check_runs: [
        { name: 'lint', status: 'in_progress', conclusion: null, app: { slug: 'linter' }, output },
        { id, name: 'test', conclusion: 'failure', app: { slug: 'github-actions' } },
      ],
    });
    expect((await call('GET', `${runs}?filter=all`)).body).toMatchObject({ total_count: 3 });
    expect((await call('GET', `${repo}/actions/jobs/${id}`)).body).toMatchObject({ steps });
    expect((await call('GET', `${repo}/actions/jobs/${id + 99}`)).status).toBe(404);
    expect((await call('GET', `${repo}/commits/${headSha}/status`)).body).toMatchObject({ state: 'pending' });
    site.simulator.addCommitStatus({ ...at, context: 'ci/other', state: 'error', description: 'No agent' });
    expect((await call('GET', `${repo}/commits/${headSha}/status`)).body).toMatchObject({
      state: 'failure',
      statuses: [{ context: 'ci/other', state: 'error', description: 'No agent' }],
    });

    const authorization = `Bearer ${token}`;
    const asked = await fetch(`${site.simulator.apiUrl}${repo}/actions/jobs/${id}/logs`, {
      headers: { authorization },
      redirect: 'manual',
    });
    const location = asked.headers.get('location') ?? '';
    expect([asked.status, new URL(location).pathname]).toEqual([302, expect.stringMatching(/^\/_storage\//)]);
    expect((await fetch(location, { headers: { authorization } })).status).toBe(400);
    expect(await (await fetch(location)).text()).toBe('npm ERR! 1 failing');
  });

  it('matches GitHub’s description for the App’s own check runs, and its refusals', async () => {
    site.simulator.changeApp({ permissions: { contents: 'write', checks: 'write' } });
    const own = await site.token(installationId, { permissions: { checks: 'write' } });
    const write = async (method: string, path: string, body: object) =>
      await site.call(method, `${repo}/check-runs${path}`, own, body);
    const wanted = { name: 'Receipt', head_sha: headSha, status: 'completed', conclusion: 'failure' };
    const output = { title: 'Marked', summary: 'Read *this*.', text: 'All' };
    const actions = [{ label: 'Accept', description: 'Says it was read', identifier: 'accept' }];
    const made = await write('POST', '', { ...wanted, external_id: 'task', output, actions });
    expect(made.body).toMatchObject({ external_id: 'task', conclusion: 'failure', output });
    const id = numberAt(made.body, 'id');
    const accepted = { conclusion: 'neutral', output: { title: 'Accepted', summary: '' }, actions: [] };
    expect((await write('PATCH', `/${id}`, accepted)).body).toMatchObject({ id, conclusion: 'neutral' });
    expect((await call('GET', `${repo}/check-runs/${id}`)).body).toMatchObject({ external_id: 'task' });
    const ofApp = `${repo}/commits/${headSha}/check-runs?check_name=Receipt&app_id=4711&filter=all`;
    expect((await call('GET', ofApp)).body).toMatchObject({ total_count: 1, check_runs: [{ id }] });

    const other = site.simulator.addCheckRun({
      owner: 'acme',
      name: 'widgets',
      sha: headSha,
      check: 'test',
      conclusion: 'success',
    });
    const refusals = await Promise.all([
      write('PATCH', `/${other.id}`, accepted),
      write('POST', '', { ...wanted, head_sha: 'f'.repeat(40) }),
      write('POST', '', { ...wanted, output: { ...output, text: 'x'.repeat(65_536) } }),
      write('POST', '', { ...wanted, output: { ...output, summary: '🐞'.repeat(20_000) } }),
      write('POST', '', { ...wanted, actions: [{ ...actions[0], label: 'x'.repeat(21) }] }),
      site.call('POST', `${repo}/check-runs`, token, wanted),
    ]);
    expect(refusals.map(({ status, body }) => `${status} ${JSON.stringify(body)}`)).toEqual([
      expect.stringContaining('403 {"message":"Invalid app_id'),
      expect.stringContaining('422 {"message":"No commit found for SHA'),
      expect.stringContaining('Only 65535 characters are allowed; 65536 were supplied.'),
      expect.stringContaining('summary exceeds a maximum bytesize of 65535'),
      expect.stringContaining('Only 20 characters are allowed; 21 were supplied.'),
      expect.stringContaining('403 {"message":"Resource not accessible by integration'),
    ]);
  });

  it('has the headers that GitHub always sends', async () => {
    const { headers } = await call('GET', repo);
    expect(headers.get('x-ratelimit-limit')).toBe('5000');
    expect(Number(headers.get('x-ratelimit-remaining'))).toBeLessThan(5000);
    expect(headers.get('x-github-request-id')).toMatch(/^[0-9A-F]{24}$/);
    expect(headers.get('x-github-media-type')).toBe('github.v3; format=json');
  });

  it('matches GitHub’s description for the delivery log of the webhook', async () => {
    await site.simulator.openIssue({ owner: 'acme', name: 'widgets', author: 'mona', title: 'A', body: 'b' });
    const list = '/app/hook/deliveries';
    const [newest] = z
      .array(z.object({ event: z.string(), status_code: z.number() }))
      .parse((await site.call('GET', `${list}?per_page=5`, appJwt())).body);
    expect(newest).toEqual({ event: 'issues', status_code: 0 });
    expect((await site.call('GET', `${list}?cursor=v1_7`, appJwt())).status).toBe(422);
    const id = site.simulator.deliveries().at(-1)?.attempts[0]?.id ?? '';
    const { body } = await site.call('GET', `${list}/${id}`, appJwt());
    expect(body).toMatchObject({
      event: 'issues',
      action: 'opened',
      request: { payload: { action: 'opened' } },
    });
    expect((await site.call('POST', `${list}/${id}/attempts`, appJwt())).status).toBe(202);
  });

  describe('for an App that is created from a manifest', () => {
    const manifest = {
      name: 'Acme Codex',
      url: 'https://acme.example',
      hook_attributes: { url: 'https://airlock.invalid/github/webhooks' },
      redirect_url: 'http://127.0.0.1:1/created',
      default_events: ['issues'],
      default_permissions: { issues: 'write' },
    };
    const post = async (path: string, form: Readonly<Record<string, string>>) =>
      await fetch(`${site.simulator.url}${path}`, {
        method: 'POST',
        body: new URLSearchParams(form),
        redirect: 'manual',
      });
    const create = async (changes: object = {}, name = manifest.name) =>
      await post('/settings/apps/manifest', {
        owner: 'acme',
        name,
        state: 's',
        manifest: JSON.stringify({ ...manifest, ...changes }),
      });

    it.each([
      ['a webhook on the loopback', { hook_attributes: { url: 'http://localhost:1' } }, /public Internet/],
      ['a webhook without address', { hook_attributes: { active: false } }, /url/],
      ['a name of 35 characters', { name: 'x'.repeat(35) }, /name/],
      ['an event that no permission covers', { default_events: ['pull_request'] }, /events unsupported/],
      ['an unknown permission', { default_permissions: { everything: 'write' } }, /permissions/],
    ])('refuses %s', async (_, changes, words) => {
      const answer = await create(changes);
      expect(answer.status).toBe(422);
      expect(await answer.text()).toMatch(words);
    });

    it('gives the credentials once, for a code that is at most an hour old', async () => {
      const codeOf = (answer: Response) =>
        new URL(answer.headers.get('location') ?? '').searchParams.get('code') ?? '';
      const late = codeOf(await create());
      site.simulator.ageManifestCodes(61 * 60_000);
      const answer = await create({}, 'Acme Codex 2');
      expect(answer.headers.get('location')).toContain('state=s');
      const convert = async (code: string) =>
        await site.call('POST', `/app-manifests/${code}/conversions`, null);
      expect((await convert(late)).status).toBe(404);
      const code = codeOf(answer);
      const { body } = await convert(code);
      expect(body).toMatchObject({
        slug: 'acme-codex-2',
        permissions: { issues: 'write' },
        events: ['issues'],
      });
      expect((await convert(code)).status).toBe(404);
      const asNewApp = appJwt({ iss: numberAt(body, 'id') }, createPrivateKey(textAt(body, 'pem')));
      const hook = { url: 'https://bot.example/github/webhooks', content_type: 'json', secret: 'x' };
      expect((await site.call('PATCH', '/app/hook/config', asNewApp, hook)).body).toMatchObject({
        url: hook.url,
        secret: '********',
      });
    });
  });

  it('is covered for every operation that Airlock calls', () => {
    expect(operations.filter((one) => !validatedOperations.has(one))).toEqual([]);
  });
});
