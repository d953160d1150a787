import { expect, it } from 'vitest';
import { judgeRules, ruleSchema, type RulePlace } from './judge-rules.ts';

const place: RulePlace = {
  branch: 'airlock/change-0a1b2c3d',
  commit: { signOff: null, author: null },
  slug: 'airlock',
};
const author = { name: 'Acme Bot', email: 'bot@acme.example' };
const withAuthor = { ...place, commit: { signOff: null, author } };
const branchName = 'branch_name_pattern';
const authorEmail = 'commit_author_email_pattern';

/** Type and parameters of a rule, what it refuses, and a part of the words. */
it.each<[string, object, 'all' | 'some' | null, string?, RulePlace?]>([
  ['creation', {}, 'all', 'does not let the App create `airlock/change-0a1b2c3d`'],
  ['update', {}, 'some', 'a second round gets a patch'],
  ['pull_request', { required_approving_review_count: 1 }, 'some', 'a second round'],
  ['merge_queue', {}, 'some', 'a second round'],
  ['required_linear_history', {}, 'some', '“resolve the conflicts” is refused'],
  ['deletion', {}, null],
  ['non_fast_forward', {}, null],
  ['required_signatures', {}, null],
  ['required_signatures', {}, 'all', '`commit.author`', withAuthor],
  ['required_status_checks', { do_not_enforce_on_create: false }, 'all', 'passed checks before'],
  ['required_status_checks', { do_not_enforce_on_create: true }, null],
  ['workflows', {}, 'all', 'passed checks before'],
  [branchName, { operator: 'starts_with', pattern: 'airlock/' }, null],
  [branchName, { operator: 'starts_with', pattern: 'fix/' }, 'all', 'it must start with `fix/`'],
  [branchName, { operator: 'starts_with', pattern: 'fix/', negate: true }, null],
  [branchName, { operator: 'contains', pattern: 'airlock', negate: true }, 'all', 'it must not contain'],
  [branchName, { operator: 'regex', pattern: '^(airlock|fix)/' }, null],
  [branchName, { operator: 'regex', pattern: '^(feature|fix)/' }, 'all', 'match `^(feature|fix)/`'],
  [branchName, { operator: 'regex', pattern: '^(a+)+$' }, 'some', 'may refuse the branch name'],
  [branchName, { operator: 'regex', pattern: '.*.*.*.*x' }, 'some', 'may refuse the branch name'],
  [branchName, { operator: 'regex', pattern: '(' }, 'some', 'may refuse the branch name'],
  [branchName, {}, 'some', 'may refuse the branch name'],
  [authorEmail, { operator: 'ends_with', pattern: '@users.noreply.github.com' }, null],
  [authorEmail, { operator: 'ends_with', pattern: '@acme.example' }, 'all', 'the author’s e-mail'],
  [authorEmail, { operator: 'ends_with', pattern: '@acme.example' }, null, '', withAuthor],
  [authorEmail, { operator: 'starts_with', pattern: '1234+' }, 'some', 'may refuse the author’s e-mail'],
  [authorEmail, { operator: 'regex', pattern: '^[0-9]+' }, 'some', 'may refuse the author’s e-mail'],
  [branchName, { operator: 'ends_with', pattern: 'd' }, 'some', 'may refuse the branch name'],
  ['committer_email_pattern', { operator: 'contains', pattern: 'noreply@github.com' }, null],
  ['committer_email_pattern', { operator: 'contains', pattern: '@acme' }, 'all', 'the committer’s e-mail'],
  ['commit_message_pattern', { operator: 'contains', pattern: 'PROJ-' }, 'some', 'that contain `PROJ-`'],
  [
    'commit_message_pattern',
    { operator: 'regex', pattern: '\u001B[31m`x\u202E' },
    'some',
    'that match `[31mx`',
  ],
  ['file_path_restriction', { restricted_file_paths: ['infra/**'] }, null],
  ['max_file_size', { max_file_size: 10 }, null],
  ['a rule of next year', { anything: [1] }, null],
])('%s %o refuses: %s %s', (type, parameters, refuses, what = '', at = place) => {
  const rule = ruleSchema.parse({ type, ruleset_id: 7, parameters });
  const said = judgeRules([rule], at).map((one) => [one.ruleset, one.refuses, one.what.includes(what)]);
  expect(said).toEqual(refuses === null ? [] : [[7, refuses, true]]);
});
