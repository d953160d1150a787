import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { NewRuleset } from '../../../simulators/github/contract.ts';
import { numberAt, TestSite, textAt } from './harness.ts';

const found = 'Repository rule violations found';
const unknownSha = 'deadbeefdeadbeefdeadbeefdeadbeefdeadbeef';

describe('the Git Data API', () => {
  let site: TestSite;
  let token: string;
  let headSha: string;
  let blob: string;
  const repo = '/repos/acme/widgets';
  const call = (method: string, path: string, body?: unknown) => site.call(method, repo + path, token, body);

  beforeAll(async () => {
    site = await TestSite.start();
    const made = await site.repository({
      files: {
        'README.md': 'hello\n',
        '.github/workflows/ci.yml': 'on: push\n',
        'a/b/c.txt': 'c\n',
        'a/d.txt': 'd\n',
      },
    });
    headSha = made.headSha;
    token = await site.token(made.installationId);
    blob = textAt((await call('POST', '/git/blobs', { content: 'x' })).body, 'sha');
  });
  afterAll(() => site.stop());

  it.each([
    ['an absolute path', '/etc/passwd', 'tree.path cannot start with a slash'],
    ['an empty path', '', 'tree.path cannot be empty'],
    ['a parent folder', '../x', 'malformed path component'],
    ['a parent folder inside', 'a/../../x', 'malformed path component'],
    ['the current folder', './x', 'malformed path component'],
    ['a double slash', 'a//x', 'malformed path component'],
    ['a trailing slash', 'a/', 'malformed path component'],
    ['.git', '.git/config', 'malformed path component'],
    ['.GIT in another case', 'sub/.GIT/hooks/post-checkout', 'malformed path component'],
  ])('refuses a tree with %s', async (_, path, message) => {
    const answer = await call('POST', '/git/trees', {
      base_tree: headSha,
      tree: [{ path, mode: '100644', sha: blob }],
    });
    expect(answer.status).toBe(422);
    expect(textAt(answer.body, 'message')).toContain(message);
  });

  it.each([
    ['an unknown blob', { path: 'x', mode: '100644', sha: unknownSha }, 'is not a valid blob'],
    ['a tree in place of a blob', { path: 'x', mode: '100644', sha: 'TREE' }, 'is not a valid blob'],
    ['a blob in place of a tree', { path: 'x', mode: '040000', sha: 'BLOB' }, 'is not a valid tree'],
    ['neither content nor sha', { path: 'x', mode: '100644' }, 'tree.sha or tree.content'],
    ['both content and sha', { path: 'x', mode: '100644', sha: 'BLOB', content: 'y' }, 'not both'],
    ['no mode', { path: 'x', sha: 'BLOB' }, 'tree.mode'],
    ['an unknown mode', { path: 'x', mode: '100600', sha: 'BLOB' }, 'Invalid request'],
    ['the deletion of an unknown path', { path: 'not/there', mode: '100644', sha: null }, 'BadObjectState'],
  ])('refuses a tree entry with %s', async (_, entry, message) => {
    const tree = textAt((await call('GET', `/git/commits/${headSha}`)).body, 'tree.sha');
    const text = JSON.stringify(entry).replaceAll('TREE', tree).replaceAll('BLOB', blob);
    const answer = await call('POST', '/git/trees', `{"base_tree":"${headSha}","tree":[${text}]}`);
    expect(answer.status).toBe(422);
    expect(textAt(answer.body, 'message')).toContain(message);
  });

  it.each([
    ['adding a workflow', '.github/workflows/new.yml', 'x', 403],
    ['changing a workflow', '.github/workflows/ci.yml', 'x', 403],
    ['deleting a workflow', '.github/workflows/ci.yml', null, 403],
    ['deleting the folder .github', '.github', null, 403],
    ['replacing the folder .github with a file', '.github', 'x', 403],
    ['writing a workflow unchanged', '.github/workflows/ci.yml', 'on: push\n', 201],
    ['adding another file in .github', '.github/CODEOWNERS', 'x', 201],
    ['adding a file of that name in another folder', 'docs/.github/workflows/new.yml', 'x', 201],
  ])('judges %s without the workflows permission (%s)', async (_, path, content, status) => {
    const entry = content === null ? { path, mode: '100644', sha: null } : { path, mode: '100644', content };
    const answer = await call('POST', '/git/trees', { base_tree: headSha, tree: [entry] });
    const refused = { status, body: { message: 'Resource not accessible by integration' } };
    expect(answer).toMatchObject(status === 403 ? refused : { status });
  });

  it('refuses a ref to a commit that deletes workflows, even if no tree entry names them', async () => {
    const tree = textAt(
      (await call('POST', '/git/trees', { tree: [{ path: 'only.txt', mode: '100644', sha: blob }] })).body,
      'sha',
    );
    const commit = textAt(
      (await call('POST', '/git/commits', { message: 'm', tree, parents: [headSha] })).body,
      'sha',
    );
    expect((await call('POST', '/git/refs', { ref: 'refs/heads/dropped', sha: commit })).status).toBe(403);
    expect((await call('PATCH', '/git/refs/heads/main', { sha: commit })).status).toBe(403);
  });

  it.each([
    ['an unknown tree', { message: 'm', tree: unknownSha, parents: ['HEAD'] }, 'Tree SHA does not exist'],
    ['a commit as tree', { message: 'm', tree: 'HEAD', parents: ['HEAD'] }, 'Tree SHA does not exist'],
    ['an unknown parent', { message: 'm', tree: 'TREE', parents: [unknownSha] }, 'Parent SHA does not exist'],
    ['no message', { message: '', tree: 'TREE', parents: ['HEAD'] }, 'Invalid request'],
    [
      'an invalid date',
      { message: 'm', tree: 'TREE', author: { name: 'a', email: 'b', date: 'yesterday' } },
      'Invalid request',
    ],
  ])('refuses a commit with %s', async (_, wanted, message) => {
    const tree = textAt((await call('GET', `/git/commits/${headSha}`)).body, 'tree.sha');
    const text = JSON.stringify(wanted).replaceAll('HEAD', headSha).replaceAll('TREE', tree);
    const answer = await call('POST', '/git/commits', text);
    expect(answer.status).toBe(422);
    expect(textAt(answer.body, 'message')).toContain(message);
  });

  it.each([
    ['a name without refs/', { ref: 'main', sha: 'HEAD' }, "must start with 'refs'"],
    ['a name with one slash', { ref: 'refs/main', sha: 'HEAD' }, "must start with 'refs'"],
    ['two dots', { ref: 'refs/heads/a..b', sha: 'HEAD' }, 'not a valid ref name'],
    ['a space', { ref: 'refs/heads/a b', sha: 'HEAD' }, 'not a valid ref name'],
    ['a .lock ending', { ref: 'refs/heads/a.lock', sha: 'HEAD' }, 'not a valid ref name'],
    ['an unknown object', { ref: 'refs/heads/a', sha: unknownSha }, 'Object does not exist'],
    ['a blob as the target of a branch', { ref: 'refs/heads/a', sha: 'BLOB' }, 'Reference update failed'],
    ['an existing name', { ref: 'refs/heads/main', sha: 'HEAD' }, 'Reference already exists'],
    ['a name below an existing one', { ref: 'refs/heads/main/x', sha: 'HEAD' }, 'Reference already exists'],
  ])('refuses a ref with %s', async (_, wanted, message) => {
    const sha = wanted.sha === 'HEAD' ? headSha : wanted.sha === 'BLOB' ? blob : wanted.sha;
    const answer = await call('POST', '/git/refs', { ...wanted, sha });
    expect(answer.status).toBe(422);
    expect(textAt(answer.body, 'message')).toContain(message);
  });

  it('refuses an update that is not a fast forward, unless it is forced', async () => {
    const commit = async (message: string, parent: string): Promise<string> => {
      const tree = textAt((await call('GET', `/git/commits/${headSha}`)).body, 'tree.sha');
      return textAt((await call('POST', '/git/commits', { message, tree, parents: [parent] })).body, 'sha');
    };
    const [one, other] = [await commit('one', headSha), await commit('other', headSha)];
    expect((await call('POST', '/git/refs', { ref: 'refs/heads/mine', sha: one })).status).toBe(201);
    const refused = await call('PATCH', '/git/refs/heads/mine', { sha: other });
    expect(refused).toMatchObject({ status: 422, body: { message: 'Update is not a fast forward' } });
    expect((await call('PATCH', '/git/refs/heads/mine', { sha: other, force: true })).status).toBe(200);
    expect((await call('PATCH', '/git/refs/heads/missing', { sha: other })).body).toMatchObject({
      message: 'Reference does not exist',
    });
    expect((await call('DELETE', '/git/refs/heads/missing')).status).toBe(422);
  });

  it('refuses an update of a protected branch, except to its current commit', async () => {
    const tree = textAt((await call('GET', `/git/commits/${headSha}`)).body, 'tree.sha');
    const next = textAt(
      (await call('POST', '/git/commits', { message: 'next', tree, parents: [headSha] })).body,
      'sha',
    );
    await call('POST', '/git/refs', { ref: 'refs/heads/protected', sha: headSha });
    site.simulator.protectBranch({ owner: 'acme', name: 'widgets', branch: 'protected' });
    const refused = await call('PATCH', '/git/refs/heads/protected', { sha: next });
    expect(refused.status).toBe(422);
    expect(textAt(refused.body, 'message')).toMatch(/^Repository rule violations found/);
    expect((await call('PATCH', '/git/refs/heads/protected', { sha: headSha })).status).toBe(200);
  });

  it.each<[string, Partial<NewRuleset>, string, object | null, string]>([
    [
      'in force',
      {},
      'POST /git/refs',
      { ref: 'refs/heads/r/1' },
      `422 ${found} Cannot create ref due to creations being restricted.`,
    ],
    [
      'for other branches',
      { include: ['refs/heads/r/*'] },
      'POST /git/refs',
      { ref: 'refs/heads/r/1/1' },
      '201',
    ],
    ['that excludes it', { exclude: ['refs/heads/r/*'] }, 'POST /git/refs', { ref: 'refs/heads/r/2' }, '201'],
    ['that is evaluated', { enforcement: 'evaluate' }, 'POST /git/refs', { ref: 'refs/heads/r/3' }, '201'],
    ['that the App bypasses', { bypass: 'always' }, 'POST /git/refs', { ref: 'refs/heads/r/4' }, '201'],
    [
      'of classic protection',
      { classic: true },
      'POST /git/refs',
      { ref: 'refs/heads/r/5' },
      '422 Reference update failed',
    ],
    [
      'against deletion',
      { rules: [{ type: 'deletion' }] },
      'DELETE /git/refs/heads/ruled',
      null,
      `422 ${found} Cannot delete this branch`,
    ],
    [
      'against force pushes',
      { rules: [{ type: 'non_fast_forward' }] },
      'PATCH /git/refs/heads/ruled',
      { sha: 'OTHER', force: true },
      `422 ${found} Cannot force-push to this branch`,
    ],
  ])('obeys a ruleset %s', async (_, ruleset, asked, body, expected) => {
    const at = { owner: 'acme', name: 'widgets' };
    const tree = textAt((await call('GET', `/git/commits/${headSha}`)).body, 'tree.sha');
    const root = { message: 'root', tree, parents: [] };
    const other = textAt((await call('POST', '/git/commits', root)).body, 'sha');
    await call('POST', '/git/refs', { ref: 'refs/heads/ruled', sha: headSha });
    const { id } = site.simulator.addRuleset({ ...at, rules: [{ type: 'creation' }], ...ruleset });
    const [method = '', path = ''] = asked.split(' ');
    const wanted = body === null ? undefined : { sha: headSha, ...body };
    const answer = await call(method, path, JSON.stringify(wanted)?.replace('OTHER', other));
    site.simulator.removeRuleset({ ...at, id });
    const said = answer.status === 422 ? textAt(answer.body, 'message') : '';
    expect(`${answer.status} ${said.replaceAll(/\s+/g, ' ')}`.trim()).toBe(expected);
  });

  it('refuses all but one of twenty concurrent creations of the same ref', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => call('POST', '/git/refs', { ref: 'refs/heads/raced', sha: headSha })),
    );
    expect(answers.filter((one) => one.status === 201)).toHaveLength(1);
    expect(answers.filter((one) => one.status === 422)).toHaveLength(19);
  });

  it.each([
    ['not JSON', '{"content":', 400],
    ['a list', '[]', 422],
    ['of a wrong type', '{"content":1}', 422],
    ['in an unknown encoding', '{"content":"x","encoding":"rot13"}', 422],
  ])('refuses a body that is %s', async (_, body, status) => {
    expect((await call('POST', '/git/blobs', body)).status).toBe(status);
  });
});

