import { describe, expect, it } from 'vitest';
import type { ChangedFile, FileMode, Measure, MeasuredChange } from '../../core/change-set.ts';
import type { AllowedRule, GatePolicy } from '../../core/gate-policy.ts';
import { closedPolicy } from '../../core/policy.ts';
import type { GateVerdict } from '../../core/ports/publication.ts';
import type { Answer } from '../../core/progress.ts';
import { withoutSecrets } from '../../core/secrets/find-secrets.ts';
import { gate as gateWith } from './gate.ts';
import { smallMeasure } from '../../../test/fixtures/sample-measure.ts';

type File = Extract<ChangedFile, { type: 'file' }>;
const file = (path: string, content = 'x\n', more: Partial<File> = {}): File => ({
  type: 'file',
  path,
  mode: '100644',
  content: btoa(content),
  ...more,
});
const change = (
  files: readonly ChangedFile[],
  more: Partial<MeasuredChange> = {},
  measure: Partial<Measure> = {},
): MeasuredChange => ({
  base: 'a'.repeat(40),
  files,
  skipped: [],
  links: [],
  diskFull: false,
  measure: {
    ...smallMeasure,
    insertions: 1,
    ...measure,
  },
  ...more,
});
const words = { title: 'Fix it', summary: 'It works.', valid: true };
const gate = (set: MeasuredChange, approvedBy: string | null = null): GateVerdict =>
  gateWith({ change: set, words, policy: closedPolicy.gate }, approvedBy);
const link = (path: string, target: string): File => file(path, target, { mode: '120000' });
/** Looks random. Assembled at run time, so that no scanner of this repository reports it. */
const random = 'q7Rz2KfP9xWm4TbYc8VdL1nHs6GjA3eUo5Zi';
const keyWords = ['PRIVATE', 'KEY'].join(' ');
const pem = (kind: string): string => `-----BEGIN ${kind}${keyWords}-----\n${random}${random}\n${random}\n`;

/** GitHub's format since 2026: the App's id, then a JWT. */
const installationToken = (characters: number): string =>
  `ghs_1234567_${['eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9', random.repeat(6), random.repeat(20)].join('.')}`
    .slice(0, characters)
    .padEnd(characters, random);

const modes = (count: number): Measure['modesBefore'] =>
  Array.from({ length: count }, (_, index) => [`src/${index}`, '100644']);

const verdictOf = (...files: ChangedFile[]): string => {
  const verdict = gate(change(files));
  return verdict.kind === 'hold' ? verdict.reason.code : verdict.kind;
};

