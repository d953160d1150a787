import { describe, expect, it } from 'vitest';
import type { Grant } from '../core/grant.ts';
import { canaryHost, decideEgress } from './decide.ts';
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
const used = exampleGrant.used;

/** The specification: what each rule lets through, and what is close to it but refused. */
const rules: Readonly<
  Record<string, { readonly allow: readonly [Case, string][]; readonly deny: readonly [Case, string][] }>
> = {
  'the start of a fetch': {
    allow: [
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
    deny: [
      [{ url: `${repository}/info/refs?service=git-receive-pack` }, 'github.receive-pack'],
      [{ url: `${repository}${infoRefs}&service=git-receive-pack` }, 'github.receive-pack'],
      [{ url: `${repository}/info/refs` }, 'github.query'],
      [{ url: `${repository}${infoRefs}&x=1` }, 'github.query'],
      [{ url: `${repository}/info/refs?service=GIT-UPLOAD-PACK` }, 'github.query'],
      [{ url: `${repository}/info/refs?Service=git-upload-pack` }, 'github.query'],
      [{ url: `${repository}/info/refs?service=git-upload-archive` }, 'github.query'],
      [{ url: `${repository}/info/refs?service=git%2dupload-pack` }, 'github.query'],
      [{ method: 'HEAD', url: `${repository}${infoRefs}` }, 'github.method'],
      [{ url: `${repository}${infoRefs}`, headers: { 'content-length': '6' } }, 'http.body'],
      [{ url: `${repository}${infoRefs}`, headers: { 'transfer-encoding': 'chunked' } }, 'http.body'],
      [{ method: 'POST', url: `${repository}${infoRefs}` }, 'github.method'],
      [{ url: `https://github.com/mallory/loot.git${infoRefs}` }, 'github.repository'],
      [{ url: `https://github.com/acme/split-bill.git.git${infoRefs}` }, 'github.repository'],
      [{ url: `https://github.com/acme/split-bill-2${infoRefs}` }, 'github.repository'],
      [{ url: `https://github.com/acme/split-bill.wiki.git${infoRefs}` }, 'github.repository'],
      [{ url: `${repository}${infoRefs}`, grant: { phase: 'setup' } }, 'phase.closed'],
      [{ url: `${repository}${infoRefs}`, grant: { phase: 'sealed' } }, 'phase.closed'],
    ],
  },
  'a fetch': {
    allow: [
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
    deny: [
      [{ method: 'POST', url: `${repository}/git-receive-pack`, headers: uploadPack }, 'github.receive-pack'],
      [{ url: `${repository}/git-upload-pack` }, 'github.method'],
      [{ method: 'PUT', url: `${repository}/git-upload-pack`, headers: uploadPack }, 'github.method'],
      [{ method: 'POST', url: `${repository}/git-upload-pack` }, 'github.content-type'],
      [
        {
          method: 'POST',
          url: `${repository}/git-upload-pack`,
          headers: { 'content-type': 'application/x-git-receive-pack-request' },
        },
        'github.content-type',
      ],
      [
        {
          method: 'POST',
          url: `${repository}/git-upload-pack`,
          headers: { ...uploadPack, 'content-encoding': 'br' },
        },
        'github.encoding',
      ],
      [{ method: 'POST', url: `${repository}/git-upload-pack?x`, headers: uploadPack }, 'github.query'],
      [{ method: 'POST', url: `${repository}/git-upload-archive`, headers: uploadPack }, 'github.path'],
      [
        { method: 'POST', url: 'https://github.com/mallory/loot/git-upload-pack', headers: uploadPack },
        'github.repository',
      ],
    ],
  },
  'an LFS batch': {
    allow: [
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
    deny: [
      [
        {
          method: 'POST',
          url: `${repository}/info/lfs/objects/batch`,
          headers: lfs,
          grant: { phase: 'clone', lfs: false },
        },
        'github.lfs-off',
      ],
      [{ method: 'POST', url: `${repository}/info/lfs/objects/batch`, headers: lfs }, 'phase.closed'],
      [
        {
          method: 'POST',
          url: 'https://github.com/acme/shared.css/info/lfs/objects/batch',
          headers: lfs,
          grant: { phase: 'clone' },
        },
        'github.repository',
      ],
      [
        {
          method: 'POST',
          url: `${repository}/info/lfs/objects/batch?x`,
          headers: lfs,
          grant: { phase: 'clone' },
        },
        'github.query',
      ],
      [
        {
          method: 'POST',
          url: `${repository}/info/lfs/objects/batch`,
          headers: json,
          grant: { phase: 'clone' },
        },
        'github.content-type',
      ],
      [
        {
          method: 'POST',
          url: `${repository}/info/lfs/objects/batch`,
          headers: { ...lfs, 'content-encoding': 'gzip' },
          grant: { phase: 'clone' },
        },
        'github.encoding',
      ],
      [{ url: `${repository}/info/lfs/objects/batch`, grant: { phase: 'clone' } }, 'github.method'],
      [
        { method: 'POST', url: `${repository}/info/lfs/locks`, headers: lfs, grant: { phase: 'clone' } },
        'github.lfs',
      ],
    ],
  },
  'an LFS object': {
    allow: [
      [
        { url: `${repository}/info/lfs/objects/${oid}/12`, grant: { phase: 'clone' } },
        'github.lfs-object: Acme/Split-Bill ab12 12',
      ],
    ],
    deny: [
      [{ url: `${repository}/info/lfs/objects/${oid}/12` }, 'phase.closed'],
      [
        { url: `${repository}/info/lfs/objects/${oid}/12`, grant: { phase: 'clone', lfs: false } },
        'github.lfs-off',
      ],
      [
        { method: 'PUT', url: `${repository}/info/lfs/objects/${oid}/12`, grant: { phase: 'clone' } },
        'github.method',
      ],
      [
        { url: `${repository}/info/lfs/objects/${oid.toUpperCase()}/12`, grant: { phase: 'clone' } },
        'github.lfs',
      ],
      [{ url: `${repository}/info/lfs/objects/${oid}/-1`, grant: { phase: 'clone' } }, 'github.lfs'],
      [
        {
          url: `${repository}/info/lfs/objects/${oid}/12`,
          grant: { phase: 'clone' },
          headers: { 'content-length': '6' },
        },
        'http.body',
      ],
    ],
  },
  'a model request': {
    allow: [
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
    deny: [
      [{ url: responses, headers: json }, 'openai.method'],
      [{ method: 'POST', url: `${responses}?x=1`, headers: json }, 'openai.query'],
      [{ method: 'POST', url: `${responses}/`, headers: json }, 'openai.path'],
      [{ method: 'POST', url: `${responses}/compact`, headers: json }, 'openai.path'],
      [{ method: 'POST', url: 'https://api.openai.com//v1/responses', headers: json }, 'openai.path'],
      [{ method: 'POST', url: 'https://api.openai.com/V1/responses', headers: json }, 'openai.path'],
      [{ method: 'POST', url: 'https://api.openai.com/v1/%72esponses', headers: json }, 'openai.path'],
      [{ method: 'POST', url: responses, headers: { 'content-type': 'text/plain' } }, 'openai.content-type'],
      [{ method: 'POST', url: responses }, 'openai.content-type'],
      [
        { method: 'POST', url: responses, headers: { ...json, 'content-encoding': 'gzip' } },
        'openai.encoding',
      ],
      [
        { method: 'POST', url: responses, headers: { ...json, 'content-encoding': 'identity, gzip' } },
        'openai.encoding',
      ],
      [{ method: 'POST', url: responses, headers: { ...json, 'content-length': '16777217' } }, 'openai.size'],
      [{ method: 'POST', url: responses, headers: json, grant: { phase: 'clone' } }, 'phase.closed'],
      [{ method: 'POST', url: responses, headers: json, grant: { phase: 'setup' } }, 'phase.closed'],
      [{ method: 'POST', url: responses, headers: json, grant: { phase: 'sealed' } }, 'phase.closed'],
      [
        { method: 'POST', url: responses, headers: json, grant: { used: { ...used, tokens: 1_000 } } },
        'budget.tokens',
      ],
    ],
  },
  'the list of models': {
    allow: [
      [
        { url: 'https://api.openai.com/v1/models' },
        'openai.models: {"object":"list","data":[{"id":"gpt-6.1-sol","object":"model","created":0,"owned_by":"openai"},{"id":"gpt-5.5","object":"model","created":0,"owned_by":"openai"}]}',
      ],
    ],
    deny: [
      [{ url: 'https://api.openai.com/v1/models/gpt-6.1-sol' }, 'openai.path'],
      [{ method: 'DELETE', url: 'https://api.openai.com/v1/models' }, 'openai.method'],
      [{ url: 'https://api.openai.com/v1/models?x' }, 'openai.query'],
      [{ url: 'https://api.openai.com/v1/models', grant: { phase: 'setup' } }, 'phase.closed'],
    ],
  },
  'a host of the setup phase': {
    allow: [
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
    deny: [
      [{ url: 'https://registry.example.com/' }, 'phase.closed'],
      [{ url: 'https://registry.example.com/', grant: { phase: 'clone' } }, 'phase.closed'],
      [{ url: 'https://registry.example.com/', grant: { phase: 'sealed' } }, 'phase.closed'],
      [{ url: 'https://docs.example.com/', grant: { phase: 'setup' } }, 'phase.closed'],
      [{ method: 'POST', url: 'https://registry.example.com/', grant: { phase: 'setup' } }, 'host.method'],
      [{ method: 'OPTIONS', url: 'https://registry.example.com/', grant: { phase: 'setup' } }, 'host.method'],
      [
        {
          url: 'https://registry.example.com/',
          headers: { 'content-length': '1' },
          grant: { phase: 'setup' },
        },
        'host.body',
      ],
      [
        {
          url: 'https://registry.example.com/',
          headers: { 'transfer-encoding': 'chunked' },
          grant: { phase: 'setup' },
        },
        'host.body',
      ],
      [{ url: 'https://sub.registry.example.com/', grant: { phase: 'setup' } }, 'host.not-granted'],
      [{ url: 'https://registry.example.com./', grant: { phase: 'setup' } }, 'host.not-granted'],
      [{ url: 'https://registry.example.com:8443/', grant: { phase: 'setup' } }, 'url.port'],
    ],
  },
  'a host of the run': {
    allow: [
      [{ url: 'https://docs.example.com/a/b' }, 'host.extra: GET https://docs.example.com/a/b'],
      [{ url: 'https://both.example.com/' }, 'host.extra: GET https://both.example.com/'],
    ],
    deny: [
      [{ url: 'https://docs.example.com/', grant: { phase: 'clone' } }, 'phase.closed'],
      [{ url: 'https://docs.example.com/', grant: { phase: 'sealed' } }, 'phase.closed'],
      [{ method: 'PUT', url: 'https://docs.example.com/' }, 'host.method'],
    ],
  },
  'a list that names what no list may name': {
    allow: [
      [
        { url: 'https://a.example.com/', grant: { extraHosts: ['a.example.com'] } },
        'host.extra: GET https://a.example.com/',
      ],
    ],
    deny: [
      'api.github.com',
      'gist.github.com',
      'raw.githubusercontent.com',
      'api.openai.com.',
      'files.openai.com',
      'chatgpt.com',
      'ghe.example.com',
      'api.ghe.example.com',
      'localhost',
      '127.0.0.1',
      '[::1]',
      'metadata.7',
    ].map((host): [Case, string] => [
      { url: `https://${host}/`, grant: { extraHosts: [host] } },
      host === 'metadata.7' ? 'url.invalid' : 'host.reserved',
    ]),
  },
  'the canary': {
    allow: [[{ url: `https://${canaryHost}/d2f1c0ffee` }, 'canary: d2f1c0ffee']],
    deny: [
      [{ url: `https://${canaryHost}/d2f1c0ffee?x` }, 'canary.mismatch'],
      [{ method: 'POST', url: `https://${canaryHost}/d2f1c0ffee` }, 'canary.mismatch'],
      [{ url: `https://${canaryHost}/another` }, 'canary.mismatch'],
      [{ url: `https://forbidden.${canaryHost}/d2f1c0ffee` }, 'canary.mismatch'],
    ],
  },
  'a budget that is not used up': {
    allow: [
      [
        {
          url: 'https://docs.example.com/',
          grant: { used: { requests: 99, tokens: 5_000, bytesUp: 9_999_999, bytesDown: 99_999 } },
        },
        'host.extra: GET https://docs.example.com/',
      ],
    ],
    deny: [
      [{ url: 'https://docs.example.com/', grant: { used: { ...used, requests: 100 } } }, 'budget.requests'],
      [
        { url: `${repository}${infoRefs}`, grant: { used: { ...used, bytesUp: 10_000_000 } } },
        'budget.bytes-up',
      ],
      [
        { method: 'POST', url: responses, headers: json, grant: { used: { ...used, bytesDown: 100_000 } } },
        'budget.bytes-down',
      ],
    ],
  },
};

describe.each(Object.entries(rules))('%s', (_, { allow, deny }) => {
  it.each(allow)('passes: %j', (request, expected) => {
    expect(outcome(request)).toBe(expected);
  });
  it.each(deny)('is refused: %j (%s)', (request, rule) => {
    expect(outcome(request)).toBe(`deny ${rule}`);
  });
  it('has a row that passes and three that do not', () => {
    expect(allow.length).toBeGreaterThanOrEqual(1);
    expect(deny.length).toBeGreaterThanOrEqual(3);
  });
});

/** The groups of attacks that a head can carry, by the name they have in the probe suite. */
const attacks: Readonly<Record<string, readonly [Case, string][]>> = {
  'push with an own token': [
    [
      {
        method: 'POST',
        url: 'https://github.com/mallory/loot.git/git-receive-pack',
        headers: { authorization: 'Basic own' },
      },
      'github.receive-pack',
    ],
    [
      {
        url: 'https://github.com/mallory/loot.git/info/refs?service=git-receive-pack',
        headers: { authorization: 'Basic own' },
      },
      'github.receive-pack',
    ],
    [
      { method: 'POST', url: 'https://mallory:ghp_own@github.com/mallory/loot.git/git-receive-pack' },
      'url.userinfo',
    ],
  ],
  'clone of another repository': [
    [{ url: `https://github.com/mallory/loot${infoRefs}` }, 'github.repository'],
    [{ url: `https://github.com/acme/other.git${infoRefs}` }, 'github.repository'],
    [{ url: 'https://github.com/acme/split-bill/HEAD' }, 'github.path'],
    [{ url: 'https://github.com/acme/split-bill.git/objects/info/packs' }, 'github.path'],
  ],
  'other hosts of GitHub': [
    'api.github.com',
    'raw.githubusercontent.com',
    'gist.github.com',
    'codeload.github.com',
    'uploads.github.com',
    'objects.githubusercontent.com',
    'www.github.com',
    'ssh.github.com',
    'ghcr.io',
  ].map((host): [Case, string] => [{ url: `https://${host}/acme/split-bill` }, 'host.not-granted']),
  'pages of GitHub': [
    '/',
    '/acme/split-bill',
    '/acme/split-bill/archive/main.zip',
    '/acme/split-bill/releases/download/v1/x',
    '/acme/split-bill/issues',
    '/login/oauth/authorize',
    '/acme/split-bill.git/info/grafts',
  ].map((path): [Case, string] => [{ url: `https://github.com${path}` }, 'github.path']),
  'path tricks': [
    [{ url: `https://github.com/acme/split-bill/../../mallory/loot${infoRefs}` }, 'url.not-plain'],
    [{ url: `https://github.com/acme/split-bill/./${infoRefs}` }, 'url.not-plain'],
    [{ url: `https://github.com/acme/split-bill/%2e%2e/loot${infoRefs}` }, 'url.not-plain'],
    [{ url: `https://github.com/acme/%2E%2e/loot${infoRefs}` }, 'url.not-plain'],
    [{ url: `https://github.com/acme%2fsplit-bill${infoRefs}` }, 'github.path'],
    [{ url: `https://github.com/%61cme/split-bill${infoRefs}` }, 'github.path'],
    [{ url: `https://github.com/acme/split-bill%00${infoRefs}` }, 'github.path'],
    [{ url: `https://github.com/acme/split-bill%20${infoRefs}` }, 'github.path'],
    [{ url: `https://github.com//acme/split-bill${infoRefs}` }, 'github.path'],
    [{ url: `https://github.com/acme//split-bill${infoRefs}` }, 'github.path'],
    [{ url: `https://github.com/acme/split-bill/${infoRefs}` }, 'github.path'],
    [{ url: `https://github.com/acme/split-bill;x${infoRefs}` }, 'github.path'],
    [{ url: `https://github.com/acme\\split-bill${infoRefs}` }, 'url.characters'],
    [{ url: `https://github.com/acme/split-bill\t${infoRefs}` }, 'url.characters'],
    [{ url: `https://github.com/acme/split-bill${infoRefs}\r\nx: y` }, 'url.characters'],
    [{ url: `https://github.com/acme/split-bıll${infoRefs}` }, 'url.characters'],
    [{ url: `https://github.com/acme/split-bill${infoRefs}#x` }, 'url.fragment'],
    [{ url: `https://github.com/acme/split-bill#${infoRefs}` }, 'url.fragment'],
    [{ url: `https://github.com/acme/split-bill/info/refs??service=git-upload-pack` }, 'github.query'],
    [{ url: `https://github.com/${'a'.repeat(8_200)}` }, 'url.length'],
  ],
  'host tricks': [
    [{ url: `https://github.com.${infoRefs}` }, 'host.not-granted'],
    [{ url: `https://github.com.evil.example/acme/split-bill${infoRefs}` }, 'host.not-granted'],
    [{ url: `https://evil.example/github.com/acme/split-bill${infoRefs}` }, 'host.not-granted'],
    [{ url: `https://github.com@evil.example/acme/split-bill${infoRefs}` }, 'url.userinfo'],
    [{ url: `https://evil.example:443@github.com/acme/split-bill${infoRefs}` }, 'url.userinfo'],
    [{ url: `https://@github.com/acme/split-bill${infoRefs}` }, 'url.userinfo'],
    [{ url: `https://github.com:8443/acme/split-bill${infoRefs}` }, 'url.port'],
    [{ url: `https://github.com:80/acme/split-bill${infoRefs}` }, 'url.port'],
    [{ url: `https://github.com:/acme/split-bill${infoRefs}` }, 'url.port'],
    [{ url: `https://github.com:00443/acme/split-bill${infoRefs}` }, 'url.not-plain'],
    [{ url: `https://git%68ub.com/acme/split-bill${infoRefs}` }, 'url.not-plain'],
    [{ url: 'https://0x8c.0x52.0x79.0x04/' }, 'url.not-plain'],
    [{ url: 'https://2354215172/' }, 'url.not-plain'],
    [{ url: 'https://140.82.121.4/acme/split-bill' }, 'host.not-granted'],
    [{ url: 'http://169.254.169.254/latest/meta-data' }, 'host.not-granted'],
    [{ url: 'http://[::1]/x' }, 'host.not-granted'],
    [{ url: 'http://[::ffff:127.0.0.1]/x' }, 'url.not-plain'],
    [{ url: 'ftp://github.com/x' }, 'url.scheme'],
    [{ url: 'file:///etc/passwd' }, 'url.scheme'],
    [{ url: 'ws://api.openai.com/v1/responses' }, 'url.scheme'],
    [{ url: 'data:text/plain,x' }, 'url.invalid'],
    [{ url: '/acme/split-bill' }, 'url.invalid'],
    [{ url: '' }, 'url.invalid'],
  ],
  'Host, SNI and URL disagree': [
    [{ url: `${repository}${infoRefs}`, headers: { host: 'evil.example' } }, 'url.host-mismatch'],
    [{ url: `${repository}${infoRefs}`, headers: { host: 'github.com, evil.example' } }, 'url.host-mismatch'],
    [{ url: `${repository}${infoRefs}`, headers: { host: 'github.com:8443' } }, 'url.host-mismatch'],
    [{ url: `${repository}${infoRefs}`, headers: { host: '' } }, 'url.host-mismatch'],
    [{ url: `${repository}${infoRefs}`, headers: { 'x-airlock-sni': 'evil.example' } }, 'url.sni-mismatch'],
  ],
  'duplicate and conflicting lengths': [
    [
      { method: 'POST', url: responses, headers: { ...json, 'content-length': '5, 6' } },
      'http.content-length',
    ],
    [
      {
        method: 'POST',
        url: responses,
        headers: { ...json, 'content-length': '5', 'transfer-encoding': 'chunked' },
      },
      'http.content-length',
    ],
    [{ method: 'POST', url: responses, headers: { ...json, 'content-length': '+5' } }, 'http.content-length'],
    [
      { method: 'POST', url: responses, headers: { ...json, 'content-length': '0x5' } },
      'http.content-length',
    ],
    [{ method: 'POST', url: responses, headers: { ...json, 'content-length': '' } }, 'http.content-length'],
    [
      { method: 'POST', url: responses, headers: { ...json, 'transfer-encoding': 'gzip, chunked' } },
      'http.transfer-encoding',
    ],
    [
      { method: 'POST', url: responses, headers: { ...json, 'transfer-encoding': 'chunked, chunked' } },
      'http.transfer-encoding',
    ],
    [
      { method: 'POST', url: responses, headers: { ...json, 'transfer-encoding': 'identity' } },
      'http.transfer-encoding',
    ],
  ],
  'Expect, Upgrade, HTTP/2': [
    [{ method: 'POST', url: responses, headers: { ...json, expect: '200-ok' } }, 'http.expect'],
    [{ method: 'POST', url: responses, headers: { ...json, expect: '100-continue, x' } }, 'http.expect'],
    [{ url: responses, headers: { upgrade: 'websocket' } }, 'http.upgrade'],
    [{ url: `${repository}${infoRefs}`, headers: { upgrade: 'h2c' } }, 'http.upgrade'],
    [{ url: `${repository}${infoRefs}`, headers: { 'http2-settings': 'AAMAAABk' } }, 'http.upgrade'],
  ],
  'odd methods': ['CONNECT', 'TRACE', 'PROPFIND', 'PATCH', 'get', 'G E T', ''].flatMap(
    (method): [Case, string][] => [
      [{ method, url: `${repository}${infoRefs}` }, 'github.method'],
      [{ method, url: responses, headers: json }, 'openai.method'],
      [{ method, url: 'https://docs.example.com/' }, 'host.method'],
    ],
  ),
  'other endpoints of OpenAI': [
    'files',
    'batches',
    'uploads',
    'realtime',
    'realtime/sessions',
    'containers',
    'conversations',
    'vector_stores',
    'chat/completions',
    'images/generations',
    'audio/speech',
    'embeddings',
    'alpha/search',
    'responses/resp_1',
    'responses/resp_1/input_items',
    'responses/resp_1/cancel',
    'organization/admin_api_keys',
    'organization/projects',
    'fine_tuning/jobs',
    'assistants',
    'threads',
    'evals',
    'webhooks',
  ].flatMap((path): [Case, string][] => [
    [{ url: `https://api.openai.com/v1/${path}` }, 'openai.path'],
    [{ method: 'POST', url: `https://api.openai.com/v1/${path}`, headers: json }, 'openai.path'],
  ]),
  'other hosts of OpenAI': [
    'chatgpt.com',
    'ab.chatgpt.com',
    'auth.openai.com',
    'api.openai.com.',
    'eu.api.openai.com',
    'api.openai.com.evil.example',
  ].map((host): [Case, string] => [
    { method: 'POST', url: `https://${host}/v1/responses`, headers: json },
    'host.not-granted',
  ]),
  'upload to a stranger': [
    [{ method: 'POST', url: 'https://evil.example/drop' }, 'host.not-granted'],
    [{ url: 'https://evil.example/?data=c291cmNl' }, 'host.not-granted'],
    [{ url: 'https://c291cmNl.evil.example/' }, 'host.not-granted'],
    [{ method: 'POST', url: 'https://dns.google/dns-query' }, 'host.not-granted'],
  ],
};

describe.each(Object.entries(attacks))('attack: %s', (_, rows) => {
  it.each(rows)('%j is refused (%s)', (request, rule) => {
    expect(outcome(request)).toBe(`deny ${rule}`);
  });
});
