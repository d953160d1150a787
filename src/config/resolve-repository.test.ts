import { describe, expect, it } from 'vitest';
import { loadConfig } from './load-config.ts';
import {
  hasPatterns,
  machineNames,
  namedRepositories,
  priceOf,
  repositoryByAlias,
  resolveRepository,
  slackPolicyOf,
} from './resolve-repository.ts';
import type { AirlockConfig } from './schema.ts';

function config(value: unknown): AirlockConfig {
  const read = loadConfig(JSON.stringify(value), 'airlock.config.jsonc');
  if (!read.ok) throw new Error(read.problems.map((problem) => problem.message).join());
  return read.config;
}
const example = config({
  defaults: { model: 'gpt-a', models: ['gpt-b'], limits: { minutes: 10 } },
  repositories: {
    'acme/*': { effort: 'low' },
    'acme/shop-*': { draft: true, branchPrefix: 'bot-', limits: { tokens: 5000 } },
    'acme/shop-web': {
      aliases: ['web'],
      baseBranch: 'develop',
      model: 'gpt-c',
      setup: { run: 'npm ci', hosts: ['Packages.example.com'] },
    },
    'acme/secret': { enabled: false },
    '!acme/legacy-*': {},
    'acme/legacy-keep': {},
    '!acme/*-archive': {},
    'other/a*b*c': {},
  },
});
const matchedBy = (owner: string, name: string): string => {
  const policy = resolveRepository(example, { owner, name });
  return policy.allowed ? policy.matchedBy : policy.reason.code;
};