describe('gate', () => {
  it.each<[string, ChangedFile]>([
    ['code', file('src/a.ts')],
    ['a deletion', { type: 'deletion', path: 'src/a.ts' }],
    ['a build file', file('package.json')],
    ['documentation named like a rule', file('docs/workflows/ci.yml')],
    ['a file that is named almost like a rule', file('.github/workflows.md')],
    ['code that is named almost like a rule', file('src/Jenkinsfiles.ts')],
    ['a link to a file that is named almost like .git', link('a', '.gitignore')],
    ['a link that repeats its slashes', link('a/b', './/../c//./d')],
    ['a deleted file whose name holds a token', { type: 'deletion', path: `ghp_${random}` }],
    ['names that end like a token begins', file('a.py', `highs_of_all_days = laughs_${'and_'.repeat(12)}`)],
    ['an example of settings', file('.env.example')],
    ['an example of local settings', file('.env.local.sample')],
    ['a package named after agents', file('src/agents/claude.ts')],
    ['an issue template', file('.github/ISSUE_TEMPLATE/bug.md')],
    ['a link to a neighbour', link('docs/readme', '../README.md')],
    ['a link below', link('a', 'b/c')],
    ['a link to its folder', link('a/b', '.')],
    ['code that names a key’s header', file('a.js', `const header = '-----BEGIN RSA ${keyWords}-----';`)],
    ['a placeholder for a token', file('README.md', `token: ghp_${'x'.repeat(36)}`)],
    ['the example of AWS’s documentation', file('README.md', 'AKIAIOSFODNN7EXAMPLE')],
    [
      'a public key',
      file(
        'a.pub',
        '-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAq7Rz2KfP9xWm4TbYc8V\n',
      ),
    ],
  ])('allows %s', (_, entry) => {
    expect(gate(change([entry]))).toEqual({ kind: 'allow' });
  });

  it.each<[string, ChangedFile, string]>([
    ['a workflow', file('.github/workflows/ci.yml'), 'workflow-files'],
    ['a workflow in other letters', file('.GitHub/Workflows/ci.yml'), 'workflow-files'],
    ['a deleted workflow', { type: 'deletion', path: '.github/workflows/ci.yml' }, 'workflow-files'],
    ['an action of the repository’s own', file('.github/actions/x/action.yml'), 'workflow-files'],
    ['a file in place of .github', file('.github'), 'workflow-files'],
    ['a link in place of .github', link('.github', 'ci'), 'workflow-files'],
    ['a file in place of the workflows', file('.github/workflows'), 'workflow-files'],
    ['a link in place of the workflows', link('.github/workflows', '../ci'), 'workflow-files'],
    ['a link in place of the actions', link('.github/actions', '../ci'), 'workflow-files'],
    ['a folder in other letters as a link', link('.GITHUB', 'ci'), 'workflow-files'],
    ['a workflow as NTFS reads it', file('.github . /workflows::$INDEX_ALLOCATION/a.yml'), 'workflow-files'],
    ['a workflow under a short name', file('GITHUB~1/WORKFL~1/a.yml'), 'workflow-files'],
    ['a private key', file('id_rsa', pem('RSA ')), 'secret'],
    ['a PKCS#8 private key', file('key.pem', pem('')), 'secret'],
    ['an OpenSSH private key', file('id', pem('OPENSSH ')), 'secret'],
    ['a private key in one line of JSON', file('sa.json', JSON.stringify({ key: pem('') })), 'secret'],
    ['a GitHub token', file('a', `x = "ghs_${random}"`), 'secret'],
    [
      'a fine-grained GitHub token',
      file('a', `github_pat_${random.slice(0, 22)}_${random}${random.slice(0, 23)}`),
      'secret',
    ],
    ['an AWS key', file('a', 'AKIAQ7RZ2KFPXWM4TBYC'), 'secret'],
    ['an OpenAI key', file('a', `sk-proj-${random}${random}`), 'secret'],
    ['a Slack token', file('a', `xoxb-1234567890-${random}`), 'secret'],
    ['a token in a binary file', file('a.bin', `\0\u00ffghp_${random}\u00fe`), 'secret'],
    ['a padded GitHub token', file('a', `ghp_${random}${'A'.repeat(40)}`), 'secret'],
    ['a GitHub token without a border before it', file('a.json', `"a\\nxghp_${random}"`), 'secret'],
    ['a GitHub token longer than any known', file('a', `ghu_${random.repeat(20)}`), 'secret'],
    ['a GitHub token that begins in a filler', file('a', `ghs_1_${'x'.repeat(33)}ghp_${random}`), 'secret'],
    ['an installation token of 520 characters', file('a', installationToken(520)), 'secret'],
    ['an installation token of 590 characters', file('a', `x${installationToken(590)}AAAA`), 'secret'],
    [
      'a padded fine-grained GitHub token',
      file('a', `github_pat_${random.slice(0, 22)}_${random}${random}${'A'.repeat(40)}`),
      'secret',
    ],
    ['a padded AWS key', file('a', 'AKIAQ7RZ2KFPXWM4TBYCAAAAAAAA'), 'secret'],
    ['a padded OpenAI key', file('a', `sk-proj-${random}${random}${'A'.repeat(60)}`), 'secret'],
    ['a padded npm token', file('a', `npm_${random}${'A'.repeat(40)}`), 'secret'],
    ['a token in UTF-16', file('a.ps1', `x ghp_${random}`.split('').join('\0')), 'secret'],
    ['a token in a file name', file(`keys/ghp_${random}`), 'secret'],
    ['a token in a folder name', file(`ghp_${random}/a`), 'secret'],
    ['a token in a link’s target', link('a', `ghp_${random}`), 'secret'],
    ['a token in base64', file('secret.yaml', `data:\n  token: ${btoa(`ghp_${random}`)}`), 'secret'],
    ['a token in a registry’s settings', file('.npmrc', `//npm.acme.dev/:_authToken=${random}`), 'secret'],
    ['the password of a database', file('a.ts', `'postgres://ada:${random.slice(0, 9)}@db/x'`), 'secret'],
    [
      'a key store',
      file('a.p12', '0\x82\x09\x10\x02\x01\x030\x82\x08\xd6\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01'),
      'secret',
    ],
    ['a PuTTY key', file('a.ppk', `PuTTY-User-Key-File-3: x\nPrivate-Lines: 1\n${random}`), 'secret'],
    ['a link to an absolute path', link('a', '/etc/passwd'), 'symlink-outside'],
    ['a link above the root', link('a/b', '../../x'), 'symlink-outside'],
    ['a link that leaves through another', link('a', 'b/../../x'), 'symlink-outside'],
    ['a link that goes back after going in', link('a', 'b/..'), 'symlink-outside'],
    ['a link into .git', link('a', '.GIT/config'), 'symlink-outside'],
    ['a link into .git as NTFS reads it', link('a', '.git /config'), 'symlink-outside'],
    ['a link into .git by its short name', link('a', 'git~1/config'), 'symlink-outside'],
    ['a link into .git by its stream', link('a', '.git::$INDEX_ALLOCATION'), 'symlink-outside'],
    ['a link into .git by its stream after a blank', link('a/b', '../.git :x/config'), 'symlink-outside'],
    ['a link into a folder’s .git', link('a', 'b/.git./hooks'), 'symlink-outside'],
    [
      'a link into .git as HFS+ reads it',
      // The UTF-8 bytes of U+200C, a zero-width non-joiner.
      file('a', '.g\u00e2\u0080\u008cit/config', { mode: '120000' }),
      'symlink-outside',
    ],
    ['a link up as NTFS reads it', link('a', '.. /x'), 'symlink-outside'],
    ['a link with a control character', link('a', 'b\nc'), 'symlink-outside'],
    ['a link with a backslash', link('a', '..\\x'), 'symlink-outside'],
    ['a link to nothing', link('a', ''), 'symlink-outside'],
    ['a link that is not UTF-8', file('a', '\u00ff', { mode: '120000' }), 'symlink-outside'],
  ])('holds %s', (_, entry, code) => {
    expect(verdictOf(file('other'), entry)).toBe(code);
  });

  const gone = (path: string): ChangedFile => ({ type: 'deletion', path });
  const emptied = (path: string): ChangedFile => file(path, '');
  const blanked = (path: string): ChangedFile => file(`x${path}`, ' \0\n');
  const times = (count: number, entry: (path: string) => ChangedFile): ChangedFile[] =>
    Array.from({ length: count }, (_, index) => entry(`${entry === file ? 'new' : 'src'}/${index}`));
  it.each<[string, ChangedFile[], Partial<Measure>, string]>([
    ['the deletion of most of the tree', times(5, gone), {}, 'mass-deletion'],
    ['files that become empty', times(5, emptied), { modesBefore: modes(5) }, 'mass-deletion'],
    [
      'files that become blank',
      times(5, blanked),
      { modesBefore: modes(5).map(([path, mode]) => [`x${path}`, mode]) },
      'mass-deletion',
    ],
    ['a deletion with blank new files', [...times(9, gone), ...times(9, blanked)], {}, 'mass-deletion'],
    ['a deletion with few new files', [...times(7, gone), ...times(2, file)], {}, 'mass-deletion'],
    ['the deletion of all of a small tree', times(3, gone), { baseFiles: 3 }, 'mass-deletion'],
    ['files that move', [...times(9, gone), ...times(9, file)], {}, 'mark'],
    ['the deletion of a file of two', times(2, gone), { baseFiles: 2 }, 'mark'],
    ['the deletion of less than half', times(4, gone), {}, 'allow'],
    ['new empty files', times(9, emptied), {}, 'allow'],
    ['deletions in a tree that GitHub does not list whole', times(9, gone), { baseFiles: null }, 'allow'],
    [
      'a name that collides',
      [file('Readme.md')],
      { collisions: [['Readme.md', 'README.md']] },
      'name-collision',
    ],
    ['a folder that collides', [file('Src/a/b')], { collisions: [['Src', 'src']] }, 'name-collision'],
    ['a collision that is not in this change', [file('a')], { collisions: [['Src', 'src']] }, 'allow'],
    [
      'a name that no full list has',
      [file('a')],
      { collisions: Array.from({ length: 20 }, () => ['Src', 'src']) },
      'name-collision',
    ],
    [
      'a line that no full list has',
      [file('a')],
      { texts: Array.from({ length: 200 }, () => ({ rule: 'hidden-text', path: 'b', line: 1, what: '' })) },
      'hidden-text',
    ],
    ['a file in place of a submodule', [file('lib')], { submodules: ['lib'] }, 'mark'],
    ['a file next to a submodule', [file('lib2')], { submodules: [] }, 'allow'],
    ['a script that loses its mode', [file('run')], { modesBefore: [['run', '100755']] }, 'mark'],
    ['a link in place of a file', [link('a', 'b')], { modesBefore: [['a', '100644']] }, 'mark'],
    ['a link in place of a folder', [link('a', 'b'), gone('a/x')], {}, 'mark'],
    ['a link that leads elsewhere now', [link('a', 'b')], { modesBefore: [['a', '120000']] }, 'allow'],
    ['a new link', [link('a', 'b'), gone('ab/x')], {}, 'allow'],
    ['a file in place of a link', [file('a')], { modesBefore: [['a', '120000']] }, 'allow'],
  ])('judges %s', (_, files, measure, expected) => {
    const verdict = gate(change(files, {}, measure));
    expect(verdict.kind === 'hold' ? verdict.reason.code : verdict.kind).toBe(expected);
  });

  const lines = (count: number, characters: number): string => `${'x'.repeat(characters)}\n`.repeat(count);
  it.each<[string, ChangedFile, boolean]>([
    ['a minified script by its name', file('a.min.js'), true],
    ['a bundle', file('dist/app-bundle.mjs'), true],
    ['a source map', file('a.css.map'), true],
    ['a minified script', file('dist/a.js', lines(3, 10_000)), true],
    ['a minified script with a licence above', file('a.cjs', lines(30, 40) + lines(1, 30_000)), true],
    ['a short script of one line', file('a.js', lines(1, 15_000)), false],
    ['a long script', file('a.js', lines(5000, 40)), false],
    ['a script with a long string', file('a.js', lines(500, 40) + lines(1, 30_000)), false],
    ['data of one line', file('a.json', lines(1, 99_000)), false],
    ['a drawing', file('a.svg', lines(1, 99_000)), false],
    ['a program of Linux', file('bin/a', '\x7fELF\x02\x01\x01\0'), true],
    ['a program of macOS', file('a', '\xcf\xfa\xed\xfe\x07\0'), true],
    ['a program of Windows', file('a.bin', 'MZ\x90\0\x03'), true],
    ['WebAssembly', file('a.wasm', '\0asm\x01\0'), true],
    ['a class of Java', file('a', '\xca\xfe\xba\xbe\0\0'), true],
    ['an archive of code', file('gradle/wrapper/gradle-wrapper.jar', 'PK\x03\x04'), true],
    ['a document', file('a.docx', 'PK\x03\x04'), false],
    ['an image', file('a.png', '\x89PNG\r\n'), false],
    ['text that begins like a program', file('a.txt', 'MZ is a sign.\n'), false],
    ['a link with such a name', link('a.min.js', 'b.js'), false],
    ['a deletion', { type: 'deletion', path: 'a.min.js' }, false],
  ])('says that nobody can review %s: %s', (_, entry, expected) => {
    const remarks = [`${entry.path} is minified, bundled or compiled, which nobody can review.`];
    expect(gate(change([entry]))).toEqual(expected ? { kind: 'mark', remarks } : { kind: 'allow' });
  });

  it.each<[lock: string, manifest: string, foreign: string]>([
    ['package-lock.json', 'package.json', 'go.mod'],
    ['package-lock.json', 'packages/a/package.json', 'composer.json'],
    ['npm-shrinkwrap.json', 'package.json', 'x'],
    ['yarn.lock', 'package.json', 'src/a.js'],
    ['app/pnpm-lock.yaml', 'app/pnpm-workspace.yaml', 'other/package.json'],
    ['bun.lock', 'package.json', 'deno.json'],
    ['bun.lockb', 'package.json', 'x'],
    ['deno.lock', 'deno.jsonc', 'x'],
    ['Cargo.lock', 'crates/a/Cargo.toml', 'package.json'],
    ['go.sum', 'go.mod', 'main.go'],
    ['poetry.lock', 'pyproject.toml', 'setup.py'],
    ['uv.lock', 'pyproject.toml', 'x'],
    ['Pipfile.lock', 'Pipfile', 'x'],
    ['composer.lock', 'composer.json', 'x'],
    ['Gemfile.lock', 'a.gemspec', 'x'],
    ['src/App/packages.lock.json', 'Directory.Packages.props', 'other/App.csproj'],
    ['src/App/packages.lock.json', 'src/App/App.csproj', 'x'],
    ['gradle/verification-metadata.xml', 'app/build.gradle.kts', 'x'],
    ['gradle.lockfile', 'gradle/libs.versions.toml', 'x'],
    ['flake.lock', 'flake.nix', 'x'],
    ['.terraform.lock.hcl', 'main.tf', 'x'],
  ])('marks %s without %s, also with %s', (lock, manifest, foreign) => {
    const remarks = [`${lock} changes which versions are installed, although no manifest changed.`];
    expect(gate(change([file(lock), file(foreign)]))).toEqual({ kind: 'mark', remarks });
    expect(gate(change([gone(lock)])).kind).toBe('mark');
    expect(gate(change([file(lock), file(manifest)]))).toEqual({ kind: 'allow' });
  });

  it.each<[string, ChangedFile]>([
    ['instructions for agents', file('AGENTS.md')],
    ['instructions for agents in a folder', file('src/agents.MD')],
    ['a Codex configuration', file('.codex/config.toml')],
    ['deleted instructions', { type: 'deletion', path: 'CLAUDE.md' }],
    ...[
      'Agent.md',
      'agents.override.md',
      'Claude.local.md',
      'GEMINI.md',
      '.cursorrules',
      '.cursor/rules/a.mdc',
      '.windsurf/rules/a',
      '.windsurfrules',
      '.clinerules',
      '.clinerules/a.md',
      '.roo/rules/a',
      '.continue/config.json',
      '.kiro/steering/a.md',
      '.junie/guidelines.md',
      '.agents/skills/a/b.py',
      '.agent/rules/a',
      'ai/skills/x/SKILL.md',
      '.ai/skills/x/run.py',
      '.github/Copilot-Instructions.md',
      '.github/instructions/a.md',
      '.github/prompts/a.prompt.md',
      '.github/agents/a.md',
      '.vscode/mcp.json',
      '.mcp.json',
      'app/.gemini/settings.json',
      'opencode.json',
      '.aider.conf.yml',
      '.openhands/microagents/repo.md',
    ].map((path): [string, ChangedFile] => [`instructions for agents in ${path}`, file(path)]),
    ['settings of one environment', file('app/.env.production')],
    ['code owners', file('.github/CODEOWNERS')],
    ['submodules', file('.gitmodules')],
    ['where packages come from', file('app/.npmrc')],
    ['what an editor runs', file('.vscode/tasks.json')],
    ['what a shell runs', file('.envrc')],
    ['a link in place of Codex’s configuration', link('.codex', 'x')],
    ['a link in place of an editor’s folder', link('.vscode', 'x')],
    ['CI of CircleCI', file('.circleci/config.yml')],
    ['a link in place of CircleCI’s folder', link('.circleci', 'x')],
    ['CI of GitLab', file('.gitlab-ci.yml')],
    ['CI of GitLab in another folder', file('.gitlab/ci/test.yml')],
    ['CI of GitLab in a template', file('ci/build.gitlab-ci.yml')],
    ['CI of Jenkins', file('Jenkinsfile')],
    ['CI of Jenkins in a folder', file('ci/Jenkinsfile.release')],
    ['CI of Azure', file('azure-pipelines.yml')],
    ['CI of Travis in other letters', file('.Travis.yml')],
    ['CI of Bitbucket', file('bitbucket-pipelines.yml')],
    ['CI of Buildkite', file('.buildkite/pipeline.yml')],
    ['CI of Drone', file('.drone.yml')],
    ['CI of Woodpecker', file('.woodpecker.yaml')],
    ['CI of Woodpecker in a folder', file('.woodpecker/a.yml')],
    ['CI of Forgejo', file('.forgejo/workflows/a.yml')],
    ['CI of AppVeyor', file('appveyor.yml')],
    ['CI of Cirrus', file('.cirrus.star')],
    ['CI that was deleted', { type: 'deletion', path: '.travis.yml' }],
  ])('marks %s', (_, entry) => {
    const verdict = gate(change([entry]));
    expect(verdict.kind).toBe('mark');
    expect(verdict.kind === 'mark' && verdict.remarks).toHaveLength(1);
    expect(verdict.kind === 'mark' && verdict.remarks[0]).toContain(entry.path);
  });

  it.each<[string, FileMode | null, string]>([
    ['marks a new executable', null, 'mark'],
    ['marks a file made executable', '100644', 'mark'],
    ['allows a script that was executable before', '100755', 'allow'],
  ])('%s', (_, before, kind) => {
    const modesBefore: Measure['modesBefore'] = before === null ? [] : [['run.sh', before]];
    expect(gate(change([file('run.sh', 'x', { mode: '100755' })], {}, { modesBefore })).kind).toBe(kind);
  });

  it('marks a large change and files that could not be collected', () => {
    const many = Array.from({ length: 201 }, (_, index) => file(`f${index}`));
    expect(gate(change(many)).kind).toBe('mark');
    expect(gate(change(many.slice(1))).kind).toBe('allow');
    expect(gate(change([file('a')], {}, { insertions: 4000, deletions: 1001 })).kind).toBe('mark');
    expect(
      gate(change([file('a')], { skipped: [{ type: 'skipped', path: 'big', why: 'too-large' }] })),
    ).toEqual({
      kind: 'mark',
      remarks: ['big (larger than 10 MiB, the limit for a file) was changed but left out.'],
    });
    expect(
      gate(
        change([file('a')], {
          skipped: [
            { type: 'skipped', path: 'node_modules/', why: 'generated' },
            { type: 'skipped', path: '.env.example', why: 'ignored' },
          ],
        }),
      ),
    ).toEqual({ kind: 'allow' });
  });

  it('marks a change that was collected from a full disk', () => {
    expect(gate(change([file('a')], { diskFull: true }))).toEqual({
      kind: 'mark',
      remarks: ['The disk of the sandbox was full when Codex ended, so files may be cut off or missing.'],
    });
  });

  it.each<[string, string, [string, string][], string]>([
    ['through a link to a folder', 'tools/ai/skills/x/a.txt', [['.claude', 'tools/ai']], 'mark'],
    ['through a link in other letters', 'Tools/AI/a.txt', [['.Claude', './tools//ai/']], 'mark'],
    ['through a link in a folder', 'shared/a.txt', [['app/.cursor', '../shared']], 'mark'],
    ['through a link to the file', 'docs/guide.md', [['CLAUDE.md', 'docs/guide.md']], 'mark'],
    [
      'through two links',
      'c/a.txt',
      [
        ['.codex', 'b'],
        ['b', 'c'],
      ],
      'mark',
    ],
    ['through a link to the root', 'rules/a.txt', [['.clinerules', '.']], 'mark'],
    [
      'through a circle of links',
      'c/a.txt',
      [
        ['b', 'c'],
        ['c', 'b'],
        ['b/x', '..'],
      ],
      'allow',
    ],
    ['in a folder whose name begins like the target', 'tools/ai2/a.txt', [['.claude', 'tools/ai']], 'allow'],
    [
      'beyond a link that leads out',
      'ai/a.txt',
      [
        ['.claude', '../ai'],
        ['.codex', '/ai'],
      ],
      'allow',
    ],
  ])('follows the base’s links to instructions for agents: %s', (_, path, links, kind) => {
    const set = change([file(path)], { links: links.map(([path, target]) => ({ path, target })) });
    expect(gate(set).kind).toBe(kind);
  });

  it('holds rather than marks, and lists every hold', () => {
    const verdict = gate(
      change([file('AGENTS.md'), file('.github/workflows/a.yml'), file('k', `ghp_${random}`)]),
    );
    expect(verdict).toMatchObject({ kind: 'hold', reason: { code: 'workflow-files' } });
    expect(verdict.kind === 'hold' && verdict.reason.message).toContain('a GitHub token in k, line 1');
  });

  it('names the position of a secret and never the secret itself', () => {
    const verdict = gate(change([file('config/a.env', `A=1\nB=2\nTOKEN=ghp_${random}\n`)]));
    const message = verdict.kind === 'hold' ? verdict.reason.message : '';
    expect(message).toContain('config/a.env, line 3');
    expect(message).not.toContain(random.slice(0, 8));
  });

  it('holds no secret that the base has, but each that is new', () => {
    const content = `A=ghp_${random}\nB=glpat-${random}\n`;
    const secretsBefore: Measure['secretsBefore'] = [['a.env', 1]];
    const hold = gate(change([file('a.env', content)], {}, { secretsBefore }));
    expect(hold).toMatchObject({
      reason: { message: expect.stringMatching(/^Held: a GitLab token in a\.env, line 2\. /) },
    });
    expect(
      gate(change([file('a.env', content)], {}, { secretsBefore: [...secretsBefore, ['a.env', 2]] })),
    ).toEqual({ kind: 'allow' });
    expect(gate(change([file('b.env', content)], {}, { secretsBefore }))).toMatchObject({ kind: 'hold' });
  });

  it.each<[string, Partial<Answer>]>([
    ['the title', { title: `Use ghp_${random}` }],
    ['the filled-in template', { pullRequestText: `- [x] ghp_${random}` }],
    ['the summary', { summary: `It is \`AKIAQ7RZ2KFPXWM4TBYC\`, ${btoa(`token ghp_${random}`)}` }],
    [
      'a reply to a line comment',
      {
        replies: [
          { id: 1, text: 'Done.' },
          { id: 2, text: pem('EC ') },
        ],
      },
    ],
  ])('holds a secret in %s, and marks where one was taken out', (place, said) => {
    const input = { change: change([file('a')]), words: { ...words, ...said }, policy: closedPolicy.gate };
    const verdict = gateWith(input, null);
    expect(verdict).toMatchObject({
      kind: 'hold',
      reason: { code: 'secret', message: expect.stringContaining(` in ${place}`) },
    });
    expect(JSON.stringify(verdict)).not.toContain(random.slice(0, 8));
    const text = withoutSecrets(JSON.stringify(input.words));
    expect(gateWith({ ...input, words: { ...words, ...JSON.parse(text) } }, null)).toMatchObject({
      kind: 'mark',
      remarks: [expect.stringContaining(` in ${place} was taken out of what Codex wrote`)],
    });
  });

  it('holds a token with an invisible character in it, which is not published', () => {
    const title = `Use ghp_${random.slice(0, 9)}\u200b${random.slice(9)}`;
    const verdict = gateWith(
      { change: change([file('a')]), words: { ...words, title }, policy: closedPolicy.gate },
      null,
    );
    expect(verdict).toMatchObject({ kind: 'hold', reason: { code: 'secret' } });
  });

  it('names no file whose name holds a secret, also among those that were left out', () => {
    const named = `keys/ghp_${random}`;
    const verdicts = [
      gate(change([file(named)])),
      gate(change([file('a')], { skipped: [{ type: 'skipped', path: named, why: 'too-large' }] })),
      gate(change([file(named, `ghp_${random}`, { mode: '100755' })]), 'Ada'),
    ];
    expect(verdicts.map(({ kind }) => kind)).toEqual(['hold', 'hold', 'mark']);
    expect(JSON.stringify(verdicts)).toContain('a GitHub token in the name of a file');
    expect(JSON.stringify(verdicts)).not.toContain(random.slice(0, 8));
  });

  it('lists five files and counts the rest', () => {
    const verdict = gate(
      change(Array.from({ length: 8 }, (_, index) => file(`.github/workflows/${index}.yml`))),
    );
    expect(verdict.kind === 'hold' && verdict.reason.message).toContain('4.yml and 3 more');
  });

  it('allows ten megabytes of one character, which it reads to the end', () => {
    const verdict = gate(
      change([file('a', 'A'.repeat(10_000_000)), file('b', '-----BEGIN '.repeat(200_000))]),
    );
    expect(verdict.kind).toBe('allow');
  });
});

