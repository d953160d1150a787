/** Change sets that the gate has to see: workflows, guidance, secrets. */
import { link, type ChangeRow } from './change-row.ts';

export const guardedRows: readonly ChangeRow[] = [
  {
    name: 'an edited workflow',
    before: { '.github/workflows/ci.yml': 'on: push\n' },
    edit: { '.github/workflows/ci.yml': 'on: pull_request_target\n' },
    verdict: 'never workflow-files',
  },
  {
    name: 'a new workflow',
    before: {},
    edit: { '.github/workflows/x/y.yml': 'on: push\n' },
    verdict: 'never workflow-files',
  },
  {
    name: 'a deleted workflow',
    before: { '.github/workflows/ci.yml': '1' },
    edit: { '.github/workflows/ci.yml': null },
    verdict: 'never workflow-files',
  },
  {
    name: 'a workflow that moves away',
    before: { '.github/workflows/ci.yml': '1' },
    edit: { '.github/workflows/ci.yml': null, 'ci.yml': '1' },
    verdict: 'never workflow-files',
  },
  {
    name: 'a symlink in place of .github',
    before: { '.github/workflows/ci.yml': '1', 'x/workflows/ci.yml': '2' },
    edit: { '.github': link('x') },
    verdict: 'never workflow-files',
  },
  {
    name: 'a workflow in other letters',
    before: {},
    edit: { '.GitHub/Workflows/ci.yml': '1' },
    verdict: 'never workflow-files',
  },
  {
    name: 'an action of the repository',
    before: {},
    edit: { '.github/actions/x/action.yml': '1' },
    verdict: 'never workflow-files',
  },
  { name: 'a new form for issues', before: {}, edit: { '.github/ISSUE_TEMPLATE/bug.md': '1' } },
  {
    name: 'another CI system',
    before: {},
    edit: { '.gitlab-ci.yml': '1', '.circleci/config.yml': '1', 'x/Jenkinsfile': '1' },
    verdict: 'mark .circleci/config.yml, .gitlab-ci.yml, x/Jenkinsfile defines',
  },
  {
    name: 'instructions for agents',
    before: { 'AGENTS.md': '1' },
    edit: { 'AGENTS.md': '2', 'x/CLAUDE.md': '1', '.mcp.json': '1' },
    verdict: 'mark .mcp.json, AGENTS.md, x/CLAUDE.md tells',
  },
  {
    name: 'instructions behind a symlink',
    before: { '.claude': link('ai'), 'ai/x': '1' },
    edit: { 'ai/x': '2' },
    verdict: 'mark ai/x tells',
  },
  {
    name: 'owners of code',
    before: { CODEOWNERS: '* @a\n' },
    edit: { CODEOWNERS: '* @b\n' },
    verdict: 'mark CODEOWNERS decides',
  },
  {
    name: 'settings that git has',
    before: { '.env': 'A=1\n' },
    edit: { '.env': 'A=2\n' },
    verdict: 'mark .env is usually',
  },
  {
    name: 'new settings of one machine',
    before: { a: '1' },
    edit: { a: '2', '.env': 'A=2\n', '.env.local': '', 'x/.env.test.local': '', '.env.example': 'A=\n' },
    leftOut: ['.env local-settings', '.env.local local-settings', 'x/.env.test.local local-settings'],
    verdict: 'mark .env (a name for settings',
  },
  {
    name: 'where packages come from',
    before: {},
    edit: { '.npmrc': 'registry=https://example.test\n' },
    verdict: 'mark .npmrc decides',
  },
  {
    name: 'what runs on a checkout',
    before: {},
    edit: { '.vscode/tasks.json': '{}', '.envrc': 'x' },
    verdict: 'mark .envrc, .vscode/tasks.json may run',
  },
  {
    name: 'a comment that displays as code',
    before: { 'a.js': 'a\n' },
    edit: { 'a.js': 'a\n/*\u202e } \u2066if (admin)\u2069 \u2066 begin */\n' },
    verdict: 'hold hidden-text',
  },
  {
    name: 'a comment that the base displays as code already',
    before: { 'a.js': '/*\u202e } \u2066if (admin)\u2069 \u2066 begin */\n' },
    edit: { 'a.js': 'b\n/*\u202e } \u2066if (admin)\u2069 \u2066 begin */\n' },
  },
  {
    name: 'a name with a Cyrillic letter',
    before: {},
    edit: { 'a.js': 'is\u0410dmin();\n' },
    verdict: 'mark is\u0410dmin (U+0410) in a.js, line 1 looks',
  },
  {
    name: 'a name in other letters than another',
    before: { 'README.md': '1' },
    edit: { 'Readme.md': '2' },
    verdict: 'hold name-collision',
  },
  {
    name: 'a name in both Unicode forms',
    before: {},
    edit: { 'x/\u00e9': '1', 'x/e\u0301': '2' },
    verdict: 'hold name-collision',
  },
  {
    name: 'the deletion of most files',
    before: { a: '1', 'x/b': '1', 'x/c': '1', d: '1', e: '1' },
    edit: { a: null, 'x/b': null, 'x/c': null, d: null },
    verdict: 'hold mass-deletion',
  },
  {
    name: 'a lock file without its manifest',
    before: { 'package-lock.json': '{}', 'package.json': '{}' },
    edit: { 'package-lock.json': '{ }' },
    verdict: 'mark package-lock.json changes which versions',
  },
  {
    name: 'a lock file with its manifest',
    before: { 'package-lock.json': '{}', 'package.json': '{}' },
    edit: { 'package-lock.json': '{ }', 'package.json': '{ }' },
  },
];
