import { describe, expect, it } from 'vitest';
import type { Grant } from '../core/grant.ts';
import { canaryHost, decideEgress } from './decide.ts';
import { urlOf } from '../../probes/attacks/spelled.ts';
import { allAttacks } from '../../probes/attacks/table.ts';
import { exampleGrant } from '../../test/fixtures/example-grant.ts';

interface Case {
  readonly method?: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly grant?: Partial<Grant>;
}
/** What a verdict comes to: where it leads, or the rule that denied. */
function outcome({ method = 'GET', url, headers = {}, grant = {} }: Case): string {
  const verdict = decideEgress(
    { method, url, header: (name) => headers[name] ?? null },
    { ...exampleGrant, ...grant },
    ['ghe.example.com'],
  );
  switch (verdict.kind) {
    case 'deny':
      return `deny ${verdict.rule}`;
    case 'answer':
      return `${verdict.rule}: ${verdict.body}`;
    case 'allow-github':
      return `${verdict.rule}: ${verdict.repository.owner}/${verdict.repository.name} ${verdict.endpoint}`;
    case 'inspect-lfs':
      return `${verdict.rule}: ${verdict.repository.owner}/${verdict.repository.name}`;
    case 'fetch-lfs-object':
      return `${verdict.rule}: ${verdict.repository.owner}/${verdict.repository.name} ${verdict.oid.slice(0, 4)} ${verdict.size}`;
    case 'inspect-openai':
      return verdict.rule;
    case 'allow-host':
    case 'allow-registry':
      return `${verdict.rule}: ${verdict.method} ${verdict.target}`;
  }
}

const repository = 'https://github.com/acme/split-bill.git';
const infoRefs = '/info/refs?service=git-upload-pack';
const uploadPack = { 'content-type': 'application/x-git-upload-pack-request' };
const lfs = { 'content-type': 'application/vnd.git-lfs+json' };
const json = { 'content-type': 'application/json' };
const oid = 'ab12'.repeat(16);
const responses = 'https://api.openai.com/v1/responses';

