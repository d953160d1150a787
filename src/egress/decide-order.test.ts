/** The precedence that `decideEgress` documents, and the words of every denial. */
import { expect, it } from 'vitest';
import type { Grant } from '../core/grant.ts';
import { exampleGrant } from '../../test/fixtures/example-grant.ts';
import { canaryHost, decideEgress } from './decide.ts';

interface Case {
  readonly method?: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly grant?: Partial<Grant>;
}
const decide = ({ method = 'GET', url, headers = {}, grant = {} }: Case) =>
  decideEgress({ method, url, header: (name) => headers[name] ?? null }, { ...exampleGrant, ...grant }, [
    'ghe.example.com',
  ]);

const spent = { used: { ...exampleGrant.used, requests: 100, bytesUp: 10_000_000, bytesDown: 100_000 } };
const sealed = { phase: 'sealed' as const };
const upgrade = { upgrade: 'websocket' };
const github = 'https://github.com/acme/split-bill.git';
const infoRefs = '/info/refs?service=git-upload-pack';
const uploadPack = { 'content-type': 'application/x-git-upload-pack-request' };
const openai = 'https://api.openai.com/v1/responses';
const json = { 'content-type': 'application/json' };
const oid = 'ab12'.repeat(16);
const clone = { phase: 'clone' as const };
const setup = { phase: 'setup' as const };
const lfs = { 'content-type': 'application/vnd.git-lfs+json' };
const lfsBatch = `${github}/info/lfs/objects/batch`;
const reserved = { extraHosts: ['api.github.com'], ...sealed };

