import { describe, expect, it } from 'vitest';
import { deployedAs, imageKind, needsDigest, secretsProblem } from './judge.ts';
import { wranglerConfigSchema } from './deployment-environments.ts';
import { targetIn } from './target.ts';

describe('the address of a deployment', () => {
  const line = (targets: unknown) =>
    JSON.stringify({ type: 'deploy', version: 1, version_id: 'f00', targets });
  it.each([
    ['a workers.dev address', line(['https://airlock.acme.workers.dev']), 'https://airlock.acme.workers.dev'],
    ['a custom domain', line(['bot.example.com (custom domain)']), 'https://bot.example.com'],
    [
      'an address after a schedule',
      line(['schedule: */5 * * * *', 'https://a.b.workers.dev']),
      'https://a.b.workers.dev',
    ],
    ['a route for a part of a site', line(['example.com/airlock/*']), null],
    ['only a schedule', line(['schedule: * * * * *']), null],
    ['no targets', line(null), null],
    ['an unfinished file', `${line(['https://a.b.workers.dev'])}\n{"type":"dep`, 'https://a.b.workers.dev'],
    ['another kind of line', JSON.stringify({ type: 'version-upload', targets: ['https://a.b'] }), null],
    ['an empty file', '', null],
  ])('is read from %s', (_, text, address) => {
    expect(deployedAs(text).address).toBe(address);
  });
  it.each([
    ['the id of the uploaded version', line([]), 'f00'],
    ['no id if wrangler reports none', JSON.stringify({ type: 'deploy', targets: [] }), null],
    ['no id for an empty file', '', null],
  ])('comes with %s', (_, text, id) => {
    expect(deployedAs(text).versionId).toBe(id);
  });
});

describe('the secrets of a deployment', () => {
  const needed = [
    'GITHUB_APP_ID',
    'GITHUB_APP_PRIVATE_KEY',
    'GITHUB_WEBHOOK_SECRET',
    'OPENAI_API_KEY',
    'API_TOKEN',
  ];
  const ofSlack = ['SLACK_BOT_TOKEN', 'SLACK_SIGNING_SECRET'];
  const problem = (names: readonly string[], usesSlack: boolean) =>
    secretsProblem({
      code: 0,
      stdout: JSON.stringify(names.map((name) => ({ name }))),
      output: '',
      given: [],
      environmentFlag: '--env staging ',
      usesSlack,
    });
  it.each([
    ['without Slack', needed, false],
    ['with Slack', [...needed, ...ofSlack], true],
  ])('are complete %s', (_, names, usesSlack) => {
    expect(problem(names, usesSlack)).toBeNull();
  });
  it.each([
    ['a missing secret', needed.slice(1), false, /missing: GITHUB_APP_ID\./],
    [
      'a workspace without Slack’s secrets',
      needed,
      true,
      /neither .*SLACK_SIGNING_SECRET.*--env staging; or/,
    ],
    ['one of Slack’s two secrets', [...needed, 'SLACK_BOT_TOKEN'], true, /only SLACK_BOT_TOKEN is set/],
    ['Slack’s secrets without a workspace', [...needed, ...ofSlack], false, /names no workspace/],
  ])('are refused for %s', (_, names, usesSlack, message) => {
    expect(problem(names, usesSlack)).toMatch(message);
  });
});

describe('an image', () => {
  it.each([
    ['./container/Dockerfile', 'dockerfile'],
    ['../Dockerfile', 'dockerfile'],
    ['container/Dockerfile', 'dockerfile'],
    ['registry.cloudflare.com/0123/airlock:1', 'prebuilt'],
    ['docker.io/acme/airlock@sha256:00', 'prebuilt'],
  ])('recognizes %s as a %s', (image, kind) => {
    expect(imageKind(image).kind).toBe(kind);
  });
  it.each([
    ['production', false, true],
    ['production', true, false],
    ['staging', false, false],
    [null, false, false],
  ])('decides for %s (dry run: %s) whether it needs a digest: %s', (environment, dryRun, needed) => {
    expect(needsDigest(environment, dryRun)).toBe(needed);
  });
});

describe('the target in wrangler.jsonc', () => {
  const container = { class_name: 'TaskSandbox' };
  const native = {
    ...container,
    scheduling_policy: 'durable_object',
    images: { base: { dockerfile: './z', build_context: '.' }, jvm: { image: 'registry/jvm' } },
  };
  const config = wranglerConfigSchema.parse({
    name: 'airlock',
    main: 'src/index-sdk.ts',
    compatibility_date: '2026-10-20',
    compatibility_flags: [],
    durable_objects: { bindings: [] },
    workflows: [],
    vars: { A: '1' },
    containers: [{ ...container, image: './x' }],
    env: {
      staging: { vars: { B: '1' }, containers: [{ ...container, image: 'registry/y' }] },
      production: { containers: [native] },
    },
  });
  it.each([
    [null, 'sdk', ['A'], ['./x']],
    ['staging', 'sdk', ['B'], ['registry/y']],
    ['production', 'native', [], ['./z', 'registry/jvm']],
  ])(
    'has for environment %s the kind of sandbox %s, variables and images',
    (environment, sandbox, vars, images) => {
      expect(targetIn(config, environment)).toEqual({ environment, sandbox, vars, images });
    },
  );
  it('is refused by name if it does not exist', () => {
    expect(() => targetIn(config, 'test')).toThrow('has no environment "test"; it has: staging, production.');
  });
});
