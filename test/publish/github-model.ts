/**
 * A model of one repository on GitHub: what publication asks, as a pure function from state and call to state
 * and answer. Files are in the root only. `interleavings.test.ts` compares it with the simulator.
 */
import { createHash } from 'node:crypto';
import * as z from 'zod';

export interface Call {
  /** Who calls. Makes the ids of commits differ, as their signatures do. */
  readonly by: string;
  readonly method: string;
  /** Below the repository, decoded. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
}
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

interface File {
  readonly mode: string;
  readonly sha: string;
}
export type Tree = Readonly<Record<string, File>>;
interface Commit {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
}
interface Pull {
  readonly number: number;
  readonly head: string;
  readonly base: string;
  /** Follows the branch while the pull request is open. */
  readonly headSha: string;
  readonly baseSha: string;
  readonly state: 'open' | 'closed';
  readonly merged: boolean;
  readonly title: string;
  readonly body: string;
}
interface Comment {
  readonly id: number;
  readonly issue: number;
  readonly body: string;
}
export interface Model {
  readonly trees: Readonly<Record<string, Tree>>;
  readonly commits: Readonly<Record<string, Commit>>;
  readonly refs: Readonly<Record<string, string>>;
  readonly pulls: readonly Pull[];
  readonly comments: readonly Comment[];
  readonly lastComment: number;
}

export const emptyModel: Model = {
  trees: {},
  commits: {},
  refs: {},
  pulls: [],
  comments: [],
  lastComment: 0,
};
export const appId = 4242;
export const repositoryId = 77;
const at = '2026-11-20T10:00:00Z';

const idOf = (kind: string, value: unknown): string =>
  createHash('sha1')
    .update(`${kind} ${JSON.stringify(value)}`)
    .digest('hex');

type Changed = readonly [Model, Answer];
const ok = (model: Model, body: unknown, status = 200): Changed => [model, { status, body }];
const refused = (model: Model, status: number, message: string, ...errors: object[]): Changed => [
  model,
  { status, body: { message, ...(errors.length === 0 ? {} : { errors }) } },
];
const invalidPull = (model: Model, error: object): Changed =>
  refused(model, 422, 'Validation Failed', { resource: 'PullRequest', ...error });