describe('the gate of a repository', () => {
  const judged = (
    files: readonly ChangedFile[],
    policy: Partial<GatePolicy>,
    more: Partial<MeasuredChange> = {},
  ) =>
    gateWith({ change: change(files, more), words, policy: { protected: [], allow: [], ...policy } }, null);
  const gone = (path: string): ChangedFile => ({ type: 'deletion', path });

  it.each<[string, string, ChangedFile, string[]?]>([
    ['a file', 'LICENSE', file('LICENSE')],
    ['a file in other letters', 'LICENSE', file('License')],
    ['a deleted file', 'infra/**', gone('infra/a/b.tf')],
    ['a file as NTFS reads it', 'infra/**', file('infra /a.tf')],
    ['a file as APFS reads it', 'Straße/**', file('STRASSE/a')],
    ['a file whose name has a colon', 'docs/a:b', file('docs/a:b')],
    ['a file in place of the folder', 'infra/**', file('infra')],
    ['a link in place of a folder above it', 'infra/prod/**', link('infra', 'other')],
    ['a link above it that is gone', 'infra/prod/**', gone('infra'), ['infra', 'other']],
    ['what a link leads to', 'infra/**', file('other/prod/a.tf'), ['infra', 'other']],
  ])('holds %s that it protects', (_, glob, entry, base) => {
    const links = base === undefined ? [] : [{ path: base[0] ?? '', target: base[1] ?? '' }];
    expect(judged([entry], { protected: [glob] }, { links })).toMatchObject({
      kind: 'hold',
      reason: { code: 'protected', message: expect.stringContaining(`Held: ${entry.path}.`) },
      approvable: true,
    });
  });

  it.each<[string, string, ChangedFile]>([
    ['another file', 'LICENSE', file('docs/LICENSE')],
    ['a folder that begins alike', 'infra/**', file('infra2/a')],
    ['a file above a protected path that is no link', 'infra/prod/**', file('infra/README.md')],
  ])('does not hold %s', (_, glob, entry) => {
    expect(judged([entry], { protected: [glob] })).toEqual({ kind: 'allow' });
  });

  it.each<[string, ChangedFile, AllowedRule, string]>([
    ['a rule', file('AGENTS.md'), { code: 'agent-instructions', glob: null }, 'allow'],
    [
      'a rule for its paths',
      file('docs/AGENTS.md'),
      { code: 'agent-instructions', glob: 'docs/**' },
      'allow',
    ],
    [
      'a rule, but not for others',
      file('AGENTS.md'),
      { code: 'agent-instructions', glob: 'docs/**' },
      'mark',
    ],
    [
      'a rule, but not in other letters',
      file('Docs/AGENTS.md'),
      { code: 'agent-instructions', glob: 'docs' },
      'mark',
    ],
    ['a rule, but not another one', file('.mcp.json'), { code: 'executable', glob: null }, 'mark'],
    ['marks of paths', file('docs/AGENTS.md'), { code: null, glob: 'docs/**/AGENTS.md' }, 'allow'],
    ['marks of paths, but no hold', file('a', `ghp_${random}`), { code: null, glob: '**' }, 'hold'],
    ['secrets in fixtures', file('test/a', `ghp_${random}`), { code: 'secret', glob: 'test/**' }, 'allow'],
    [
      'secrets in fixtures, but not elsewhere',
      file('a', `ghp_${random}`),
      { code: 'secret', glob: 'test' },
      'hold',
    ],
    [
      'no workflow, whatever it says',
      file('.github/workflows/a'),
      { code: 'workflow-files', glob: 'a/**' },
      'hold',
    ],
  ])('allows %s', (_, entry, allowed, kind) => {
    expect(judged([entry], { allow: [allowed] }).kind).toBe(kind);
  });

  it('allows rules on the change as a whole, and on what was left out', () => {
    const large = Array.from({ length: 201 }, (_, index) => file(`f${index}`));
    expect(judged(large, { allow: [{ code: 'large', glob: null }] }).kind).toBe('allow');
    const skipped = [{ type: 'skipped', path: 'big/a', why: 'too-large' } as const];
    expect(judged([file('a')], { allow: [{ code: 'left-out', glob: 'big' }] }, { skipped }).kind).toBe(
      'allow',
    );
  });
});

