/**
 * Publication to emulate's GitHub, which nobody of this project wrote: the publisher works there unchanged.
 * The last table lists where emulate differs from GitHub's documentation.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEmulator, type Emulator } from 'emulate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { ChangedFile, ChangeSet } from '../../src/core/change-set.ts';
import type { Publication, PublishInput, PublishResult } from '../../src/core/ports/publication.ts';
import { closedPolicy } from '../../src/core/policy.ts';
import type { PullRequestRef, RepositoryFacts } from '../../src/core/task.ts';
import type { Permissions } from '../../src/github/app-auth.ts';
import { createPublication } from '../../src/publish/publisher.ts';
import { git } from '../container/sandbox-scripts.ts';
import { writeFiles, type Content, type Entry, type Files } from './corpus/change-row.ts';
import { everyKind } from './corpus/contents.ts';
import { appId, dyingFetch, ownProcess, privateKey, publishInput, taskRequest } from './simulated-github.ts';

const installationId = 77;
const permissions = {
  metadata: 'read',
  contents: 'write',
  pull_requests: 'write',
  issues: 'write',
  checks: 'write',
  administration: 'write',
} as const;
/** Each test has one. */
const repositories = ['own', 'retry', 'overlap', 'killed', 'follow', 'protected', 'differs'] as const;
const sha = z.object({ sha: z.string() });

let emulator: Emulator;
let byGit: { readonly before: Staged; readonly after: Staged };
beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'airlock-test-'));
  git(folder, 'init', '--quiet');
  byGit = { before: stage(folder, everyKind.before), after: stage(folder, everyKind.edit) };
  rmSync(folder, { recursive: true, force: true });
  emulator = await createEmulator({
    service: 'github',
    port: 0,
    seed: {
      github: {
        users: [{ login: 'mona' }],
        orgs: [{ login: 'acme' }],
        repos: repositories.map((name) => ({ owner: 'acme', name, private: true, auto_init: true })),
        apps: [
          {
            app_id: appId,
            slug: 'airlock',
            name: 'Airlock',
            private_key: privateKey,
            permissions,
            installations: [{ installation_id: installationId, account: 'acme' }],
          },
        ],
      },
    },
  });
});
afterAll(async () => await emulator.close());

interface Staged {
  readonly tree: string;
  /** Path → mode and object. */
  readonly files: ReadonlyMap<string, string>;
}

function stage(folder: string, files: Files): Staged {
  writeFiles(folder, files);
  git(folder, 'add', '--all');
  const listed = git(folder, 'ls-files', '--stage', '-z')
    .split('\0')
    .filter((line) => line !== '');
  return {
    tree: git(folder, 'write-tree'),
    files: new Map(listed.map((line) => [line.slice(50), line.slice(0, 47)])),
  };
}

/** emulate reports `localhost`, which can resolve to an address that it does not listen on. */
function addressOf(): { url: string; apiUrl: string } {
  const url = `http://127.0.0.1:${new URL(emulator.url).port}`;
  return { url, apiUrl: url };
}

type Call = (method: string, path: string, body?: unknown) => Promise<{ status: number; body: unknown }>;
interface Scene {
  readonly facts: RepositoryFacts;
  readonly call: Call;
  readonly change: ChangeSet;
  /** The tree that git makes of the files after the change. */
  readonly tree: string;
}

