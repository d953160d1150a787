import { describe, expect, it } from 'vitest';
import { formatProblem, loadConfig } from './load-config.ts';

const problems = (text: string): string[] => {
  const read = loadConfig(text, 'c.jsonc');
  return read.ok ? [] : read.problems.map((problem) => formatProblem(problem));
};
const repository = (settings: string): string => `{ "repositories": { "acme/shop": ${settings} } }`;

describe('a valid configuration', () => {
  it.each(['{}', '{ "repositories": {} }', '// nothing yet\n{ /* at all */ }', '\uFEFF{}'])(
    'may be empty: %j',
    (text) => {
      const read = loadConfig(text, 'c.jsonc');
      expect(read.ok && read.config.repositories).toEqual([]);
      expect(read.ok && read.config.github).toEqual({ mention: null, label: 'codex' });
    },
  );

  it('may have comments and trailing commas, and ignores case', () => {
    const read = loadConfig(
      `{
        // its name
        "github": { "mention": "Codex-Bot", "label": "Do It", },
        "repositories": { "Acme/Shop": { "aliases": ["shop"], "setup": { "run": "npm ci", "hosts": ["Packages.example.com"] } }, },
      }`,
      'c.jsonc',
    );
    expect(read.ok && read.config.github).toEqual({ mention: 'codex-bot', label: 'do it' });
    expect(read.ok && read.config.repositories[0]?.pattern).toMatchObject({
      owner: 'acme',
      name: 'shop',
      exact: true,
    });
  });

  it.each([
    ['{}', { total: 20, perRepository: 10, perRequester: 10 }, 30],
    ['{ "slots": { "total": 4 } }', { total: 4, perRepository: 10, perRequester: 10 }, 30],
    [
      '{ "slots": { "total": 50, "perRepository": 5, "perRequester": 1 }, "retention": { "days": 7 } }',
      { total: 50, perRepository: 5, perRequester: 1 },
      7,
    ],
  ])('sets the number of concurrent tasks and the retention: %s', (text, slots, days) => {
    const read = loadConfig(text, 'c.jsonc');
    expect(read.ok && read.config.slots).toEqual(slots);
    expect(read.ok && read.config.retentionDays).toBe(days);
  });

  it('sorts the keys by specificity', () => {
    const keys = ['acme/*', 'acme/shop-*', '!acme/*-archive', 'acme/shop-web', 'acme/s*'];
    const read = loadConfig(
      JSON.stringify({ repositories: Object.fromEntries(keys.map((key) => [key, {}])) }),
      'c.jsonc',
    );
    expect(read.ok && read.config.repositories.map(({ pattern }) => pattern.key)).toEqual([
      'acme/shop-web',
      'acme/shop-*',
      'acme/s*',
      '!acme/*-archive',
      'acme/*',
    ]);
  });
});

