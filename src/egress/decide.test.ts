import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Grant } from '../core/grant.ts';
import { canaryHost, decideEgress, type RequestHead } from './decide.ts';

const nonce = 'd2f1c0ffee';
const granted: Grant = {
  taskId: 'gh-1-c2',
  phase: 'run',
  repositories: [{ owner: 'Acme', name: 'Split-Bill', installationId: 1, repositoryId: 2 }],
  models: ['gpt-6.1-sol'],
  canaryNonce: nonce,
  budgets: { requests: 100, tokens: 1000 },
  used: { requests: 0, tokens: 0 },
};
const uploadPack = { 'content-type': 'application/x-git-upload-pack-request' };
const json = { 'content-type': 'application/json' };

function head(method: string, url: string, headers: Record<string, string> = {}): RequestHead {
  return { method, url: new URL(url), header: (name) => headers[name] ?? null };
}
function decide(
  method: string,
  url: string,
  headers: Record<string, string> = {},
  grant: Partial<Grant> = {},
) {
  return decideEgress(head(method, url, headers), { ...granted, ...grant });
}
/** What a verdict comes to: the target it leads to, or the rule that denied. */
function outcome(
  method: string,
  url: string,
  headers: Record<string, string> = {},
  grant: Partial<Grant> = {},
): string {
  const verdict = decide(method, url, headers, grant);
  if (verdict.kind === 'deny') return `deny ${verdict.rule}`;
  return verdict.kind === 'answer' ? `answer ${verdict.body}` : `${verdict.kind} ${verdict.target}`;
}

const infoRefs = '/info/refs?service=git-upload-pack';

