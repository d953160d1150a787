/** Final refusals, mostly by rulesets, with which the simulated GitHub judges what the publisher does. */
import { reasonText } from '../../src/core/reason.ts';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { GithubSimulator, NewRuleset, Rule } from '../../simulators/github/contract.ts';
import { refusals } from '../../simulators/github/known-refusals.ts';
import { closedPolicy } from '../../src/core/policy.ts';
import type { PublishInput } from '../../src/core/ports/publication.ts';
import { createPublication } from '../../src/publish/publisher.ts';
import {
  changeBy,
  factsOf,
  ownProcess,
  publishInput,
  simulatedGithub,
  taskRequest,
} from './simulated-github.ts';

const at = { owner: 'acme', name: 'split' };
let simulator: GithubSimulator;
let publication: ReturnType<typeof createPublication>;
let makeInput: (edit: typeof small, changes?: Partial<PublishInput>) => Promise<PublishInput>;
const ends: (() => void | Promise<void>)[] = [];

beforeAll(async () => {
  simulator = await simulatedGithub(undefined, (end) => ends.push(end));
  publication = createPublication(ownProcess(simulator));
  const repository = await simulator.createRepository({ ...at, files: { 'src/split.js': 'old\n' } });
  let tasks = 0;
  makeInput = async (edit, changes = {}) => {
    tasks += 1;
    const request = taskRequest({ taskId: `gh-1-c${tasks}`, shortId: `task${tasks}end` });
    const change = await changeBy(edit, repository.gitDir, repository.headSha);
    return publishInput(factsOf(repository), change, { request, ...changes });
  };
});
afterAll(async () => {
  for (const end of ends.toReversed()) await end();
});

const small = (directory: string): void => writeFileSync(join(directory, 'src/split.js'), 'new\n');
const other = (directory: string): void => writeFileSync(join(directory, 'src/other.js'), 'new\n');
const large = (directory: string): void =>
  writeFileSync(join(directory, 'src/split.js'), 'x'.repeat(1_100_000));

const checks = (lenient: boolean, ...contexts: readonly string[]): Rule => ({
  type: 'required_status_checks',
  parameters: {
    required_status_checks: contexts.map((context) => ({ context })),
    strict_required_status_checks_policy: true,
    do_not_enforce_on_create: lenient,
  },
});
type Pattern = 'branch_name' | 'commit_message' | 'commit_author_email' | 'committer_email';
const pattern = (
  of: Pattern,
  operator: 'starts_with' | 'contains' | 'regex',
  text: string,
  negate = false,
): Rule => ({ type: `${of}_pattern`, parameters: { operator, pattern: text, negate } });
const unsigned = { ...closedPolicy.commit, author: { name: 'Acme Bot', email: 'bot@acme.example' } };