describe('resolveRepository', () => {
  it.each([
    ['acme', 'anything', 'acme/*'],
    ['ACME', 'Anything', 'acme/*'],
    ['acme', 'shop-api', 'acme/shop-*'],
    ['acme', 'shop-', 'acme/shop-*'],
    ['acme', 'shop', 'acme/*'],
    ['acme', 'Shop-Web', 'acme/shop-web'],
    ['acme', 'secret', 'repository-excluded'],
    ['acme', 'legacy-x', 'repository-excluded'],
    ['acme', 'legacy-keep', 'acme/legacy-keep'],
    ['acme', 'old-archive', 'repository-excluded'],
    ['acme', 'shop-archive', 'acme/shop-*'],
    ['acme2', 'shop', 'repository-not-listed'],
    ['ac', 'me', 'repository-not-listed'],
    ['other', 'abc', 'other/a*b*c'],
    ['other', 'axxbyyc', 'other/a*b*c'],
    ['other', 'acb', 'repository-not-listed'],
    ['other', 'ac', 'repository-not-listed'],
  ])('resolves %s/%s to %s', (owner, name, expected) => {
    expect(matchedBy(owner, name)).toBe(expected);
  });

  it('takes each setting from the entry, then from the defaults, then from the built-in values', () => {
    expect(resolveRepository(example, { owner: 'acme', name: 'shop-web' })).toEqual({
      allowed: true,
      matchedBy: 'acme/shop-web',
      aliases: ['web'],
      baseBranch: 'develop',
      model: 'gpt-c',
      models: ['gpt-c', 'gpt-b'],
      effort: 'medium',
      setup: {
        run: 'npm ci',
        hosts: ['packages.example.com'],
        registries: [],
        optional: false,
        services: false,
      },
      sandbox: { image: null, instance: null, toolchains: [] },
      alsoRead: [],
      lfs: false,
      extraHosts: [],
      limits: { minutes: 10, tokens: 2_000_000 },
      draft: false,
      branchPrefix: 'airlock/',
      commit: { signOff: null, author: null },
      labels: [],
      reviewers: [],
      budget: { tokens: null, dollars: null, perPerson: { tokens: null, dollars: null } },
      approval: 'anyone',
      gate: { protected: [], allow: [] },
      slack: { kind: 'none' },
    });
  });

  it('reads the repositories and hosts that an entry opens, each host once in lower case', () => {
    const opened = config({
      repositories: {
        'acme/shop': {
          setup: { run: 'make deps', optional: true, services: true },
          alsoRead: ['acme/design', 'Acme/Tokens'],
          lfs: true,
          extraHosts: ['Docs.example.com', 'docs.example.com'],
        },
      },
    });
    expect(resolveRepository(opened, { owner: 'acme', name: 'shop' })).toMatchObject({
      setup: { run: 'make deps', hosts: [], registries: [], optional: true, services: true },
      alsoRead: [
        { owner: 'acme', name: 'design' },
        { owner: 'Acme', name: 'Tokens' },
      ],
      lfs: true,
      extraHosts: ['docs.example.com'],
    });
  });

  it('takes each part of the machine from the entry, then from the defaults', () => {
    const read = config({
      defaults: { sandbox: { image: 'base', toolchains: ['/opt/go', '~/.rustup', '/opt/go'] } },
      repositories: {
        'acme/a': { sandbox: { image: 'jvm', instance: 'standard-2' } },
        'acme/b': { sandbox: { toolchains: [] } },
        'acme/c': { sandbox: { image: 'go' }, enabled: false },
      },
    });
    const machineOf = (name: string) => {
      const policy = resolveRepository(read, { owner: 'acme', name });
      return policy.allowed ? policy.sandbox : null;
    };
    const toolchains = ['/opt/go', '~/.rustup'];
    expect(machineOf('a')).toEqual({ image: 'jvm', instance: 'standard-2', toolchains });
    expect(machineOf('b')).toEqual({ image: 'base', instance: null, toolchains: [] });
    expect(machineNames(read)).toEqual({ images: ['base', 'jvm'], toolchains });
  });

  it('takes the gate’s protected paths and allowed rules each from the entry, then from the defaults', () => {
    const read = config({
      defaults: { gate: { protected: ['LICENSE'], allow: ['large'] } },
      repositories: { 'acme/a': { gate: { allow: ['secret:test/**', 'docs/*.md'] } }, 'acme/b': {} },
    });
    const gateOf = (name: string) => {
      const policy = resolveRepository(read, { owner: 'acme', name });
      return policy.allowed ? policy.gate : null;
    };
    expect(gateOf('b')).toEqual({ protected: ['LICENSE'], allow: [{ code: 'large', glob: null }] });
    expect(gateOf('a')).toEqual({
      protected: ['LICENSE'],
      allow: [
        { code: 'secret', glob: 'test/**' },
        { code: null, glob: 'docs/*.md' },
      ],
    });
  });
  it('takes the sign-off, author, labels and reviewers of the entry, then of the defaults, each once', () => {
    const made = config({
      defaults: {
        commit: { signOff: 'Acme Bot <bot@acme.example>', author: 'Other <o@acme.example>' },
        labels: ['bot'],
        reviewers: ['mona'],
      },
      repositories: {
        'acme/shop': {
          commit: { author: 'Ünal (ops), Jr. <u+x@acme.example>' },
          labels: [' Bot ', 'codex', 'bot'],
          reviewers: ['acme/front_end', 'Acme/Front_End'],
        },
        'acme/plain': { labels: [] },
      },
    });
    const signOff = { name: 'Acme Bot', email: 'bot@acme.example' };
    expect(resolveRepository(made, { owner: 'acme', name: 'shop' })).toMatchObject({
      commit: { signOff, author: { name: 'Ünal (ops), Jr', email: 'u+x@acme.example' } },
      labels: ['Bot', 'codex'],
      reviewers: ['acme/front_end'],
    });
    expect(resolveRepository(made, { owner: 'acme', name: 'plain' })).toMatchObject({
      commit: { signOff, author: { name: 'Other', email: 'o@acme.example' } },
      labels: [],
      reviewers: ['mona'],
    });
  });

  it('does not combine entries: a less specific key has no effect', () => {
    expect(resolveRepository(example, { owner: 'acme', name: 'shop-api' })).toMatchObject({
      effort: 'medium',
      draft: true,
      branchPrefix: 'bot-',
      limits: { minutes: 10, tokens: 5000 },
    });
  });

  it('allows nothing when nothing is listed', () => {
    expect(resolveRepository(config({}), { owner: 'acme', name: 'shop' })).toMatchObject({
      allowed: false,
      reason: { code: 'repository-not-listed' },
    });
  });
});

describe('repositoryByAlias', () => {
  it.each([
    ['web', { owner: 'acme', name: 'shop-web' }],
    [' WEB ', { owner: 'acme', name: 'shop-web' }],
    ['shop', null],
    ['', null],
  ])('resolves the alias %j', (alias, expected) => {
    expect(repositoryByAlias(example, alias)).toEqual(expected);
  });
});