describe('GitHub', () => {
  it.each([
    [
      'GET',
      `https://github.com/acme/split-bill.git${infoRefs}`,
      {},
      `allow-github /Acme/Split-Bill.git${infoRefs}`,
    ],
    [
      'GET',
      `https://github.com/ACME/SPLIT-BILL${infoRefs}`,
      {},
      `allow-github /Acme/Split-Bill.git${infoRefs}`,
    ],
    [
      'GET',
      `http://github.com/acme/split-bill.git${infoRefs}`,
      {},
      `allow-github /Acme/Split-Bill.git${infoRefs}`,
    ],
    [
      'POST',
      'https://github.com/acme/split-bill.git/git-upload-pack',
      uploadPack,
      'allow-github /Acme/Split-Bill.git/git-upload-pack',
    ],
  ])('allows a fetch of the granted repository: %s %s', (method, url, headers, expected) => {
    expect(outcome(method, url, headers)).toBe(expected);
  });

  it.each([
    [
      'GET',
      'https://github.com/acme/split-bill.git/info/refs?service=git-receive-pack',
      {},
      'github.receive-pack',
    ],
    ['POST', 'https://github.com/acme/split-bill.git/git-receive-pack', {}, 'github.receive-pack'],
    ['POST', 'https://github.com/mallory/loot.git/git-receive-pack', {}, 'github.receive-pack'],
    ['GET', `https://github.com/mallory/loot.git${infoRefs}`, {}, 'github.repository'],
    ['GET', `https://github.com/acme/split-bill.git.git${infoRefs}`, {}, 'github.repository'],
    ['GET', `https://github.com/acme/split-bill${infoRefs}&x=1`, {}, 'github.query'],
    ['GET', 'https://github.com/acme/split-bill/info/refs', {}, 'github.query'],
    ['HEAD', `https://github.com/acme/split-bill${infoRefs}`, {}, 'github.method'],
    ['POST', `https://github.com/acme/split-bill${infoRefs}`, {}, 'github.method'],
    ['GET', 'https://github.com/acme/split-bill.git/git-upload-pack', {}, 'github.method'],
    ['POST', 'https://github.com/acme/split-bill.git/git-upload-pack', {}, 'github.content-type'],
    ['POST', 'https://github.com/acme/split-bill.git/git-upload-pack?x', uploadPack, 'github.query'],
    ['GET', `https://github.com//acme/split-bill${infoRefs}`, {}, 'github.path'],
    ['GET', `https://github.com/acme%2fsplit-bill${infoRefs}`, {}, 'github.path'],
    ['GET', `https://github.com/%61cme/split-bill${infoRefs}`, {}, 'github.path'],
    ['GET', `https://github.com/acme/split-bill/../../mallory/loot${infoRefs}`, {}, 'github.repository'],
    ['GET', `https://github.com/acme/split-bill/%2e%2e/loot${infoRefs}`, {}, 'github.repository'],
    ['GET', 'https://github.com/acme/split-bill/archive/main.zip', {}, 'github.path'],
    ['GET', 'https://github.com/acme/split-bill/info/lfs/objects/batch', {}, 'github.path'],
    ['GET', 'https://github.com/', {}, 'github.path'],
    ['GET', `https://github.com:8443/acme/split-bill${infoRefs}`, {}, 'url.port'],
    ['GET', `https://token@github.com/acme/split-bill${infoRefs}`, {}, 'url.userinfo'],
    ['GET', `https://github.com./acme/split-bill${infoRefs}`, {}, 'host.not-granted'],
    ['GET', `https://github.com.evil.example/acme/split-bill${infoRefs}`, {}, 'host.not-granted'],
    ['GET', 'https://api.github.com/user', {}, 'host.not-granted'],
    ['GET', 'https://raw.githubusercontent.com/acme/split-bill/main/x', {}, 'host.not-granted'],
    ['GET', 'https://gist.github.com/', {}, 'host.not-granted'],
    ['GET', 'https://codeload.github.com/acme/split-bill/zip/main', {}, 'host.not-granted'],
    ['GET', 'https://140.82.121.4/acme/split-bill', {}, 'host.not-granted'],
    ['GET', 'http://169.254.169.254/latest/meta-data', {}, 'host.not-granted'],
    ['GET', 'http://[::1]/x', {}, 'host.not-granted'],
    ['GET', 'ftp://github.com/x', {}, 'url.scheme'],
  ])('denies %s %s', (method, url, headers, rule) => {
    expect(outcome(method, url, headers)).toBe(`deny ${rule}`);
  });

  it.each([
    ['clone', 'allow-github'],
    ['run', 'allow-github'],
    ['sealed', 'deny phase.closed'],
  ] as const)('in the phase %s: %s', (phase, expected) => {
    expect(outcome('GET', `https://github.com/acme/split-bill${infoRefs}`, {}, { phase })).toMatch(expected);
  });

  it('never leads to a repository outside the grant, whatever the path', () => {
    const segment = fc.oneof(
      fc.constantFrom(
        'acme',
        'split-bill',
        'split-bill.git',
        '..',
        '.',
        '%2e%2e',
        '%2f',
        '',
        'info',
        'refs',
        'git-upload-pack',
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(
        fc.constantFrom('GET', 'POST'),
        fc.array(segment, { maxLength: 7 }),
        fc.constantFrom('', '?service=git-upload-pack'),
        (method, segments, query) => {
          const url = URL.parse(`https://github.com/${segments.join('/')}${query}`);
          if (url === null) return;
          const verdict = decideEgress(
            { method, url, header: (name) => (name === 'content-type' ? uploadPack['content-type'] : null) },
            granted,
          );
          if (verdict.kind === 'deny') return;
          expect(verdict).toMatchObject({
            kind: 'allow-github',
            target: expect.stringMatching(
              /^\/Acme\/Split-Bill\.git\/(info\/refs\?service=git-upload-pack|git-upload-pack)$/,
            ),
          });
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('OpenAI', () => {
  it('lets the body decide about a Responses request', () => {
    expect(outcome('POST', 'https://api.openai.com/v1/responses', json)).toBe('inspect-openai /responses');
    expect(
      outcome('POST', 'https://api.openai.com/v1/responses', {
        'content-type': 'application/json; charset=utf-8',
      }),
    ).toBe('inspect-openai /responses');
  });

  it.each([
    ['GET', 'https://api.openai.com/v1/responses', json, {}, 'openai.method'],
    ['POST', 'https://api.openai.com/v1/responses?x=1', json, {}, 'openai.query'],
    ['POST', 'https://api.openai.com/v1/responses/', json, {}, 'openai.path'],
    ['POST', 'https://api.openai.com/v1/files', json, {}, 'openai.path'],
    ['POST', 'https://api.openai.com/v1/alpha/search', json, {}, 'openai.path'],
    ['GET', 'https://api.openai.com/v1/responses/resp_1', {}, {}, 'openai.path'],
    ['POST', 'https://api.openai.com/v1/%72esponses', json, {}, 'openai.path'],
    ['GET', 'https://api.openai.com/v1/realtime', { upgrade: 'websocket' }, {}, 'http.upgrade'],
    [
      'POST',
      'https://api.openai.com/v1/responses',
      { 'content-type': 'text/plain' },
      {},
      'openai.content-type',
    ],
    ['POST', 'https://api.openai.com/v1/responses', {}, {}, 'openai.content-type'],
    [
      'POST',
      'https://api.openai.com/v1/responses',
      { ...json, 'content-encoding': 'gzip' },
      {},
      'openai.encoding',
    ],
    ['POST', 'https://api.openai.com/v1/responses', json, { phase: 'clone' }, 'phase.closed'],
    ['POST', 'https://api.openai.com/v1/responses', json, { phase: 'sealed' }, 'phase.closed'],
    [
      'POST',
      'https://api.openai.com/v1/responses',
      json,
      { used: { requests: 1, tokens: 1000 } },
      'budget.tokens',
    ],
    [
      'POST',
      'https://api.openai.com/v1/responses',
      json,
      { used: { requests: 100, tokens: 0 } },
      'budget.requests',
    ],
  ] as const)('denies %s %s', (method, url, headers, grant, rule) => {
    expect(outcome(method, url, headers, grant)).toBe(`deny ${rule}`);
  });
});

describe('the canary', () => {
  it.each([
    ['GET', `https://${canaryHost}/${nonce}`, `answer ${nonce}`],
    ['GET', `https://${canaryHost}/${nonce}?x`, 'deny canary.mismatch'],
    ['POST', `https://${canaryHost}/${nonce}`, 'deny canary.mismatch'],
    ['GET', `https://${canaryHost}/another`, 'deny canary.mismatch'],
    ['GET', `https://forbidden.${canaryHost}/${nonce}`, 'deny canary.mismatch'],
  ])('%s %s: %s', (method, url, expected) => {
    expect(outcome(method, url)).toBe(expected);
  });
});
