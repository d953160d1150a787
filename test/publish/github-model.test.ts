/**
 * The model of GitHub answers as the simulated GitHub does, which keeps git's objects: the same calls of
 * overlapping attempts go to both, in an order that a seed chooses, with a crash and with what people do.
 */
import { expect, it } from 'vitest';
import * as z from 'zod';
import type { Publication } from '../../src/core/ports/publication.ts';
import { closedPolicy } from '../../src/core/policy.ts';
import { apiVersionHeader } from '../../src/github/client.ts';
import { purposes } from '../../src/github/app-auth.ts';
import { createPublication } from '../../src/publish/publisher.ts';
import { git } from '../container/sandbox-scripts.ts';
import { Names, Run, settled } from './explore-orders.ts';
import {
  answer,
  emptyModel,
  openedPull,
  pushed,
  type Answer,
  type Call,
  type Model,
  withoutBranch,
} from './github-model.ts';
import { factsOf, ownProcess, publishInput, simulatedGithub, taskRequest } from './simulated-github.ts';

/** What both sides name in their own ways: objects of git by hash, comments by number. */
class Ids {
  private readonly modelled = new Map<string, string>();
  /** Returns whether each still has one name. */
  bind(real: string, modelled: string): boolean {
    const known = this.modelled.get(real) ?? modelled;
    this.modelled.set(real, modelled);
    return known === modelled && new Set(this.modelled.values()).size === this.modelled.size;
  }
  /** As the model names things. */
  translate(text: string): string {
    return text.replaceAll(/[0-9a-f]{40}|(?<=comments\/)\d+/g, (id) => this.modelled.get(id) ?? id);
  }
}

const callSchema = z.object({
  by: z.string(),
  method: z.string(),
  path: z.string(),
  query: z.record(z.string(), z.string()),
  body: z.unknown(),
});
function translated(ids: Ids, call: Call): Call {
  return callSchema.parse(JSON.parse(ids.translate(JSON.stringify(call))));
}

/** What the model leaves out, or makes up. */
const unnamed = /\.(?:html_url|created_at|updated_at|merged_at|repo|user|performed_via_github_app)$/;
const madeUp = /^(?:Push by |Validation Failed$)/;

const commitsSchema = z.array(z.object({ sha: z.string(), commit: z.object({ message: z.string() }) }));
/** The order of both sides of a merge does not matter. */
function sameCommits(ids: Ids, modelled: unknown, real: unknown): boolean {
  const [one, other] = [modelled, JSON.parse(ids.translate(JSON.stringify(real)))].map((list) =>
    commitsSchema
      .parse(list)
      .map(({ sha, commit }) => [sha, madeUp.test(commit.message) ? '' : commit.message]),
  );
  const messages = new Map(other?.map(([sha = '', message = '']) => [sha, message]));
  return (
    one?.every(([sha = '', message]) => messages.has(sha) && ['', messages.get(sha)].includes(message)) ===
    true
  );
}

/** Where GitHub's answer does not have what the model's has. */
function differences(ids: Ids, modelled: unknown, real: unknown, at: string): readonly string[] {
  if (unnamed.test(at)) return [];
  const differs = [`${at}: ${JSON.stringify(modelled)} of the model, ${JSON.stringify(real)} of GitHub`];
  if (typeof modelled === 'object' && modelled !== null) {
    if (typeof real !== 'object' || real === null) return differs;
    if (Array.isArray(modelled) && (!Array.isArray(real) || real.length !== modelled.length)) return differs;
    if (at === 'GET commits.body') return sameCommits(ids, modelled, real) ? [] : differs;
    return Object.entries(modelled).flatMap(([key, value]) =>
      differences(ids, value, Reflect.get(real, key), `${at}.${key}`),
    );
  }
  if (at.endsWith('.id') || (typeof modelled === 'string' && /^[0-9a-f]{40}$/.test(modelled)))
    return ids.bind(String(real), String(modelled)) ? [] : differs;
  if (typeof modelled !== 'string' || typeof real !== 'string') return modelled === real ? [] : differs;
  return madeUp.test(modelled) || ids.translate(real) === modelled ? [] : differs;
}