interface Refused {
  readonly rules: Rule[];
  readonly code: string;
  /** A part of the reason: what to do, or GitHub's words. */
  readonly says: string;
  readonly ruleset?: Partial<NewRuleset>;
  readonly edit?: typeof small;
  readonly policy?: Partial<PublishInput['policy']>;
}
const refused: Record<string, Refused> = {
  'no new branches': {
    rules: [{ type: 'creation' }],
    code: 'ruleset-creation',
    says: 'set another `branchPrefix`',
  },
  'another name': {
    rules: [pattern('branch_name', 'regex', '^(feature|fix)/')],
    code: 'ruleset-name',
    says: 'Branch name must match a given regex pattern: ^(feature|fix)/',
  },
  'another message': {
    rules: [pattern('commit_message', 'regex', String.raw`^[A-Z]+-\d+: `)],
    code: 'ruleset-message',
    says: 'Commit message must match a given regex pattern',
  },
  'another author': {
    rules: [pattern('commit_author_email', 'contains', '@acme.example')],
    code: 'ruleset-email',
    says: 'or set `commit.author`',
  },
  'another committer': {
    rules: [pattern('committer_email', 'contains', 'noreply@github.com', true)],
    code: 'ruleset-email',
    says: 'Committer email must not contain noreply@github.com',
  },
  'signatures, of a configured author': {
    rules: [{ type: 'required_signatures' }],
    policy: { commit: unsigned },
    code: 'ruleset-signatures',
    says: 'Remove that key',
  },
  'other paths': {
    rules: [{ type: 'file_path_restriction', parameters: { restricted_file_paths: ['src/**/*'] } }],
    code: 'ruleset-files',
    says: 'File path is restricted. Found 1 violation: src/split.js',
  },
  'other extensions': {
    rules: [{ type: 'file_extension_restriction', parameters: { restricted_file_extensions: ['*.js'] } }],
    code: 'ruleset-files',
    says: 'File extension is restricted',
  },
  'shorter paths': {
    rules: [{ type: 'max_file_path_length', parameters: { max_file_path_length: 8 } }],
    code: 'ruleset-files',
    says: 'File path length exceeds the limit',
  },
  'smaller files': {
    rules: [{ type: 'max_file_size', parameters: { max_file_size: 1 } }],
    edit: large,
    code: 'ruleset-files',
    says: 'ask for a change without that file',
  },
  'a passed check': {
    rules: [checks(false, 'ci')],
    code: 'branch-protected',
    says: 'Required status check "ci" is expected.',
  },
  'two passed checks': {
    rules: [checks(false, 'ci', 'lint')],
    code: 'branch-protected',
    says: 'Do not require status checks on creation',
  },
  'two things at once': {
    rules: [{ type: 'creation' }, pattern('commit_message', 'contains', 'Ticket:')],
    code: 'ruleset-creation',
    says: 'creations being restricted. Commit message must contain Ticket:',
  },
  'classic protection': {
    rules: [checks(false, 'ci')],
    ruleset: { classic: true },
    code: 'branch-protected',
    says: 'names no rule. ',
  },
};

it.each(Object.entries(refused))('a ruleset that demands %s ends publication at once', async (_, row) => {
  const { rules, code, says, ruleset, edit = small, policy } = row;
  const input = await makeInput(edit, { policy: { ...closedPolicy, ...policy } });
  const { id } = simulator.addRuleset({ ...at, rules, ...ruleset });
  const before = simulator.requests().length;
  const result = await publication.publish(input);
  if (result.kind !== 'rejected') throw new Error(result.kind);
  expect(result.reason.code).toBe(code);
  expect(reasonText(result.reason)).toContain(says);
  const calls = simulator.requests().slice(before);
  expect(calls.filter(({ status }) => status === 422)).toHaveLength(1);
  const ours = async () =>
    (await simulator.branches(at)).filter(({ name }) => name.endsWith(input.request.shortId));
  expect(await ours()).toEqual([]);
  // What `retry` does once somebody has followed the remedy.
  simulator.removeRuleset({ ...at, id });
  expect(await publication.publish(input)).toMatchObject({ kind: 'published' });
  expect(await ours()).toHaveLength(1);
});

it.each([
  ['POST', /\/git\/trees$/, refusals.archived, 'repository-archived'],
  ['POST', /\/access_tokens$/, refusals.suspended, 'installation-suspended'],
  ['GET', /\/pulls$/, refusals.noPullRequests, 'pull-requests-unavailable'],
  ['POST', /\/pulls$/, refusals.interactionLimit, 'interaction-limit'],
])(
  'a refusal of %s %s (%o) is final after one call, with the reason %s',
  async (method, path, refusal, code) => {
    const input = await makeInput(small);
    // A second call would succeed.
    simulator.failNext({ method, path, ...refusal });
    expect(await publication.publish(input)).toMatchObject({ kind: 'rejected', reason: { code } });
    expect(await publication.publish(input)).toMatchObject({ kind: 'published' });
  },
);