describe('the API of pull requests', () => {
  let site: TestSite;
  let token: string;
  const repo = '/repos/acme/widgets';
  const call = (method: string, path: string, body?: unknown) => site.call(method, repo + path, token, body);

  beforeEach(async () => {
    site = await TestSite.start();
    const made = await site.repository();
    token = await site.token(made.installationId);
    await call('POST', '/git/refs', { ref: 'refs/heads/work', sha: made.headSha });
    await call('POST', '/git/refs', { ref: 'refs/heads/same', sha: made.headSha });
    await site.simulator.moveBranch({
      owner: 'acme',
      name: 'widgets',
      branch: 'work',
      files: { 'new.txt': 'new\n' },
    });
    return () => site.stop();
  });

  it.each([
    ['without a title', { head: 'work', base: 'main' }, { code: 'missing_field', field: 'title' }],
    [
      'from an unknown branch',
      { title: 't', head: 'none', base: 'main' },
      { code: 'invalid', field: 'head' },
    ],
    [
      'onto an unknown branch',
      { title: 't', head: 'work', base: 'none' },
      { code: 'invalid', field: 'base' },
    ],
    [
      'without commits',
      { title: 't', head: 'same', base: 'main' },
      { message: 'No commits between main and same' },
    ],
    [
      'from another owner',
      { title: 't', head: 'rival:work', base: 'main' },
      { code: 'invalid', field: 'head' },
    ],
  ])('refuses a pull request %s', async (_, wanted, error) => {
    const answer = await call('POST', '/pulls', wanted);
    expect(answer).toMatchObject({ status: 422, body: { message: 'Validation Failed', errors: [error] } });
  });

  it('refuses a second pull request from a branch while the first is open', async () => {
    const wanted = { title: 't', head: 'work', base: 'main' };
    const number = numberAt((await call('POST', '/pulls', wanted)).body, 'number');
    const message = 'A pull request already exists for acme:work.';
    expect(await call('POST', '/pulls', wanted)).toMatchObject({
      status: 422,
      body: { errors: [{ code: 'custom', message }] },
    });
    await call('PATCH', `/pulls/${number}`, { state: 'closed' });
    expect((await call('POST', '/pulls', { ...wanted, head: 'acme:work' })).status).toBe(201);
  });

  it('refuses all but one of twenty concurrent pull requests from a branch', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => call('POST', '/pulls', { title: 't', head: 'work', base: 'main' })),
    );
    expect(answers.filter((one) => one.status === 201)).toHaveLength(1);
    expect(await site.simulator.pulls({ owner: 'acme', name: 'widgets' })).toHaveLength(1);
  });

  it('refuses review requests to the author and to users who are not collaborators', async () => {
    const number = numberAt(
      (await call('POST', '/pulls', { title: 't', head: 'work', base: 'main' })).body,
      'number',
    );
    const ask = (login: string) =>
      call('POST', `/pulls/${number}/requested_reviewers`, { reviewers: [login] });
    expect((await ask('stranger')).status).toBe(422);
    expect((await ask('airlock[bot]')).status).toBe(422);
    expect((await ask('WES')).status).toBe(201);
  });
});
