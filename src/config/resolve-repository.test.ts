import { describe, expect, it } from 'vitest';
import { loadConfig } from './load-config.ts';
import { explainRepository, repositoryByAlias, resolveRepository } from './resolve-repository.ts';
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
    'acme/shop-*': { draft: true, limits: { tokens: 5000 } },
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
  ])('%s/%s → %s', (owner, name, expected) => {
    expect(matchedBy(owner, name)).toBe(expected);
  });

  it('takes each setting from the entry, then from the defaults, then from what is built in', () => {
    expect(resolveRepository(example, { owner: 'acme', name: 'shop-web' })).toEqual({
      allowed: true,
      matchedBy: 'acme/shop-web',
      aliases: ['web'],
      baseBranch: 'develop',
      model: 'gpt-c',
      models: ['gpt-c', 'gpt-b'],
      effort: 'medium',
      setup: { run: 'npm ci', hosts: ['packages.example.com'] },
      limits: { minutes: 10, tokens: 2_000_000 },
      draft: false,
    });
  });

  it('does not add entries up: what a less specific key says has no effect', () => {
    expect(resolveRepository(example, { owner: 'acme', name: 'shop-api' })).toMatchObject({
      effort: 'medium',
      draft: true,
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
  ])('%j', (alias, expected) => {
    expect(repositoryByAlias(example, alias)).toEqual(expected);
  });
});

describe('explainRepository', () => {
  it('says which key applies, which do not, and where each setting is from', () => {
    expect(explainRepository(example, { owner: 'acme', name: 'shop-web' })).toEqual([
      'acme/shop-web: allowed by "acme/shop-web"',
      '  "acme/shop-*" matches too, but is less specific and has no effect',
      '  "acme/*" matches too, but is less specific and has no effect',
      '  model: gpt-c (from "acme/shop-web")',
      '  models for --model: gpt-c, gpt-b (from "defaults")',
      '  effort: medium (built in)',
      '  minutes: 10 (from "defaults")',
      '  tokens: 2000000 (built in)',
      '  draft: no (built in)',
      '  base branch: develop (from "acme/shop-web")',
      '  setup: npm ci, may read from packages.example.com (from "acme/shop-web")',
      '  aliases: web',
    ]);
  });
  it('says why a repository is refused', () => {
    expect(explainRepository(example, { owner: 'acme', name: 'secret' })).toEqual([
      'acme/secret: refused by "acme/secret"',
      '  "acme/*" matches too, but is less specific and has no effect',
    ]);
    expect(explainRepository(example, { owner: 'else', name: 'where' })).toEqual([
      'else/where: refused, because no key under "repositories" matches it',
    ]);
  });
});