/** What each rule allows, and where it leads. What is close to it and denied is in the attack table. */
const rules: Readonly<Record<string, readonly [Case, string][]>> = {
  'the start of a fetch': [
    [
      { url: `${repository}${infoRefs}` },
      `github.info-refs: Acme/Split-Bill info/refs?service=git-upload-pack`,
    ],
    [
      { url: `https://github.com/ACME/SPLIT-BILL${infoRefs}` },
      `github.info-refs: Acme/Split-Bill info/refs?service=git-upload-pack`,
    ],
    [
      { url: `http://github.com/acme/split-bill${infoRefs}`, grant: { phase: 'clone' } },
      `github.info-refs: Acme/Split-Bill info/refs?service=git-upload-pack`,
    ],
    [
      { url: `https://github.com/acme/shared.css.git${infoRefs}` },
      `github.info-refs: acme/shared.css info/refs?service=git-upload-pack`,
    ],
    [
      { url: `${repository}${infoRefs}`, headers: { 'git-protocol': 'version=2', host: 'GitHub.com:443' } },
      `github.info-refs: Acme/Split-Bill info/refs?service=git-upload-pack`,
    ],
  ],
  'a fetch': [
    [
      { method: 'POST', url: `${repository}/git-upload-pack`, headers: uploadPack },
      'github.upload-pack: Acme/Split-Bill git-upload-pack',
    ],
    [
      {
        method: 'POST',
        url: `${repository}/git-upload-pack`,
        headers: {
          ...uploadPack,
          'content-encoding': 'gzip',
          'transfer-encoding': 'chunked',
          expect: '100-continue',
        },
      },
      'github.upload-pack: Acme/Split-Bill git-upload-pack',
    ],
  ],
  'an LFS batch': [
    [
      {
        method: 'POST',
        url: `${repository}/info/lfs/objects/batch`,
        headers: lfs,
        grant: { phase: 'clone' },
      },
      'github.lfs-batch: Acme/Split-Bill',
    ],
  ],
  'an LFS object': [
    [
      { url: `${repository}/info/lfs/objects/${oid}/12`, grant: { phase: 'clone' } },
      'github.lfs-object: Acme/Split-Bill ab12 12',
    ],
  ],
  'a model request': [
    [{ method: 'POST', url: responses, headers: json }, 'openai.responses'],
    [
      {
        method: 'POST',
        url: responses,
        headers: { 'content-type': 'Application/JSON; charset=utf-8', 'content-encoding': 'identity' },
      },
      'openai.responses',
    ],
    [{ method: 'POST', url: 'http://api.openai.com/v1/responses', headers: json }, 'openai.responses'],
  ],
  'the list of models': [
    [
      { url: 'https://api.openai.com/v1/models' },
      'openai.models: {"object":"list","data":[{"id":"gpt-6.1-sol","object":"model","created":0,"owned_by":"openai"},{"id":"gpt-5.5","object":"model","created":0,"owned_by":"openai"}]}',
    ],
  ],
  'a host of the setup phase': [
    [
      { url: 'https://registry.example.com/@scope%2fname?x=1', grant: { phase: 'setup' } },
      'host.setup: GET https://registry.example.com/@scope%2fname?x=1',
    ],
    [
      {
        method: 'HEAD',
        url: 'http://registry.example.com/',
        grant: { phase: 'setup' },
        headers: { 'content-length': '0' },
      },
      'host.setup: HEAD https://registry.example.com/',
    ],
    [
      { url: 'https://both.example.com/', grant: { phase: 'setup' } },
      'host.setup: GET https://both.example.com/',
    ],
  ],
  'a host of the run': [
    [{ url: 'https://docs.example.com/a/b' }, 'host.extra: GET https://docs.example.com/a/b'],
    [{ url: 'https://both.example.com/' }, 'host.extra: GET https://both.example.com/'],
  ],
  'a private registry': [
    [
      { url: 'https://npm.example.com/private/@acme%2fcents?x=1', grant: { phase: 'setup' } },
      'registry.fetch: GET https://npm.example.com/private/@acme%2fcents?x=1',
    ],
    [
      { method: 'HEAD', url: 'http://npm.example.com/private', grant: { phase: 'setup' } },
      'registry.fetch: HEAD https://npm.example.com/private',
    ],
    [
      { url: 'https://npm.example.com/private%2fcents-1.0.0.tgz', grant: { phase: 'setup' } },
      'registry.fetch: GET https://npm.example.com/private%2fcents-1.0.0.tgz',
    ],
  ],
  'a list that names what no list may name': [
    [
      { url: 'https://a.example.com/', grant: { extraHosts: ['a.example.com'] } },
      'host.extra: GET https://a.example.com/',
    ],
  ],
  'the canary': [[{ url: `https://${canaryHost}/d2f1c0ffee` }, 'canary: d2f1c0ffee']],
  'a budget that is not used up': [
    [
      {
        url: 'https://docs.example.com/',
        grant: { used: { requests: 99, tokens: 5_000, bytesUp: 9_999_999, bytesDown: 99_999 } },
      },
      'host.extra: GET https://docs.example.com/',
    ],
  ],
};

describe.each(Object.entries(rules))('decideEgress on %s', (_, rows) => {
  it.each(rows)('allows %j', (request, expected) => {
    expect(outcome(request)).toBe(expected);
  });
});

/** The URLs that are close to what a rule allows. */
const near: Readonly<Record<string, RegExp>> = {
  'github.info-refs': /^https:\/\/github\.com\/.*\/info\/refs/,
  'github.upload-pack': /^https:\/\/github\.com\/.*\/git-upload-pack/,
  'github.lfs-batch': /\/info\/lfs\/objects\/batch/,
  'github.lfs-object': /\/info\/lfs\/objects\/ab12/i,
  'openai.responses': /^https:\/\/api\.openai\.com\/v1\/responses$/,
  'openai.models': /^https:\/\/api\.openai\.com\/v1\/models/,
  'host.setup': /^https:\/\/registry\.example\.com/,
  'registry.fetch': /^https:\/\/npm\.example\.com/,
  'host.extra': /^https:\/\/docs\.example\.com/,
  canary: /canary\.airlock\.invalid\//,
};

describe('the attack table', () => {
  it.each(Object.entries(near))('denies at least three requests that are close to %s', (_, url) => {
    const close = allAttacks.filter(
      ({ pieces, expect: { decisions } }) =>
        pieces.kind === 'request' && url.test(urlOf(pieces)) && decisions[0]?.verdict === 'denied',
    );
    expect(close.length).toBeGreaterThanOrEqual(3);
  });

  it('knows every rule that allows', () => {
    const allowing = Object.values(rules).flatMap((rows) => rows.map(([, to]) => to.split(':')[0]));
    expect(new Set(allowing)).toEqual(new Set(Object.keys(near)));
  });
});