export function withTree(model: Model, tree: Tree): readonly [Model, string] {
  const sorted = Object.fromEntries(Object.entries(tree).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const sha = idOf('tree', sorted);
  return [{ ...model, trees: { ...model.trees, [sha]: sorted } }, sha];
}

export const inBase64 = (text: string): string => Buffer.from(text).toString('base64');
export const blobId = (base64: string): string => idOf('blob', base64);
export const textId = (text: string): string => blobId(inBase64(text));

/** As somebody pushes it: `files` is what changes, null deletes. */
export function pushed(
  model: Model,
  by: string,
  branch: string,
  files: Readonly<Record<string, string | null>>,
): Model {
  const parent = model.refs[branch];
  const before = parent === undefined ? {} : treeOf(model, parent);
  const after = new Map(Object.entries(before));
  for (const [path, text] of Object.entries(files))
    if (text === null) after.delete(path);
    else after.set(path, { mode: '100644', sha: textId(text) });
  const [withFiles, tree] = withTree(model, Object.fromEntries(after));
  const commit = { tree, parents: parent === undefined ? [] : [parent], message: `Push by ${by}` };
  const [committed, sha] = withCommit(withFiles, by, commit);
  return moved(committed, branch, sha);
}

/** The same person's second commit of the same content has another id, too. */
function withCommit(model: Model, by: string, commit: Commit): readonly [Model, string] {
  for (let copy = 0; ; copy += 1) {
    const sha = idOf('commit', [by, copy, commit]);
    if (model.commits[sha] !== undefined) continue;
    return [{ ...model, commits: { ...model.commits, [sha]: commit } }, sha];
  }
}

function moved(model: Model, branch: string, sha: string): Model {
  const pulls = model.pulls.map((pull) =>
    pull.state === 'open' && pull.head === branch ? { ...pull, headSha: sha } : pull,
  );
  return { ...model, refs: { ...model.refs, [branch]: sha }, pulls };
}

/** GitHub closes the pull requests of a branch that is deleted. */
export function withoutBranch(model: Model, branch: string): Model {
  const { [branch]: _, ...refs } = model.refs;
  return { ...model, refs, pulls: closed(model, branch, false) };
}

function closed(model: Model, branch: string, merged: boolean): readonly Pull[] {
  return model.pulls.map((pull) =>
    pull.state === 'open' && pull.head === branch ? { ...pull, state: 'closed', merged } : pull,
  );
}

/** A person squashes the pull request of a branch, and GitHub deletes the branch. */
export function squashed(model: Model, branch: string): Model {
  const head = model.refs[branch];
  const pull = model.pulls.find((one) => one.state === 'open' && one.head === branch);
  if (head === undefined || pull === undefined) return model;
  const commit = {
    tree: commitOf(model, head).tree,
    parents: [model.refs[pull.base] ?? ''],
    message: pull.title,
  };
  const [committed, sha] = withCommit(model, 'merger', commit);
  const after = moved({ ...committed, pulls: closed(model, branch, true) }, pull.base, sha);
  return withoutBranch(after, branch);
}

export function openedPull(model: Model, pull: Pick<Pull, 'head' | 'base' | 'title' | 'body'>): Model {
  const opened: Pull = {
    ...pull,
    number: model.pulls.length + 1,
    headSha: model.refs[pull.head] ?? '',
    baseSha: model.refs[pull.base] ?? '',
    state: 'open',
    merged: false,
  };
  return { ...model, pulls: [...model.pulls, opened] };
}

function commitOf(model: Model, sha: string): Commit {
  const found = model.commits[sha];
  if (found === undefined) throw new Error(`the model has no commit ${sha}`);
  return found;
}
const treeOf = (model: Model, sha: string): Tree =>
  model.trees[model.commits[sha]?.tree ?? sha] ?? missing(`tree ${sha}`);
function missing(what: string): never {
  throw new Error(`the model has no ${what}`);
}

/** The commit and what is below it, newest first. */
export function history(model: Model, sha: string): readonly string[] {
  const found = new Set<string>();
  const add = (one: string): void => {
    if (found.has(one)) return;
    found.add(one);
    commitOf(model, one).parents.forEach(add);
  };
  add(sha);
  return [...found];
}

/** Null if both changed the same file. */
function mergedTree(model: Model, ours: string, theirs: string): Tree | null {
  const below = new Set(history(model, theirs));
  const ancestor = history(model, ours).find((sha) => below.has(sha)) ?? missing('common commit');
  const [base, mine, other] = [ancestor, ours, theirs].map((sha) => treeOf(model, sha));
  const merged = new Map(Object.entries(mine ?? {}));
  for (const path of new Set([...Object.keys(base ?? {}), ...Object.keys(other ?? {})])) {
    const [before, now] = [base?.[path], other?.[path]];
    if (before?.sha === now?.sha) continue;
    if (mine?.[path]?.sha !== before?.sha) return null;
    if (now === undefined) merged.delete(path);
    else merged.set(path, now);
  }
  return Object.fromEntries(merged);
}

const pullDocument = (pull: Pull) => ({
  number: pull.number,
  title: pull.title,
  body: pull.body,
  state: pull.state,
  draft: false,
  locked: false,
  auto_merge: null,
  html_url: `https://github.test/acme/split/pull/${pull.number}`,
  created_at: at,
  updated_at: at,
  merged_at: pull.merged ? at : null,
  head: { ref: pull.head, sha: pull.headSha, repo: { id: repositoryId } },
  base: { ref: pull.base, sha: pull.baseSha },
  user: { login: 'airlock[bot]' },
  requested_reviewers: [],
});
const commentDocument = ({ id, body }: Comment) => ({
  id,
  body,
  user: { login: 'airlock[bot]', type: 'Bot' },
  created_at: at,
  updated_at: at,
  performed_via_github_app: { id: appId },
});

const blobSchema = z.object({ content: z.string(), encoding: z.literal('base64') });
const treeSchema = z.object({
  base_tree: z.string(),
  tree: z.array(
    z.object({
      path: z.string(),
      mode: z.string(),
      sha: z.string().nullish(),
      content: z.string().optional(),
    }),
  ),
});
const commitSchema = z.object({ message: z.string(), tree: z.string(), parents: z.array(z.string()) });
const refSchema = z.object({ ref: z.string(), sha: z.string() });
const moveSchema = z.object({ sha: z.string(), force: z.literal(false) });
const pullSchema = z.object({ title: z.string(), body: z.string(), head: z.string(), base: z.string() });
const mergeSchema = z.object({ base: z.string(), head: z.string(), commit_message: z.string() });
const bodySchema = z.object({ body: z.string() });

type Route = (model: Model, call: Call, ...names: string[]) => Changed;
/** Method and path; `*` takes the rest of the path. What no route answers is a mistake of the model. */
const routes: readonly (readonly [string, Route])[] = [
  ['POST git/blobs', (model, { body }) => ok(model, { sha: blobId(blobSchema.parse(body).content) }, 201)],
  [
    'POST git/trees',
    (model, { body }) => {
      const { base_tree: base, tree } = treeSchema.parse(body);
      const after = new Map(Object.entries(treeOf(model, base)));
      for (const { path, mode, sha, content } of tree) {
        const blob = content === undefined ? sha : textId(content);
        if (blob != null) after.set(path, { mode, sha: blob });
        else if (!after.delete(path)) return refused(model, 422, 'GitRPC::BadObjectState');
      }
      const [next, sha] = withTree(model, Object.fromEntries(after));
      return ok(next, { sha }, 201);
    },
  ],
  [
    'GET git/trees/*',
    (model, _, sha = '') => {
      const tree = Object.entries(treeOf(model, sha)).map(([path, file]) => ({
        path,
        type: 'blob',
        ...file,
      }));
      return ok(model, { truncated: false, tree });
    },
  ],
  [
    'POST git/commits',
    (model, { by, body }) => {
      const [next, sha] = withCommit(model, by, commitSchema.parse(body));
      return ok(next, { sha }, 201);
    },
  ],
  ['GET git/commits/*', (model, _, sha = '') => ok(model, { sha, tree: { sha: commitOf(model, sha).tree } })],
  [
    'GET commits',
    (model, { query }) =>
      ok(
        model,
        history(model, query['sha'] ?? '').map((sha) => ({
          sha,
          commit: { message: commitOf(model, sha).message, tree: { sha: commitOf(model, sha).tree } },
          parents: commitOf(model, sha).parents.map((parent) => ({ sha: parent })),
        })),
      ),
  ],
  [
    'GET git/ref/heads/*',
    (model, _, branch = '') => {
      const sha = model.refs[branch];
      return sha === undefined ? refused(model, 404, 'Not Found') : ok(model, { object: { sha } });
    },
  ],
  [
    'POST git/refs',
    (model, { body }) => {
      const { ref, sha } = refSchema.parse(body);
      const branch = ref.slice('refs/heads/'.length);
      if (model.refs[branch] !== undefined) return refused(model, 422, 'Reference already exists');
      return ok(moved(model, branch, sha), { ref, object: { sha } }, 201);
    },
  ],
  [
    'PATCH git/refs/heads/*',
    (model, { body }, branch = '') => {
      const { sha } = moveSchema.parse(body);
      const current = model.refs[branch];
      if (current === undefined) return refused(model, 422, 'Reference does not exist');
      if (!history(model, sha).includes(current)) return refused(model, 422, 'Update is not a fast forward');
      return ok(moved(model, branch, sha), { object: { sha } });
    },
  ],
  [
    'DELETE git/refs/heads/*',
    (model, _, branch = '') =>
      model.refs[branch] === undefined
        ? refused(model, 422, 'Reference does not exist')
        : ok(withoutBranch(model, branch), null, 204),
  ],
  [
    'POST merges',
    (model, { by, body }) => {
      const { base, head, commit_message: message } = mergeSchema.parse(body);
      const ours = model.refs[base];
      if (ours === undefined) return refused(model, 404, 'Base does not exist');
      if (history(model, ours).includes(head)) return ok(model, null, 204);
      const tree = mergedTree(model, ours, head);
      if (tree === null) return refused(model, 409, 'Merge conflict');
      const [withFiles, treeSha] = withTree(model, tree);
      const [committed, sha] = withCommit(withFiles, by, { tree: treeSha, parents: [ours, head], message });
      return ok(moved(committed, base, sha), { sha }, 201);
    },
  ],
  [
    'GET pulls',
    (model, { query }) => {
      const found = model.pulls.filter(
        ({ head, state }) =>
          query['head'] === `acme:${head}` && (query['state'] === 'all' || state === 'open'),
      );
      return ok(model, found.toReversed().map(pullDocument));
    },
  ],
  [
    'GET pulls/*',
    (model, _, number = '') => ok(model, pullDocument(model.pulls[Number(number) - 1] ?? missing('pull'))),
  ],
  [
    'POST pulls',
    (model, { body }) => {
      const wanted = pullSchema.parse(body);
      const { head, base } = wanted;
      const [headSha, baseSha] = [model.refs[head], model.refs[base]];
      if (headSha === undefined || baseSha === undefined)
        return invalidPull(model, { code: 'invalid', field: headSha === undefined ? 'head' : 'base' });
      if (history(model, baseSha).includes(headSha))
        return invalidPull(model, { code: 'custom', message: `No commits between ${base} and ${head}` });
      if (model.pulls.some((one) => one.state === 'open' && one.head === head && one.base === base)) {
        const message = `A pull request already exists for acme:${head}.`;
        return invalidPull(model, { code: 'custom', message });
      }
      const next = openedPull(model, wanted);
      return ok(next, pullDocument(next.pulls.at(-1) ?? missing('pull')), 201);
    },
  ],
  [
    'GET issues/*/comments',
    (model, _, issue = '') =>
      ok(model, model.comments.filter((one) => one.issue === Number(issue)).map(commentDocument)),
  ],
  [
    'POST issues/*/comments',
    (model, { body }, issue = '') => {
      const id = model.lastComment + 1;
      const comment = { id, issue: Number(issue), body: bodySchema.parse(body).body };
      const next = { ...model, comments: [...model.comments, comment], lastComment: id };
      return ok(next, commentDocument(comment), 201);
    },
  ],
  [
    'PATCH issues/comments/*',
    (model, call, id = '') => {
      const { body } = bodySchema.parse(call.body);
      if (!model.comments.some((one) => one.id === Number(id))) return refused(model, 404, 'Not Found');
      const comments = model.comments.map((one) => (one.id === Number(id) ? { ...one, body } : one));
      return ok({ ...model, comments }, { id: Number(id), body });
    },
  ],
  [
    'DELETE issues/comments/*',
    (model, _, id = '') => {
      const comments = model.comments.filter((one) => one.id !== Number(id));
      if (comments.length === model.comments.length) return refused(model, 404, 'Not Found');
      return ok({ ...model, comments }, null, 204);
    },
  ],
];
const patterns = routes.map(([name, route]) => {
  const pattern = new RegExp(`^${name.replaceAll(/[.+]/g, '\\$&').replaceAll('*', '(.+)')}$`);
  return { pattern, route };
});

export function answer(model: Model, call: Call): Changed {
  const name = `${call.method} ${call.path}`;
  for (const { pattern, route } of patterns) {
    const found = pattern.exec(name);
    if (found !== null) return route(model, call, ...found.slice(1));
  }
  throw new Error(`the model does not know ${name}`);
}