describe('a held change', () => {
  const workflow = file('.github/workflows/ci.yml');
  const secret = file('k', `ghp_${random}`);
  const outside = link('l', '/etc/passwd');

  it.each<[string, ChangedFile[], boolean]>([
    ['a secret', [secret], true],
    ['a link outside', [outside], true],
    ['both', [secret, outside], true],
    ['a workflow, which GitHub accepts only from a person', [workflow], false],
    ['a workflow and a secret', [secret, workflow], false],
  ])('is approvable or not: %s', (_, files, approvable) => {
    const verdict = gate(change(files));
    expect(verdict).toMatchObject({ kind: 'hold', approvable });
    // Nobody is asked to approve what nobody can.
    expect(/approve/.test(JSON.stringify(verdict))).toBe(approvable && files.includes(secret));
    const approved = gate(change(files), 'Ada');
    expect(approved.kind).toBe(approvable ? 'mark' : 'hold');
  });

  it('becomes a mark that names the approver and the findings, in addition to the other marks', () => {
    const verdict = gate(change([secret, outside, file('AGENTS.md')]), 'Ada');
    expect(verdict).toEqual({
      kind: 'mark',
      remarks: [
        'Ada approved what was held here: a GitHub token in k, line 1. A branch is readable as soon as it is pushed.',
        expect.stringMatching(/^Ada approved what was held here: the symlink l\. .* machine\.$/),
        'AGENTS.md tells coding agents what to do in later tasks.',
      ],
    });
  });

  it('is not called approved if nothing was held', () => {
    expect(gate(change([file('a')]), 'Ada')).toEqual({ kind: 'allow' });
    expect(gate(change([file('AGENTS.md')]), 'Ada')).toEqual({
      kind: 'mark',
      remarks: ['AGENTS.md tells coding agents what to do in later tasks.'],
    });
  });

  it('shows its findings even if the approver has a very long name', () => {
    const verdict = gate(change([secret]), 'x'.repeat(5000));
    expect(verdict.kind === 'mark' && verdict.remarks[0]?.slice(0, 200)).toContain('a GitHub token in k');
  });
});