async function callerWith(facts: RepositoryFacts, granted: Permissions): Promise<Call> {
  const { apiUrl } = addressOf();
  const token = await ownProcess(addressOf()).tokens.tokenFor({
    ...facts,
    taskId: 'test',
    permissions: granted,
  });
  return async (method, path, body) => {
    const response = await fetch(`${apiUrl}/repos/acme/${facts.name}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: response.status === 204 ? null : await response.json() };
  };
}

/** Creates the base of `everyKind` in one of the repositories, and its change. */
async function scene(name: (typeof repositories)[number]): Promise<Scene> {
  const facts = {
    owner: 'acme',
    name,
    repositoryId: repositories.indexOf(name) + 1,
    installationId,
    defaultBranch: 'main',
    private: true,
  };
  const call = await callerWith(facts, permissions);
  const { before, after } = byGit;
  const entries = await Promise.all(
    Object.entries(everyKind.before).map(async ([path, entry]) => {
      const content = contentOf(entry).toString('base64');
      const blob = sha.parse((await call('POST', '/git/blobs', { content, encoding: 'base64' })).body);
      return { path, mode: before.files.get(path)?.slice(0, 6), type: 'blob', sha: blob.sha };
    }),
  );
  const baseTree = sha.parse((await call('POST', '/git/trees', { tree: entries })).body);
  expect(baseTree.sha).toBe(before.tree);
  const commit = { message: 'base', tree: baseTree.sha, parents: [] };
  const base = sha.parse((await call('POST', '/git/commits', commit)).body).sha;
  await call('PATCH', '/git/refs/heads/main', { sha: base, force: true });
  const changed = [...after.files].filter(([path, entry]) => before.files.get(path) !== entry);
  const gone = [...before.files.keys()].filter((path) => !after.files.has(path));
  const files = [
    ...gone.map((path): ChangedFile => ({ type: 'deletion', path })),
    ...changed.map(([path, entry]) => fileOf(path, entry.slice(0, 6), everyKind.edit[path] ?? null)),
  ];
  return { facts, call, change: { base, files, skipped: [], links: [], diskFull: false }, tree: after.tree };
}

function contentOf(entry: Entry): Buffer {
  const content: Content | null =
    typeof entry === 'string' || entry instanceof Uint8Array
      ? entry
      : entry !== null && 'content' in entry
        ? entry.content
        : entry !== null && 'link' in entry
          ? entry.link
          : null;
  if (content === null) throw new Error('it has no content');
  return Buffer.from(content);
}

function fileOf(path: string, mode: string, entry: Entry): ChangedFile {
  const known = z.enum(['100644', '100755', '120000']).parse(mode);
  return { type: 'file', path, mode: known, content: contentOf(entry).toString('base64') };
}

/** Names the App in comments and check runs that it made, as GitHub does. emulate leaves it out. */
const namingApp =
  (fetch_: typeof fetch): typeof fetch =>
  async (input, init) => {
    const response = await fetch_(input, init);
    const app = JSON.stringify({ id: appId, slug: 'airlock' });
    const text = (await response.text()).replaceAll(/("(?:performed_via_github_)?app":)null/g, `$1${app}`);
    return new Response(text === '' ? null : text, response);
  };

const publicationBy = (fetch_: typeof fetch = fetch): Publication =>
  createPublication(ownProcess(addressOf(), namingApp(fetch_)));

const publish = async (input: PublishInput, fetch_?: typeof fetch): Promise<PublishResult> =>
  await publicationBy(fetch_).publish(input);

function pullRequestOf(result: PublishResult): PullRequestRef {
  if (result.kind !== 'published') throw new Error(result.reason.message);
  return result.pullRequest;
}

const commitSchema = z.object({
  commit: z.object({ message: z.string(), tree: sha, author: z.object({ name: z.string() }) }),
  parents: z.array(sha),
});
const refsSchema = z.array(z.object({ ref: z.string(), object: sha }));
const pullsSchema = z.array(
  z.looseObject({ number: z.number(), draft: z.boolean(), head: sha, body: z.string() }),
);

/** What is in the repository besides the base. */
async function found({ call, change }: Scene) {
  const [refs, pulls] = await Promise.all([
    call('GET', '/git/matching-refs/heads/airlock'),
    call('GET', '/pulls?state=all'),
  ]);
  const branches = refsSchema.parse(refs.body);
  const heads = branches.map(({ object }) => object.sha);
  const commits = await Promise.all(
    heads.map(async (head) => z.array(commitSchema).parse((await call('GET', `/commits?sha=${head}`)).body)),
  );
  return {
    branches: branches.map(({ ref }) => ref.slice('refs/heads/'.length)),
    pulls: pullsSchema.parse(pulls.body),
    /** Above the base, newest first, of each branch. */
    commits: commits.map((list) => list.slice(0, -1)),
    bases: commits.map((list) => list.at(-2)?.parents[0]?.sha === change.base),
  };
}

/** A change to the pull request of an earlier task. */
async function followUp(of: Scene): Promise<PublishInput & { readonly continues: PullRequestRef }> {
  const continues = pullRequestOf(await publish(publishInput(of.facts, of.change)));
  const file: ChangedFile = { type: 'file', path: 'edited', mode: '100644', content: btoa('three\n') };
  const change = { ...of.change, base: continues.headSha, files: [file] };
  const request = taskRequest({ taskId: 'slack-1', shortId: 'feedf00d' });
  const input = publishInput(of.facts, change, { request, baseBranch: continues.headRef });
  return { ...input, continues };
}

describe('publication to emulate', () => {
  it('opens a pull request with the tree that git makes, and saves the receipt once', async () => {
    const of = await scene('own');
    await of.call('POST', '/labels', { name: 'bot', color: 'ededed' });
    const policy = { ...closedPolicy, labels: ['bot', 'missing'], reviewers: ['mona'] };
    const remarks = ['`run` is executable.'];
    const input = publishInput(of.facts, of.change, { draft: true, remarks, policy });
    const result = await publish(input);
    const { headSha } = pullRequestOf(result);
    const there = await found(of);
    expect(there).toMatchObject({
      branches: ['airlock/fix-the-rounding-in-split-0a1b2c3d'],
      pulls: [
        {
          draft: true,
          head: { sha: headSha },
          requested_reviewers: [{ login: 'mona' }],
        },
      ],
      commits: [[{ commit: { tree: { sha: of.tree } } }]],
      bases: [true],
    });
    const publication = publicationBy();
    expect(await publication.measure(of.facts, 'test', of.change, null)).toMatchObject({
      baseFiles: Object.keys(everyKind.before).length,
      unmeasured: 0,
      patch: { complete: false },
    });
    if (result.kind !== 'published') throw new Error('it is not published');
    const check = publication.receiptCheck(input, result);
    const save = async () => await publication.saveReceiptCheck(of.facts, input.request.taskId, check);
    expect([await save(), await save()]).toEqual(['saved', 'exists']);
  });

  it('finds on a retry what the first attempt made', async () => {
    const of = await scene('retry');
    const input = publishInput(of.facts, of.change);
    const first = pullRequestOf(await publish(input));
    expect(pullRequestOf(await publish(input))).toEqual(first);
    expect(await found(of)).toMatchObject({ branches: [first.headRef], pulls: [{}], commits: [[{}]] });
  });

  it('ends in one branch with one commit if two attempts overlap', async () => {
    const of = await scene('overlap');
    const input = publishInput(of.facts, of.change);
    const results = await Promise.all([publish(input), publish(input)]);
    const heads = results.map((result) => pullRequestOf(result).headSha);
    const there = await found(of);
    expect(there).toMatchObject({
      branches: ['airlock/fix-the-rounding-in-split-0a1b2c3d'],
      commits: [[{}]],
    });
    expect(new Set([...heads, ...there.pulls.map(({ head }) => head.sha)]).size).toBe(1);
  });

  it('finishes what an attempt left that was killed after any of its calls', async () => {
    const of = await scene('killed');
    let killed = 0;
    for (let lastCall = 1; ; lastCall += 1) {
      const id = String(lastCall).padStart(8, '0');
      const request = taskRequest({ taskId: `gh-1-c${id}`, shortId: id });
      const input = publishInput(of.facts, of.change, { request });
      const dying = dyingFetch(lastCall, 'after');
      await publish(input, dying.fetch).catch(() => null);
      if (!dying.died()) break;
      await publish(input);
      killed = lastCall;
    }
    const { branches, pulls, commits } = await found(of);
    expect(killed).toBeGreaterThan(10);
    expect([branches.length, pulls.length]).toEqual([killed + 1, killed + 1]);
    expect(commits.map((list) => list.map(({ commit }) => commit.tree.sha))).toEqual(
      branches.map(() => [of.tree]),
    );
  });

  it('opens a pull request of its own after one refused call if the branch is protected', async () => {
    const of = await scene('protected');
    const input = await followUp(of);
    const rules = { required_pull_request_reviews: {}, enforce_admins: true };
    await of.call('PUT', `/branches/${input.continues.headRef}/protection`, rules);
    const refused: number[] = [];
    const result = await publish(input, async (...call) => {
      const response = await fetch(...call);
      if (!response.ok) refused.push(response.status);
      return response;
    });
    expect(pullRequestOf(result).number).toBe(input.continues.number + 1);
    expect(refused).toEqual([409]);
  });

  it('adds one commit and one comment to a pull request, also on a retry', async () => {
    const of = await scene('follow');
    const input = await followUp(of);
    const { continues } = input;
    const first = await publish(input);
    expect(first).toMatchObject({ kind: 'published', pullRequest: { number: continues.number } });
    expect(await publish(input)).toEqual(first);
    expect(await found(of)).toMatchObject({
      branches: [continues.headRef],
      pulls: [{}],
      commits: [[{}, {}]],
    });
    const comments = await of.call('GET', `/issues/${continues.number}/comments`);
    expect(comments.body).toHaveLength(1);
  });
});

const status = async (answer: ReturnType<Call>): Promise<number> => (await answer).status;
const documentOf = z.record(z.string(), z.unknown());
const pull = (head: string, base = 'main') => ({ title: 'x', head, base });

describe('emulate, unlike GitHub,', () => {
  let of: Scene;
  let first: PullRequestRef;
  beforeAll(async () => {
    of = await scene('differs');
    first = pullRequestOf(await publish(publishInput(of.facts, of.change)));
  });

  it.each<[string, string, () => Promise<unknown>, unknown]>([
    [
      'opens a second pull request from one branch',
      '422 "A pull request already exists for acme:…"',
      async () => await status(of.call('POST', '/pulls', pull(first.headRef))),
      201,
    ],
    [
      'opens a pull request without a commit, and creates its branch',
      '422 with `errors[].field` "head"',
      async () => await status(of.call('POST', '/pulls', pull('missing'))),
      201,
    ],
    [
      'counts no changed files of a pull request',
      '`changed_files` of the diff',
      async () => documentOf.parse((await of.call('GET', `/pulls/${first.number}`)).body)['changed_files'],
      0,
    ],
    [
      'does not name the App that wrote a comment',
      '`performed_via_github_app` with its id',
      async () => (await of.call('POST', `/issues/${first.number}/comments`, { body: 'x' })).body,
      expect.objectContaining({ performed_via_github_app: null }),
    ],
    [
      'does not name the App that made a check run',
      '`app` with its id',
      async () => {
        const run = { name: 'x', head_sha: first.headSha, status: 'completed', conclusion: 'neutral' };
        return (await of.call('POST', '/check-runs', run)).body;
      },
      expect.objectContaining({ app: null }),
    ],
    [
      'wants “Issues: write” for a label of a pull request',
      'or “Pull requests: write”',
      async () => {
        const call = await callerWith(of.facts, { pull_requests: 'write' });
        return await status(call('POST', `/issues/${first.number}/labels`, { labels: ['bot'] }));
      },
      403,
    ],
    [
      'does not sign a commit of an App',
      '`verification.verified` true, if author and committer are left out',
      async () => (await of.call('GET', `/git/commits/${first.headSha}`)).body,
      expect.objectContaining({ verification: expect.objectContaining({ verified: false }) }),
    ],
    [
      'lets an App without the permission write workflows',
      '403 "Resource not accessible by integration"',
      async () => {
        const entry = { path: '.github/workflows/x.yml', mode: '100644', type: 'blob', content: 'x' };
        return await status(of.call('POST', '/git/trees', { tree: [entry] }));
      },
      201,
    ],
    [
      'accepts a path that leads into .git',
      '422 "tree.path contains a malformed path component"',
      async () => {
        const entry = { path: '.git/config', mode: '100644', type: 'blob', content: 'x' };
        return await status(of.call('POST', '/git/trees', { tree: [entry] }));
      },
      201,
    ],
    [
      'answers 404 for the update of a missing branch',
      '422 "Reference does not exist"',
      async () => await status(of.call('PATCH', '/git/refs/heads/absent', { sha: first.headSha })),
      404,
    ],
    [
      'creates a branch with a name that git refuses',
      '422 "… is not a valid ref name."',
      async () => {
        const wanted = { ref: 'refs/heads/a..b', sha: first.headSha };
        return await status(of.call('POST', '/git/refs', wanted));
      },
      201,
    ],
    [
      'has its own words for an update that is no fast-forward',
      '422 "Update is not a fast forward"',
      async () => (await of.call('PATCH', `/git/refs/heads/${first.headRef}`, { sha: of.change.base })).body,
      expect.objectContaining({ message: 'Update is not a fast-forward' }),
    ],
  ])('%s (GitHub: %s)', async (_, __, ask, answer) => {
    expect(await ask()).toEqual(answer);
  });
});