it('a repository with every rule that Airlock meets gets its pull request', async () => {
  const rules: Rule[] = [
    { type: 'update' },
    { type: 'deletion' },
    { type: 'non_fast_forward' },
    { type: 'pull_request' },
    { type: 'merge_queue' },
    { type: 'required_linear_history' },
    { type: 'required_signatures' },
    checks(true, 'ci'),
    pattern('branch_name', 'starts_with', 'airlock/'),
    pattern('commit_message', 'contains', 'Airlock-Task: '),
    pattern('commit_author_email', 'regex', String.raw`\[bot\]@users\.noreply\.github\.com$`),
    { type: 'file_path_restriction', parameters: { restricted_file_paths: ['infra/**/*', 'src'] } },
    { type: 'file_extension_restriction', parameters: { restricted_file_extensions: ['*.exe'] } },
    { type: 'max_file_path_length', parameters: { max_file_path_length: 200 } },
    { type: 'max_file_size', parameters: { max_file_size: 10 } },
  ];
  const { id } = simulator.addRuleset({ ...at, rules });
  expect(await publication.publish(await makeInput(small))).toMatchObject({ kind: 'published' });
  simulator.removeRuleset({ ...at, id });
});

it.each<[Rule['type'], Rule, string, string]>([
  ['update', { type: 'update' }, 'branch-protected', 'it is locked, or only certain people'],
  ['pull_request', { type: 'pull_request' }, 'branch-protected', 'only through a pull request onto it'],
  ['merge_queue', { type: 'merge_queue' }, 'branch-protected', 'only from its merge queue'],
  ['required_status_checks', checks(true, 'ci'), 'branch-protected', 'demands passed checks'],
  ['commit_message_pattern', pattern('commit_message', 'contains', 'Ticket:'), 'ruleset-message', 'Ticket:'],
])('a pull request whose head has the rule %s gets the reason and the patch', async (_, rule, code, says) => {
  const first = await publication.publish(await makeInput(small));
  if (first.kind !== 'published') throw new Error(first.reason.message);
  const { pullRequest } = first;
  const own = await makeInput(other);
  const place = { author: 'mona', baseBranch: 'main', baseSha: own.change.base, fork: false };
  const input = {
    ...own,
    change: { ...own.change, base: pullRequest.headSha },
    continues: pullRequest,
    pull: { ...pullRequest, ...place },
  };
  const { id } = simulator.addRuleset({
    ...at,
    rules: [rule],
    include: [`refs/heads/${pullRequest.headRef}`],
  });
  const before = simulator.requests().length;
  const result = await publication.publish(input);
  expect(result).toMatchObject({
    kind: 'unwritten',
    reason: {
      code,
      message: expect.stringMatching(new RegExp(`^No commit was added.*${says}`)),
      next: expect.stringMatching(/Or apply the patch\.$/),
    },
  });
  expect(
    simulator
      .requests()
      .slice(before)
      .filter(({ method }) => method === 'PATCH'),
  ).toHaveLength(1);
  simulator.removeRuleset({ ...at, id });
  expect(await publication.publish(input)).toMatchObject({ kind: 'published', added: expect.any(String) });
});

it('a branch without merge commits gets no merge, and the reason at once', async () => {
  const named = { ...at, author: 'mona', base: 'main', branch: 'linear', title: 'Linear' };
  const { number, headSha } = await simulator.openPull({ ...named, files: { 'other.txt': 'other\n' } });
  const { sha: baseSha } = await simulator.moveBranch({
    ...at,
    branch: 'main',
    files: { 'main.txt': 'main\n' },
  });
  const { facts, request, policy } = await makeInput(small);
  const place = { number, title: 'Linear', url: 'https://github.test/1', draft: false, author: 'mona' };
  const pull = { ...place, baseBranch: 'main', baseSha, headRef: 'linear', headSha, fork: false };
  const { id } = simulator.addRuleset({ ...at, rules: [{ type: 'required_linear_history' }] });
  const merging = async () => await publication.mergeCleanly({ facts, request, policy, pull });
  expect(await merging()).toMatchObject({
    kind: 'rejected',
    reason: { code: 'ruleset-history', next: expect.stringContaining('rebase the branch by hand') },
  });
  simulator.removeRuleset({ ...at, id });
  expect(await merging()).toMatchObject({ kind: 'merged' });
});