/** Numbers from 0 to 1, the same for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const files = { 'a.txt': 'old\n', 'b.txt': 'old\n' };
const ours = (base: string) => ({
  base,
  skipped: [],
  links: [],
  diskFull: false,
  files: [
    { type: 'file', path: 'a.txt', mode: '100644', content: btoa('ours\n') },
    { type: 'deletion', path: 'b.txt' },
    { type: 'file', path: 'c.bin', mode: '100644', content: 'AAA=' },
  ] as const,
});

const at = { owner: 'acme', name: 'split' };
const own = 'airlock/fix-the-rounding-in-split-0a1b2c3d';

it.each([
  ['publish', 1],
  ['publish where the name is taken', 2],
  ['add a commit', 3],
  ['add a commit where a person pushes', 4],
  ['have GitHub merge', 5],
  ['publish where a person deletes the branch', 6],
])('answers as the simulated GitHub to attempts that %s', async (what, seed) => {
  const next = random(seed);
  const simulator = await simulatedGithub();
  const repository = await simulator.createRepository({ ...at, files });
  const facts = factsOf(repository);
  const ids = new Ids();
  let model: Model = pushed(emptyModel, 'acme', 'main', files);
  const base = repository.headSha;
  ids.bind(base, model.refs['main'] ?? '');

  const theirs = { 'e.txt': 'theirs\n' };
  const wanted = { branch: 'feature', base: 'main', title: 'Theirs', body: '', files: theirs };
  const pull = await simulator.openPull({ ...at, ...wanted, author: 'mona' });
  const onFeature = { ...model, refs: { ...model.refs, feature: model.refs['main'] ?? '' } };
  model = pushed(onFeature, 'mona', 'feature', theirs);
  model = openedPull(model, { head: 'feature', base: 'main', title: 'Theirs', body: '' });
  ids.bind(pull.headSha, model.refs['feature'] ?? '');
  const push = async (branch: string, more: Record<string, string>): Promise<string> => {
    const { sha } = await simulator.moveBranch({ ...at, branch, files: more });
    model = pushed(model, 'mona', branch, more);
    ids.bind(sha, model.refs[branch] ?? '');
    return sha;
  };
  if (what.includes('taken')) {
    git(repository.gitDir, 'branch', own, 'main');
    model = { ...model, refs: { ...model.refs, [own]: model.refs['main'] ?? '' } };
  }
  const continues = {
    number: pull.number,
    title: 'Theirs',
    url: 'https://github.test/1',
    draft: false,
    headRef: 'feature',
    headSha: pull.headSha,
  };
  const baseSha = what.includes('merge') ? await push('main', { 'd.txt': 'new\n' }) : base;
  const input = what.includes('add a commit')
    ? { ...publishInput(facts, ours(pull.headSha)), baseBranch: 'feature', continues }
    : publishInput(facts, ours(base));
  const place = { ...continues, author: 'mona', baseBranch: 'main', baseSha, fork: false };
  const merging = { facts, request: taskRequest(), policy: closedPolicy, pull: place };
  const run = async (publication: Publication): Promise<unknown> =>
    what.includes('merge') ? await publication.mergeCleanly(merging) : await publication.publish(input);

  const on = ownProcess(simulator);
  const scope = { ...facts, taskId: input.request.taskId, permissions: purposes.publish };
  const token = await on.tokens.tokenFor(scope);
  const names = new Names();
  const started = (name: string) =>
    new Run(name, async (fetch_) => await run(createPublication({ ...on, fetch: fetch_ })), names);
  const asked = async ({ method, path, query, body }: Call): Promise<Answer> => {
    const url = `${simulator.apiUrl}/repos/acme/split/${path}?${new URLSearchParams(query).toString()}`;
    const headers = { authorization: `Bearer ${token}`, ...apiVersionHeader };
    const given = await fetch(url, { method, headers, body: body === null ? null : JSON.stringify(body) });
    const text = await given.text();
    const parsed: unknown = text === '' ? null : JSON.parse(text);
    return { status: given.status, body: parsed };
  };

  let calls = 0;
  const runs = new Map(['one', 'other'].map((name) => [name, started(name)]));
  const ends: unknown[] = [];
  while (runs.size > 0) {
    await settled();
    const [name, running] = [...runs][Math.floor(next() * runs.size)] ?? ['', started('')];
    const held = [...running.held];
    const [chosen] = held.slice(Math.floor(next() * held.length));
    if (running.end !== null) ends.push(running.end);
    // The first of two crashes after some calls, and a later one begins.
    const crashes = calls === 9 && runs.size === 2 && !runs.has('later');
    if (running.end !== null || crashes) runs.delete(name);
    if (crashes) runs.set('later', started('later'));
    if (chosen === undefined || !runs.has(name)) continue;
    calls += 1;
    if (calls === 8 && what.includes('pushes')) await push('feature', { 'f.txt': 'more\n' });
    if (what.includes('deletes') && model.pulls.some((one) => one.head === own && one.state === 'open')) {
      git(repository.gitDir, 'branch', '--quiet', '-D', own);
      // The simulator closes the pull request when it looks.
      await simulator.pulls(at);
      model = withoutBranch(model, own);
    }
    const [id, call] = chosen;
    const real = await asked(call);
    const [changed, modelled] = answer(model, translated(ids, { ...call, by: name }));
    model = changed;
    expect(differences(ids, modelled, real, `${call.method} ${call.path}`)).toEqual([]);
    await running.give({ call: id, answer: real });
  }
  expect(ends.length).toBeGreaterThan(0);
  expect(new Set(ends.map((one) => JSON.stringify(one))).size).toBe(1);
  const branches = (await simulator.branches(at)).map((one) => [one.name, ids.translate(one.sha)]);
  expect(Object.fromEntries(branches)).toEqual(model.refs);
  const pulls = await simulator.pulls(at);
  expect(pulls.map((one) => [one.headRef, one.state])).toEqual(
    model.pulls.map((one) => [one.head, one.state]),
  );
  expect(simulator.comments({ ...at, issue: pull.number })).toHaveLength(model.comments.length);
});