/** Each request also breaks rules of the steps below its own: the verdict shows which step came first. */
it.each<[string, Case, string, number, string]>([
  [
    '1 spelling, before framing',
    { url: 'https://u@evil.example/', headers: upgrade, grant: spent },
    'url.userinfo',
    403,
    'a URL that carries a user name or password is refused',
  ],
  [
    '1 length',
    { url: `https://evil.example/${'a'.repeat(8_200)}` },
    'url.length',
    414,
    'the URL is too long',
  ],
  [
    '1 characters',
    { url: 'https://evil.example/\t' },
    'url.characters',
    400,
    'the URL has characters that no URL may have',
  ],
  ['1 no URL', { url: '/path' }, 'url.invalid', 400, 'the request URL is not valid'],
  ['1 scheme', { url: 'ftp://github.com/' }, 'url.scheme', 403, 'only http and https leave the sandbox'],
  ['1 fragment', { url: 'https://evil.example/#x' }, 'url.fragment', 400, 'a URL with a fragment is refused'],
  [
    '1 port',
    { url: 'https://github.com:8443/' },
    'url.port',
    403,
    'only the standard ports leave the sandbox',
  ],
  [
    '1 dot segments',
    { url: 'https://github.com/a/../b' },
    'url.not-plain',
    400,
    'a URL with dot segments or needless encodings is refused',
  ],
  [
    '2 framing, before budgets',
    { url: 'https://evil.example/', headers: upgrade, grant: spent },
    'http.upgrade',
    426,
    'protocol upgrades are refused',
  ],
  [
    '2 another Host',
    { url: github, headers: { host: 'evil.example' }, grant: spent },
    'url.host-mismatch',
    400,
    'Host is not the host of the request URL',
  ],
  [
    '2 another SNI',
    { url: github, headers: { 'x-airlock-sni': 'evil.example' } },
    'url.sni-mismatch',
    400,
    'the TLS handshake named another host than the request',
  ],
  [
    '2 expectation',
    { url: github, headers: { expect: 'x' } },
    'http.expect',
    417,
    'an expectation other than 100-continue is refused',
  ],
  [
    '2 coding',
    { url: github, headers: { 'transfer-encoding': 'gzip' } },
    'http.transfer-encoding',
    400,
    'a transfer coding other than chunked is refused',
  ],
  [
    '2 length',
    { url: github, headers: { 'content-length': '5, 6' } },
    'http.content-length',
    400,
    'the length of the body is ambiguous',
  ],
  [
    '3 requests, before the canary',
    { url: `https://${canaryHost}/d2f1c0ffee`, grant: spent },
    'budget.requests',
    400,
    "the task's budget of 100 requests is used up",
  ],
  [
    '3 bytes sent',
    { url: github, grant: { used: { ...spent.used, requests: 0 } } },
    'budget.bytes-up',
    400,
    "the task's budget of 10000000 bytes sent is used up",
  ],
  [
    '3 bytes received',
    { url: github, grant: { used: { ...spent.used, requests: 0, bytesUp: 0 } } },
    'budget.bytes-down',
    400,
    "the task's budget of 100000 bytes received is used up",
  ],
  [
    '4 canary, before any list of hosts',
    { url: `https://x.${canaryHost}/`, grant: { extraHosts: [`x.${canaryHost}`] } },
    'canary.mismatch',
    403,
    'the canary answers its own nonce and nothing else',
  ],
  [
    '5 endpoint, before the repository',
    { url: 'https://github.com/mallory/loot/archive/main.zip', grant: sealed },
    'github.path',
    403,
    'of GitHub only git fetch of the task’s repository is reachable',
  ],
  [
    '5 push, before the repository',
    { method: 'POST', url: 'https://github.com/mallory/loot/git-receive-pack', grant: sealed },
    'github.receive-pack',
    403,
    'pushing is refused (to mallory/loot): the sandbox cannot write to GitHub',
  ],
  [
    '5 repository, before the phase',
    { method: 'PUT', url: `https://github.com/mallory/loot${infoRefs}`, grant: sealed },
    'github.repository',
    403,
    'mallory/loot is not this task’s repository',
  ],
  [
    '5 phase, before the method',
    { method: 'PUT', url: `${github}${infoRefs}`, grant: sealed },
    'phase.closed',
    403,
    'GitHub is closed in the sealed phase',
  ],
  [
    '5 method of info/refs, before the query',
    { method: 'PUT', url: `${github}/info/refs` },
    'github.method',
    403,
    'PUT is not how a fetch starts',
  ],
  [
    '5 query, before the body',
    { url: `${github}/info/refs`, headers: { 'content-length': '6' } },
    'github.query',
    403,
    'only service=git-upload-pack is allowed here',
  ],
  [
    '5 body of a GET',
    { url: `${github}${infoRefs}`, headers: { 'content-length': '6' } },
    'http.body',
    400,
    'a GET to GitHub may not have a body',
  ],
  [
    '5 method of upload-pack',
    { url: `${github}/git-upload-pack?x` },
    'github.method',
    403,
    'GET is not how git fetches',
  ],
  [
    '5 query of upload-pack',
    { method: 'POST', url: `${github}/git-upload-pack?x` },
    'github.query',
    403,
    'upload-pack takes no query',
  ],
  [
    '5 type, before the encoding',
    { method: 'POST', url: `${github}/git-upload-pack`, headers: { 'content-encoding': 'br' } },
    'github.content-type',
    403,
    'upload-pack takes only git’s own content type',
  ],
  [
    '5 encoding',
    {
      method: 'POST',
      url: `${github}/git-upload-pack`,
      headers: { ...uploadPack, 'content-encoding': 'br' },
    },
    'github.encoding',
    403,
    'git compresses with gzip and nothing else',
  ],
  [
    '5 LFS endpoint, before its switch',
    { url: `${github}/info/lfs/locks`, grant: { lfs: false, ...sealed } },
    'github.lfs',
    403,
    'of Git LFS only downloads are reachable',
  ],
  [
    '5 LFS switch, before the phase',
    { url: lfsBatch, grant: { lfs: false, ...sealed } },
    'github.lfs-off',
    403,
    'Git LFS is not turned on for this repository',
  ],
  ['5 LFS phase', { url: `${lfsBatch}?x` }, 'phase.closed', 403, 'Git LFS is closed in the run phase'],
  ['5 LFS query', { url: `${lfsBatch}?x`, grant: clone }, 'github.query', 403, 'Git LFS takes no query'],
  [
    '5 LFS object method',
    { method: 'PUT', url: `${github}/info/lfs/objects/${oid}/4`, grant: clone },
    'github.method',
    403,
    'PUT is not how an LFS object is read',
  ],
  [
    '5 LFS batch method',
    { url: lfsBatch, grant: clone },
    'github.method',
    403,
    'GET is not how LFS objects are asked for',
  ],
  [
    '5 LFS batch type',
    { method: 'POST', url: lfsBatch, grant: clone },
    'github.content-type',
    403,
    'an LFS batch takes only git-lfs’s own content type',
  ],
  [
    '5 LFS batch encoding',
    { method: 'POST', url: lfsBatch, grant: clone, headers: { ...lfs, 'content-encoding': 'gzip' } },
    'github.encoding',
    403,
    'a compressed LFS batch cannot be inspected',
  ],
  [
    '6 endpoint, before the method',
    { method: 'PUT', url: 'https://api.openai.com/v1/files', grant: sealed },
    'openai.path',
    400,
    'of OpenAI only POST /v1/responses is reachable, not /v1/files',
  ],
  [
    '6 method, before the query',
    { url: `${openai}?x`, grant: sealed },
    'openai.method',
    400,
    'of OpenAI only POST /v1/responses is reachable, not GET',
  ],
  [
    '6 query, before the phase',
    { method: 'POST', url: `${openai}?x`, grant: sealed },
    'openai.query',
    400,
    'this endpoint takes no query',
  ],
  [
    '6 phase, before the tokens',
    { method: 'POST', url: openai, grant: { ...sealed, used: { ...exampleGrant.used, tokens: 1_000 } } },
    'phase.closed',
    400,
    'OpenAI is closed in the sealed phase',
  ],
  [
    '6 tokens, before the type',
    { method: 'POST', url: openai, grant: { used: { ...exampleGrant.used, tokens: 1_000 } } },
    'budget.tokens',
    400,
    "the task's budget of 1000 tokens is used up",
  ],
  [
    '6 type, before the encoding',
    { method: 'POST', url: openai, headers: { 'content-encoding': 'gzip' } },
    'openai.content-type',
    400,
    'the request body has to be application/json',
  ],
  [
    '6 encoding, before the size',
    {
      method: 'POST',
      url: openai,
      headers: { ...json, 'content-encoding': 'gzip', 'content-length': '99999999' },
    },
    'openai.encoding',
    400,
    'a compressed request body cannot be inspected',
  ],
  [
    '6 size',
    { method: 'POST', url: openai, headers: { ...json, 'content-length': '99999999' } },
    'openai.size',
    400,
    'the request body is too large',
  ],
  [
    '7 phase, before the method and any list of hosts',
    { method: 'POST', url: 'https://npm.example.com/', grant: { extraHosts: ['npm.example.com'] } },
    'registry.closed',
    403,
    'the private registry npm.example.com is open to setup only',
  ],
  [
    '7 method, before the body and the path',
    { method: 'PUT', url: 'https://npm.example.com/', headers: { 'content-length': '6' }, grant: setup },
    'host.method',
    403,
    'PUT could change something at npm.example.com: only GET and HEAD are allowed',
  ],
  [
    '7 spelling, before the prefix',
    { url: 'https://npm.example.com/x/..%2f', grant: setup },
    'registry.spelling',
    400,
    'a path that a registry could read as another one is refused',
  ],
  [
    '7 prefix, also where a list has the host',
    { url: 'https://npm.example.com/x', grant: { ...setup, setupHosts: ['npm.example.com'] } },
    'registry.path',
    403,
    'the path is outside what the configuration opens of npm.example.com',
  ],
  [
    '8 grant, before anything else',
    { method: 'POST', url: 'https://api.github.com/' },
    'host.not-granted',
    403,
    'api.github.com is not one of the hosts this task may reach',
  ],
  [
    '8 reserved, before the phase',
    { method: 'POST', url: 'https://api.github.com/', grant: reserved },
    'host.reserved',
    403,
    'api.github.com is never reached through a list of hosts',
  ],
  [
    '8 where our credentials go',
    { url: 'https://api.ghe.example.com/', grant: { extraHosts: ['api.ghe.example.com'] } },
    'host.reserved',
    403,
    'api.ghe.example.com is never reached through a list of hosts',
  ],
  [
    '8 phase, before the method',
    { method: 'POST', url: 'https://registry.example.com/' },
    'phase.closed',
    403,
    'registry.example.com is closed in the run phase',
  ],
  [
    '8 method, before the body',
    {
      method: 'POST',
      url: 'https://registry.example.com/',
      headers: { 'content-length': '6' },
      grant: setup,
    },
    'host.method',
    403,
    'POST could send something to registry.example.com: only GET and HEAD are allowed',
  ],
  [
    '8 body',
    { url: 'https://registry.example.com/', headers: { 'content-length': '6' }, grant: setup },
    'host.body',
    403,
    'a request to registry.example.com may not have a body',
  ],
])('denies at step %s', (_, request, rule, status, reason) => {
  expect(decide(request)).toEqual({ kind: 'deny', rule, status, reason });
});

it.each<[string, Case, string]>([
  ['a canary request ends at step 4', { url: `https://${canaryHost}/d2f1c0ffee` }, 'answer canary'],
  ['a fetch passes step 5', { url: `${github}${infoRefs}` }, 'allow-github github.info-refs'],
  [
    'a model request passes step 6',
    { method: 'POST', url: openai, headers: json },
    'inspect-openai openai.responses',
  ],
  [
    'a private registry passes step 7',
    { url: 'https://npm.example.com/private/x', grant: setup },
    'allow-registry registry.fetch',
  ],
  ['a listed host passes step 8', { url: 'https://docs.example.com/' }, 'allow-host host.extra'],
])('%s', (_, request, expected) => {
  const verdict = decide(request);
  expect(`${verdict.kind} ${verdict.rule}`).toBe(expected);
});