describe('a mistake in the configuration', () => {
  it.each([
    ['', 'c.jsonc:1:1: expected a value'],
    ['// only this', 'c.jsonc:1:13: expected a value'],
    ['[]', 'c.jsonc:1:1: expected an object, got an empty list'],
    ['{ "repositories": {\n  "acme/shop": {}\n  "acme/x": {} } }', 'c.jsonc:3:3: expected "," before this'],
    ['{ "a": 1 ', 'c.jsonc:1:10: expected "}"'],
    ['{} {}', 'c.jsonc:1:4: expected nothing after the closing brace'],
    [
      "{ 'github': {} }",
      'c.jsonc:1:3: expected a value: text in quotes, a number, true, false, null, [ or {',
    ],
    [
      '{ "defaults": { "labels": [""] } }',
      'c.jsonc:1:28: defaults.labels[0]: expected at least 1 character, got ""',
    ],
    ['{ "budget": { "token": 5000 } }', 'c.jsonc:1:15: budget.token: unknown key (did you mean "tokens"?)'],
    [
      '{ "defaults": { "budget": { "perPerson": { "dollar": 5 } } } }',
      'c.jsonc:1:44: defaults.budget.perPerson.dollar: unknown key (did you mean "dollars"?)',
    ],
    [
      '{ "defaults": { "models": ["m"], "budget": { "perPerson": { "dollars": 5 } } }, "repositories": { "a/b": {} } }',
      'c.jsonc:1:99: repositories["a/b"]: a budget in dollars needs a price of gpt-6.1-sol, m (add it under "prices", or set a cap in tokens)',
    ],
    [
      '{ "budget": { "dollars": 5 }, "repositories": { "a/b": { "model": "m" }, "!a/c": {} } }',
      'c.jsonc:1:49: repositories["a/b"]: a budget in dollars needs a price of m (add it under "prices", or set a cap in tokens)',
    ],
    ['{ "slots": { "total": 0 } }', 'c.jsonc:1:23: slots.total: expected at least 1, got 0'],
    ['{ "slots": { "totl": 2 } }', 'c.jsonc:1:14: slots.totl: unknown key (did you mean "total"?)'],
    [
      '{ "slots": { "perRequester": 1.5 } }',
      'c.jsonc:1:30: slots.perRequester: expected a whole number, got 1.5',
    ],
    ['{ "retention": { "days": 0 } }', 'c.jsonc:1:26: retention.days: expected at least 1, got 0'],
    ['{ "retention": { "dayz": 3 } }', 'c.jsonc:1:18: retention.dayz: unknown key (did you mean "days"?)'],
    ['{ "repositorys": {} }', 'c.jsonc:1:3: repositorys: unknown key (did you mean "repositories"?)'],
    [
      '{\n  "github": { "mentoin": "x" }\n}',
      'c.jsonc:2:15: github.mentoin: unknown key (did you mean "mention"?)',
    ],
    [
      repository('{ "efort": "high" }'),
      'c.jsonc:1:36: repositories["acme/shop"].efort: unknown key (did you mean "effort"?)',
    ],
    [
      repository('{ "limits": { "minuets": 3 } }'),
      'c.jsonc:1:48: repositories["acme/shop"].limits.minuets: unknown key (did you mean "minutes"?)',
    ],
    [
      repository('{ "setup": { "xyzzyxyzzy": 3, "run": "x" } }'),
      'c.jsonc:1:47: repositories["acme/shop"].setup.xyzzyxyzzy: unknown key (known keys: run, hosts, registries, optional, services)',
    ],
    [
      repository('{ "effort": "hihg" }'),
      'c.jsonc:1:46: repositories["acme/shop"].effort: expected one of "minimal", "low", "medium", "high", "xhigh", got "hihg" (did you mean "high"?)',
    ],
    [
      repository('{ "sandbox": { "imag": "jvm" } }'),
      'c.jsonc:1:49: repositories["acme/shop"].sandbox.imag: unknown key (did you mean "image"?)',
    ],
    [
      repository('{ "sandbox": { "instance": "standard-5" } }'),
      'c.jsonc:1:61: repositories["acme/shop"].sandbox.instance: expected one of "lite", "basic", "standard-1", "standard-2", "standard-3", "standard-4", got "standard-5" (did you mean "standard-1"?)',
    ],
    [
      repository('{ "draft": "yes" }'),
      'c.jsonc:1:45: repositories["acme/shop"].draft: expected true or false, got "yes"',
    ],
    ...(
      [
        ['workflow-files', 'a rule that may be switched off', '"workflow-files" always applies'],
        ['workflow-files:a', 'a rule that may be switched off', '"workflow-files" always applies'],
        ['secret', '"secret:" and a glob', '"secret" may be switched off for some paths only'],
        ['secret:**', '"secret:" and a glob that begins with the name of a folder or file', null],
        ['secret:*/a', '"secret:" and a glob that begins with the name of a folder or file', null],
        ['large:a', '"large" without a glob', 'this rule judges the change as a whole'],
        [
          'agent-instruction',
          'the code of a rule, "code:glob" or a glob',
          'did you mean "agent-instructions"?',
        ],
        ['executable:/bin', '"executable:" and a path from the root, without a "/" before it', null],
        ['!docs/*', 'a glob with "*", "**" and "?" only', null],
      ] as const
    ).map(([allow, expected, hint]): [string, string] => [
      repository(`{ "gate": { "allow": ["${allow}"] } }`),
      `c.jsonc:1:56: repositories["acme/shop"].gate.allow[0]: expected ${expected}, got "${allow}"${hint === null ? '' : ` (${hint})`}`,
    ]),
    [
      repository('{ "gate": { "protected": ["../a"] } }'),
      'c.jsonc:1:60: repositories["acme/shop"].gate.protected[0]: expected a path without empty segments, "." and "..", got "../a"',
    ],
    [
      repository('{ "gate": { "protect": [] } }'),
      'c.jsonc:1:46: repositories["acme/shop"].gate.protect: unknown key (did you mean "protected"?)',
    ],
    [
      repository('{ "limits": { "minutes": 0 } }'),
      'c.jsonc:1:59: repositories["acme/shop"].limits.minutes: expected at least 1, got 0',
    ],
    [
      repository('{ "limits": { "minutes": 361 } }'),
      'c.jsonc:1:59: repositories["acme/shop"].limits.minutes: expected at most 360, got 361',
    ],
    [
      repository('{ "limits": { "minutes": 1.5 } }'),
      'c.jsonc:1:59: repositories["acme/shop"].limits.minutes: expected a whole number, got 1.5',
    ],
    [
      repository('{ "setup": {} }'),
      'c.jsonc:1:45: repositories["acme/shop"].setup.run: expected a text in quotes, which is missing',
    ],
    [
      repository('{ "alsoRead": ["acme/*"] }'),
      'c.jsonc:1:49: repositories["acme/shop"].alsoRead[0]: expected the exact name of a repository, such as "acme/design", got "acme/*" (list each repository by its name)',
    ],
    [
      repository('{ "alsoRead": ["design"] }'),
      'c.jsonc:1:49: repositories["acme/shop"].alsoRead[0]: expected the exact name of a repository, such as "acme/design", got "design"',
    ],
    [
      repository('{ "lfs": "yes" }'),
      'c.jsonc:1:43: repositories["acme/shop"].lfs: expected true or false, got "yes"',
    ],
    [
      repository('{ "extraHosts": ["https://docs.example.com"] }'),
      'c.jsonc:1:51: repositories["acme/shop"].extraHosts[0]: expected a host name without a scheme, such as "packages.example.com", got "https://docs.example.com"',
    ],
    [
      repository('{ "setup": { "run": "x", "optional": 1 } }'),
      'c.jsonc:1:71: repositories["acme/shop"].setup.optional: expected true or false, got 1',
    ],
    [
      '{ "defaults": { "alsoRead": ["acme/design"] } }',
      'c.jsonc:1:17: defaults.alsoRead: unknown key (known keys: model, models, effort, limits, draft, branchPrefix, commit, labels, reviewers, sandbox, budget, approval, gate, slack)',
    ],
    [
      repository('{ "commit": { "signoff": "A <a@b.example>" } }'),
      'c.jsonc:1:48: repositories["acme/shop"].commit.signoff: unknown key (did you mean "signOff"?)',
    ],
    ...[
      'Acme Bot',
      'bot@acme.example',
      '<bot@acme.example>',
      'Bot  <>',
      'Bot <a@b.example> ',
      'Bot <a@b.example>\nSigned-off-by: X <x@y.example>',
      'A\u202eB <a@b.example>',
      'A <b> <a@b.example>',
      '. <a@b.example>',
      'Bot <a@b@c.example>',
    ].map((person): [string, string] => [
      repository(`{ "commit": { "signOff": ${JSON.stringify(person)} } }`),
      `c.jsonc:1:59: repositories["acme/shop"].commit.signOff: expected a name and an e-mail address, such as "Acme Bot <bot@acme.example>", got ${JSON.stringify(person)}`,
    ]),
    [
      repository('{ "reviewers": ["Acme/core", "other/core"] }'),
      'c.jsonc:1:63: repositories["acme/shop"].reviewers[1]: expected a team of "acme", got "other/core"',
    ],
    [
      repository('{ "reviewers": ["@mona"] }'),
      'c.jsonc:1:50: repositories["acme/shop"].reviewers[0]: expected a login such as "mona", or a team such as "acme/frontend", without "@", got "@mona"',
    ],
    [
      repository(`{ "labels": ["${'x'.repeat(51)}"] }`),
      `c.jsonc:1:47: repositories["acme/shop"].labels[0]: expected at most 50 characters, got "${'x'.repeat(51)}"`,
    ],
    [
      repository('{ "model": "gpt 6" }'),
      'c.jsonc:1:45: repositories["acme/shop"].model: expected the name of a model, such as "gpt-6.1-sol", got "gpt 6"',
    ],
    [
      repository('{ "baseBranch": "a..b" }'),
      'c.jsonc:1:50: repositories["acme/shop"].baseBranch: expected the name of a branch, such as "main", got "a..b"',
    ],
    [
      repository('{ "branchPrefix": "bot/.." }'),
      'c.jsonc:1:52: repositories["acme/shop"].branchPrefix: expected the start of a branch name, at most 100 bytes, such as "airlock/", got "bot/.."',
    ],
    [
      '{ "defaults": { "branchPrefix": "" } }',
      'c.jsonc:1:33: defaults.branchPrefix: expected the start of a branch name, at most 100 bytes, such as "airlock/", got ""',
    ],
    [
      '{ "github": { "mention": "@airlock" } }',
      'c.jsonc:1:26: github.mention: expected the name that people write after "@", without the "@" and without "[bot]", got "@airlock"',
    ],
    [repository('null'), 'c.jsonc:1:34: repositories["acme/shop"]: expected an object, got null'],
    [
      '{ "repositories": {\n "acme/a": {},\n "acme/a": {} } }',
      'c.jsonc:3:2: repositories["acme/a"]: is written twice (keep one of them)',
    ],
    [
      '{ "repositories": { "acme": {} } }',
      'c.jsonc:1:21: repositories.acme: expected "owner/name" or "owner/*" (did you mean "acme/*"?)',
    ],
    [
      '{ "repositories": { "*/*": {} } }',
      'c.jsonc:1:21: repositories["*/*"]: expected an owner that is written out (with a wildcard there, anyone who installs the App could use it; list each owner)',
    ],
    [
      '{ "repositories": { "acme/**": {} } }',
      'c.jsonc:1:21: repositories["acme/**"]: expected a single "*": it matches any run of characters',
    ],
    [
      '{ "repositories": { "acme/a?": {} } }',
      'c.jsonc:1:21: repositories["acme/a?"]: expected "*" as the only wildcard',
    ],
    [
      '{ "repositories": { "!acme/a": { "draft": true } } }',
      'c.jsonc:1:21: repositories["!acme/a"]: expected {} for a key with "!": it excludes, so its settings have no effect',
    ],
    [
      '{ "repositories": { "acme/*": { "aliases": ["a"] } } }',
      'c.jsonc:1:44: repositories["acme/*"].aliases: expected no aliases on a key with "*" (list the repository by its name as well)',
    ],
    [
      '{ "repositories": { "acme/a": { "aliases": ["x"] }, "acme/b": { "aliases": ["x"] } } }',
      'c.jsonc:1:77: repositories["acme/b"].aliases[0]: "x" is already an alias of "acme/a" (an alias names one repository)',
    ],
    [
      '{ "repositories": { "acme/Shop": {}, "acme/shop": {} } }',
      'c.jsonc:1:38: repositories["acme/shop"]: "acme/Shop" and "acme/shop" are equally specific and match the same repositories (make one of them longer, or remove one)',
    ],
    [
      '{ "repositories": { "acme/a*b": {}, "acme/a*c*": {} } }',
      'c.jsonc:1:37: repositories["acme/a*c*"]: "acme/a*b" and "acme/a*c*" are equally specific and match the same repositories (make one of them longer, or remove one)',
    ],
  ])('is reported with its position and a remedy: %j', (text, expected) => {
    expect(problems(text)).toEqual([expected]);
  });

  const digest = `@sha256:${'a'.repeat(64)}`;
  const account = '0123456789abcdef0123456789abcdef';
  it.each([
    ['"docker.io/library/node:26"', 'image: expected the name of an image'],
    [`"registry.cloudflare.com/${account}/jvm:latest"`, 'image: expected the name of an image'],
    [`"registry.example.com/${account}/jvm${digest}"`, 'image: expected the name of an image'],
    [`"registry.cloudflare.com/${account}/../jvm${digest}"`, 'image: expected the name of an image'],
    [`"registry.cloudflare.com/acme/jvm${digest}"`, 'image: expected the name of an image'],
    ['"cloudflare/debian-trixie"', 'image: expected the name of an image'],
    ['"JVM"', 'image: expected the name of an image'],
    [String.raw`"jvm\n"`, 'image: expected the name of an image'],
    ['""', 'image: expected the name of an image'],
    ['null', 'image: expected a text in quotes'],
    ...[
      '/',
      '~',
      '~/',
      'opt/go',
      '/opt/../x',
      '/opt/go/.',
      '/opt/go/',
      '/opt//go',
      '~root/go',
      '/opt/a\u202Eb',
      '',
    ].map((folder) => [JSON.stringify([folder]), 'toolchains[0]: expected an absolute path']),
  ])('refuses the image or the toolchains %s', (written, expected) => {
    const key = expected.replace(/[[:].*/, '');
    const found = problems(repository(`{ "sandbox": { "${key}": ${written} } }`));
    expect(found).toEqual([expect.stringContaining(`repositories["acme/shop"].sandbox.${expected}`)]);
  });

  it.each(['jvm', 'node-26', `registry.cloudflare.com/${account}/own/jvm${digest}`])(
    'takes the image %s',
    (image) => {
      expect(problems(repository(`{ "sandbox": { "image": "${image}" } }`))).toEqual([]);
    },
  );

  it.each([
    [
      '{ "prices": { "gpt-a": { "input": 1, "output": 2 } } }',
      'c.jsonc:1:24: prices["gpt-a"].cachedInput: expected a number, which is missing',
    ],
    [
      '{ "prices": { "gpt-a": { "input": -1, "cachedInput": 0, "output": 2 } } }',
      'c.jsonc:1:35: prices["gpt-a"].input: expected at least 0, got -1',
    ],
    [
      '{ "prices": { "gpt-a": { "input": "$1", "cachedInput": 0, "output": 2 } } }',
      'c.jsonc:1:35: prices["gpt-a"].input: expected a number, got "$1"',
    ],
    [
      '{ "prices": { "gpt-a": { "in": 1, "input": 1, "cachedInput": 0, "output": 2 } } }',
      'c.jsonc:1:26: prices["gpt-a"].in: unknown key (known keys: input, cachedInput, output)',
    ],
    [
      '{ "prices": { "gpt a": { "input": 1, "cachedInput": 0, "output": 2 } } }',
      'c.jsonc:1:15: prices["gpt a"]: expected the name of a model, such as "gpt-6.1-sol", got "gpt a"',
    ],
    ['{ "prices": { "gpt-a": 2 } }', 'c.jsonc:1:24: prices["gpt-a"]: expected an object, got 2'],
  ])('is reported with its position and a remedy: %j', (text, expected) => {
    expect(problems(text)).toEqual([expected]);
  });

  it('reports every mistake of a file in the order of the lines', () => {
    expect(
      problems(
        '{\n "github": { "labl": "x" },\n "defaults": { "effort": 3 },\n "repositories": { "acme/a": { "model": "" } }\n}',
      ).map((line) => line.split(':').slice(1, 2).join('')),
    ).toEqual(['2', '3', '4']);
  });

  it('reports no tie for keys that cannot match the same repository', () => {
    expect(problems('{ "repositories": { "acme/a*b": {}, "acme/a*c": {}, "other/a*b": {} } }')).toEqual([]);
  });
});

describe('setup hosts', () => {
  const hostProblem = (host: string): string | undefined =>
    problems(repository(JSON.stringify({ setup: { run: 'x', hosts: [host] } })))[0];

  it.each(['packages.example.com', 'mirror.example.org', 'a-b.example.co.uk', 'xn--bcher-kva.example'])(
    'accepts %s',
    (host) => {
      expect(hostProblem(host)).toBeUndefined();
    },
  );

  it.each([
    ['https://packages.example.com', 'without a scheme'],
    ['packages.example.com/x', 'without a path'],
    ['packages.example.com:8443', 'without a port'],
    ['*.npmjs.org', 'not a pattern'],
    ['user@npmjs.org', 'without a user'],
    ['10.0.0.1', 'not an IP address'],
    ['169.254.169.254', 'not an IP address'],
    ['[::1]', 'not an IP address'],
    ['fe80::1', 'not an IP address'],
    ['2130706433', 'not an IP address'],
    ['0x7f.1', 'not an IP address'],
    ['localhost', 'a public host name'],
    ['db.internal', 'a public host name'],
    ['npmjs', 'a public host name'],
    ['npmjs.org.', 'a host name such as'],
    ['npm_js.org', 'a host name such as'],
    ['a b.org', 'a host name such as'],
    ['', 'a host name such as'],
    ['github.com', 'other than GitHub and OpenAI'],
    ['API.GitHub.com', 'other than GitHub and OpenAI'],
    ['raw.githubusercontent.com', 'other than GitHub and OpenAI'],
    ['api.openai.com', 'other than GitHub and OpenAI'],
  ])('refuses %j', (host, part) => {
    expect(hostProblem(host)).toContain(part);
    expect(hostProblem(host)).toContain('repositories["acme/shop"].setup.hosts[0]');
  });
});

describe('private registries', () => {
  const good = { host: 'npm.acme.example', scheme: 'bearer', secret: 'NPM_TOKEN' };
  const problemsWith = (changes: object, more: object = {}, ...others: object[]): string =>
    problems(
      repository(
        JSON.stringify({ setup: { run: 'x', registries: [{ ...good, ...changes }, ...others] }, ...more }),
      ),
    )
      .map((problem) => problem.replace(/^.*?registries\[\d\]/, ''))
      .join('\n');

  it.each<[object]>([
    [{}],
    [{ scheme: 'basic', pathPrefix: '/api/npm/private/', blobHosts: ['Blobs.acme.example'] }],
    [{ scheme: { header: 'PRIVATE-TOKEN' }, pathPrefix: '/@acme' }],
    [{ host: 'npm.pkg.github.com', blobHosts: ['pkg-npm.githubusercontent.com'] }],
    [{ host: 'maven.pkg.github.com', scheme: 'github-app', secret: undefined }],
    [{ host: 'npm.acme.ghe.com' }],
  ])('may be %j', (changes) => {
    expect(problemsWith(changes)).toBe('');
  });

  it.each<[object, string]>([
    [{ secret: undefined }, ': expected "secret": the name of a setting'],
    [{ secret: 'GITHUB_APP_PRIVATE_KEY' }, '.secret: expected a name that no setting of Airlock has'],
    [{ secret: 'OPENAI_API_KEY' }, '.secret: expected a name that no setting of Airlock has'],
    [{ secret: 'openai_api_key' }, '.secret: expected the name of a setting in capitals'],
    [{ secret: 'OPENAI_API_K\u0415Y' }, '.secret: expected the name of a setting in capitals'],
    [{ secret: '__proto__' }, '.secret: expected the name of a setting in capitals'],
    [{ secret: 'npm_a1b2c3d4e5f6' }, '.secret: expected the name of a setting in capitals'],
    [
      { scheme: 'digest' },
      '.scheme: expected "bearer", "basic", "github-app" or { "header": "PRIVATE-TOKEN" }, got "digest"',
    ],
    [
      { scheme: { header: 'Host' } },
      '.scheme.header: expected the name of a header that carries a credential',
    ],
    [{ scheme: { header: 'a: b\r\nx' } }, '.scheme.header: expected the name of a header'],
    [{ scheme: { heder: 'x' } }, '.scheme.heder: unknown key'],
    [{ scheme: 'github-app' }, ': expected no "secret" with "github-app"'],
    [
      { scheme: 'github-app', secret: undefined },
      ': expected a registry of GitHub, such as "npm.pkg.github.com"',
    ],
    [
      { scheme: 'github-app', secret: undefined, host: 'pkg-npm.githubusercontent.com' },
      ': expected a registry of GitHub',
    ],
    [{ host: 'api.github.com' }, '.host: expected a host other than GitHub and OpenAI'],
    [{ host: 'evil.npm.pkg.github.com' }, '.host: expected a host other than GitHub and OpenAI'],
    [{ host: 'files.openai.com' }, '.host: expected a host other than GitHub and OpenAI'],
    [{ host: 'metadata.google.internal' }, '.host: expected a public host name'],
    [{ host: '10.0.0.1' }, '.host: expected a host name, not an IP address'],
    [{ blobHosts: ['raw.githubusercontent.com'] }, '.blobHosts[0]: expected a host other than GitHub'],
    [{ pathPrefix: 'npm' }, '.pathPrefix: expected the beginning of a path'],
    [{ pathPrefix: '/a/../b' }, '.pathPrefix: expected the beginning of a path'],
    [{ pathPrefix: '/a%2fb' }, '.pathPrefix: expected the beginning of a path'],
    [{ pathPrefix: '/a?b' }, '.pathPrefix: expected the beginning of a path'],
    [{ token: 'npm_secret' }, '.token: unknown key'],
  ])('may not be %j', (changes, problem) => {
    expect(problemsWith(changes)).toContain(problem);
  });

  it('may not be open without the credential as well', () => {
    const both = problemsWith({}, { extraHosts: ['NPM.acme.example'] });
    expect(both).toContain(
      '"npm.acme.example" is a private registry and in "setup.hosts" or "extraHosts" as well',
    );
  });

  it('may share a host, with another path', () => {
    expect(problemsWith({}, {}, { ...good, pathPrefix: '/b', secret: 'OTHER_TOKEN' })).toBe('');
    expect(problemsWith({ pathPrefix: '/b/' }, {}, { ...good, pathPrefix: '/b' })).toContain(
      'is listed twice',
    );
  });
});
