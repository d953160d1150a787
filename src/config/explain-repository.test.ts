import { describe, expect, it } from 'vitest';
import { gateRules } from '../core/gate-rules.ts';
import { explainRepository } from './explain-repository.ts';
import { loadConfig } from './load-config.ts';
import type { AirlockConfig } from './schema.ts';

function config(value: unknown): AirlockConfig {
  const read = loadConfig(JSON.stringify(value), 'airlock.config.jsonc');
  if (!read.ok) throw new Error(read.problems.map((problem) => problem.message).join());
  return read.config;
}
const example = config({
  defaults: { model: 'gpt-a', models: ['gpt-b'], limits: { minutes: 10 }, branchPrefix: 'bot-' },
  repositories: {
    'acme/*': { effort: 'low' },
    'acme/shop-*': { draft: true, limits: { tokens: 5000 } },
    'acme/shop-web': {
      aliases: ['web'],
      baseBranch: 'develop',
      model: 'gpt-c',
      setup: {
        run: 'npm ci',
        hosts: ['Packages.example.com'],
        registries: [
          { host: 'NPM.acme.example', scheme: 'bearer', secret: 'NPM_TOKEN' },
          {
            host: 'nexus.acme.example',
            scheme: { header: 'X-Key' },
            secret: 'NEXUS_KEY',
            pathPrefix: '/maven/',
            blobHosts: ['blobs.acme.example'],
          },
          { host: 'npm.pkg.github.com', scheme: 'github-app', pathPrefix: '/@acme' },
        ],
      },
    },
    'acme/secret': { enabled: false },
    '!acme/legacy-*': {},
    'acme/legacy-keep': {},
    '!acme/*-archive': {},
    'other/a*b*c': {},
  },
});
const codes = (effect: string): string =>
  gateRules.flatMap((rule) => (rule.effect === effect ? [rule.code] : [])).join(', ');

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
      '  branch prefix: bot- (from "defaults")',
      '  sign-off: none (built in)',
      '  author of commits: the GitHub App, signed by GitHub (built in)',
      '  labels: none (built in)',
      '  reviewers: only the requester (built in)',
      '  budget a month: no cap (built in); all repositories: no cap',
      '  approval of held changes: by anyone who may use the repository (built in)',
      '  protected paths: none (built in)',
      `  gate holds for a person to commit: ${codes('hold-always')} (built in)`,
      `  gate holds until somebody approves: ${codes('hold')} (built in)`,
      `  gate marks: ${codes('mark')} (built in)`,
      '  gate leaves alone: nothing (built in)',
      '  base branch: develop (from "acme/shop-web")',
      '  setup: npm ci, may read from packages.example.com (from "acme/shop-web")',
      "  setup's private registry: npm.acme.example, every path, with NPM_TOKEN as bearer",
      "  setup's private registry: nexus.acme.example/maven/, with NEXUS_KEY as X-Key, follows redirects to blobs.acme.example",
      "  setup's private registry: npm.pkg.github.com/@acme/, with a token of the App",
      '  image on Cloudflare: the default (built in)',
      '  instance type on Cloudflare: the default (built in)',
      '  toolchains on one machine: none (built in)',
      '  also reads: no other repository (built in)',
      '  Git LFS: pointers only (built in)',
      '  extra hosts while Codex runs: none (built in)',
      '  aliases: web',
      '  at the same time: 10 tasks of this repository, 10 of one person, 20 in all',
      '  kept after the end: 30 days',
      '  from Slack: nobody (built in)',
      '  default of the Slack channels: none',
      '  price of gpt-c: not in "prices", so no cost is shown',
    ]);
  });
  it('shows each rule of the gate with its effect there', () => {
    const gate = {
      protected: ['infra/**', 'LICENSE'],
      allow: ['agent-instructions', 'secret:test/keys/**', 'docs/**/AGENTS.md', 'executable:bin'],
    };
    const lines = explainRepository(config({ repositories: { 'acme/*': { gate } } }), {
      owner: 'acme',
      name: 'x',
    }).filter((line) => /^ {2}(?:gate|protected)/.test(line));
    const from = '(from "acme/*")';
    expect(lines).toEqual([
      `  protected paths: infra/**, LICENSE ${from}`,
      `  gate holds for a person to commit: workflow-files ${from}`,
      `  gate holds until somebody approves: ${codes('hold').replace('secret', 'secret (not for test/keys/**)')} ${from}`,
      `  gate marks: ${codes('mark').replace('agent-instructions, ', '').replace('executable', 'executable (not for bin)')} ${from}`,
      `  gate leaves alone: agent-instructions, marks of docs/**/AGENTS.md ${from}`,
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

  const slackLines = (slack: unknown, channels: unknown = {}, shared?: unknown): readonly string[] =>
    explainRepository(
      config({
        slack: { team: 'T1', channels },
        prices: { 'gpt-a': { input: 1.25, cachedInput: 0.125, output: 10 } },
        defaults: { model: 'gpt-a', slack: shared },
        repositories: { 'acme/shop': { aliases: ['shop'], slack } },
      }),
      { owner: 'Acme', name: 'shop' },
    ).slice(-3);

  it.each<[string, unknown, unknown, string]>([
    ['nobody', undefined, undefined, 'nobody (built in)'],
    ['nobody, set explicitly', 'none', 'workspace', 'nobody (from "acme/shop")'],
    ['the workspace', undefined, 'workspace', 'every full member of T1, from everywhere (from "defaults")'],
    [
      'channels',
      { channels: ['C1', 'C2'] },
      undefined,
      'every full member of T1; only in C1, C2 (from "acme/shop")',
    ],
    [
      'people',
      { users: ['U1', 'U2'], groups: ['S1'] },
      undefined,
      'U1, U2, the members of S1; from everywhere (from "acme/shop")',
    ],
    [
      'people in channels',
      { users: ['U1'], channels: ['C1'] },
      undefined,
      'U1; only in C1 (from "acme/shop")',
    ],
  ])('says who may use it from Slack: %s', (_, own, shared, words) => {
    expect(slackLines(own, {}, shared)[0]).toBe(`  from Slack: ${words}`);
  });

  it('lists the channels that default to it by name or alias, and the price of its model', () => {
    expect(slackLines('workspace', { C1: 'acme/SHOP', C2: 'shop' }).slice(1)).toEqual([
      '  default of the Slack channels: C1, C2',
      '  price of gpt-a: $1.25 input, $0.125 cached input, $10 output, per million tokens',
    ]);
  });
});