describe('Slack access', () => {
  const slack = { team: 'T1' };
  const accessIn = (shared: unknown, own: unknown) => {
    const made = config({
      slack,
      defaults: { slack: shared },
      repositories: { 'acme/shop': { slack: own } },
    });
    const policy = resolveRepository(made, { owner: 'acme', name: 'shop' });
    return policy.allowed ? policy.slack : null;
  };

  it.each<[string, unknown, unknown, object]>([
    ['nobody by default', undefined, undefined, { kind: 'none' }],
    ['the workspace', undefined, 'workspace', { kind: 'workspace' }],
    ['the access of the defaults', 'workspace', undefined, { kind: 'workspace' }],
    ['nobody in spite of the defaults', 'workspace', 'none', { kind: 'none' }],
    [
      'everyone in some channels',
      undefined,
      { channels: ['C1', 'C2'] },
      { kind: 'listed', channels: ['C1', 'C2'], people: null },
    ],
    [
      'some people, from everywhere',
      undefined,
      { users: ['U1'] },
      { kind: 'listed', channels: null, people: { users: ['U1'], groups: [] } },
    ],
    [
      'some groups, from everywhere',
      undefined,
      { groups: ['S1'] },
      { kind: 'listed', channels: null, people: { users: [], groups: ['S1'] } },
    ],
    [
      'its own lists without those of the defaults',
      { channels: ['C9'], users: ['U9'] },
      { channels: ['C1'], groups: ['S1'] },
      { kind: 'listed', channels: ['C1'], people: { users: [], groups: ['S1'] } },
    ],
  ])('is granted to %s', (_, shared, own, expected) => {
    expect(accessIn(shared, own)).toEqual(expected);
  });

  it('can only be "none" without a Slack workspace', () => {
    expect(slackPolicyOf(config({ repositories: { 'acme/shop': { slack: 'none' } } }))).toBeNull();
  });
});

describe('slackPolicyOf', () => {
  it('returns the workspace, the channel defaults, the people, and which replies count', () => {
    const slack = {
      team: 'T1',
      channels: { C1: 'Acme/Shop', G2: 'web' },
      people: { U1: 'mona', W2: 'mona_acme' },
      replies: 'mentions',
    };
    const repositories = {
      'acme/*': { slack: 'workspace' },
      'acme/web': { aliases: ['web'], slack: 'workspace' },
    };
    expect(slackPolicyOf(config({ slack, repositories }))).toEqual({
      team: 'T1',
      channelDefaults: new Map([
        ['C1', { owner: 'Acme', name: 'Shop' }],
        ['G2', { owner: 'acme', name: 'web' }],
      ]),
      githubLogins: new Map([
        ['U1', 'mona'],
        ['W2', 'mona_acme'],
      ]),
      replies: 'mentions',
    });
  });
  it('counts every reply by default', () => {
    expect(slackPolicyOf(config({ slack: { team: 'E1' } }))).toEqual({
      team: 'E1',
      channelDefaults: new Map(),
      githubLogins: new Map(),
      replies: 'all',
    });
  });
});

describe('priceOf', () => {
  const price = { input: 1.25, cachedInput: 0.125, output: 10 };
  it.each([
    ['gpt-a', price],
    ['gpt-b', null],
    ['GPT-A', null],
    ['constructor', null],
  ])('returns the price of exactly the model %s', (model, expected) => {
    expect(priceOf(config({ prices: { 'gpt-a': price } }), model)).toEqual(expected);
  });
});

describe('the repositories that a person can choose', () => {
  it('are those whose own key allows them, in the spelling and order of the file', () => {
    const made = config({
      repositories: {
        'acme/Zoo': {},
        'acme/*': {},
        'acme/off': { enabled: false },
        '!acme/no': {},
        'acme/a': {},
      },
    });
    expect(namedRepositories(made)).toEqual([
      { owner: 'acme', name: 'Zoo' },
      { owner: 'acme', name: 'a' },
    ]);
  });
  it.each([
    [{ 'acme/*': {} }, true],
    [{ 'acme/a': {} }, false],
    [{ '!acme/*': {}, 'acme/a': {} }, false],
    [{ 'acme/*': { enabled: false } }, false],
    [{}, false],
  ])('are not all if a key with "*" allows more: %j', (repositories, expected) => {
    expect(hasPatterns(config({ repositories }))).toBe(expected);
  });
});
