import { describe, expect, it } from 'vitest';
import { deployedAddress, imageKind } from './judge.ts';
import { targetIn } from './wrangler-config.ts';

describe('the address of a deployment', () => {
  const line = (targets: unknown) => JSON.stringify({ type: 'deploy', version: 1, targets });
  it.each([
    ['a workers.dev address', line(['https://airlock.acme.workers.dev']), 'https://airlock.acme.workers.dev'],
    ['a custom domain', line(['bot.example.com (custom domain)']), 'https://bot.example.com'],
    [
      'one beside a schedule',
      line(['schedule: */5 * * * *', 'https://a.b.workers.dev']),
      'https://a.b.workers.dev',
    ],
    ['a route for a part of a site', line(['example.com/airlock/*']), null],
    ['nothing but a schedule', line(['schedule: * * * * *']), null],
    ['no targets', line(null), null],
    ['an unfinished file', `${line(['https://a.b.workers.dev'])}\n{"type":"dep`, 'https://a.b.workers.dev'],
    ['another kind of line', JSON.stringify({ type: 'version-upload', targets: ['https://a.b'] }), null],
    ['an empty file', '', null],
  ])('is read off %s', (_, text, address) => {
    expect(deployedAddress(text)).toBe(address);
  });
});

describe('an image', () => {
  it.each([
    ['./container/Dockerfile', 'dockerfile'],
    ['../Dockerfile', 'dockerfile'],
    ['container/Dockerfile', 'dockerfile'],
    ['registry.cloudflare.com/0123/airlock:1', 'prebuilt'],
    ['docker.io/acme/airlock@sha256:00', 'prebuilt'],
  ])('%s is a %s', (image, kind) => {
    expect(imageKind(image).kind).toBe(kind);
  });
});

describe('the target in wrangler.jsonc', () => {
  const text = `{ // top
    "vars": { "A": "1" }, "containers": [{ "image": "./x" }],
    "env": { "staging": { "vars": { "B": "1" } }, "production": { "containers": [{ "image": "registry/y" }] } },
  }`;
  it.each([
    [null, ['A'], ['./x']],
    ['staging', ['B'], ['./x']],
    ['production', [], ['registry/y']],
  ])('of %s', (environment, vars, images) => {
    expect(targetIn(text, environment)).toEqual({ environment, vars, images });
  });
  it('is named when it is not there', () => {
    expect(() => targetIn(text, 'test')).toThrow('has no environment "test"; it has: staging, production.');
  });
});
