import { describe, expect, it } from 'vitest';
import { attemptsIn, needsCaution, npmRegistry } from './attempts.ts';
import { emptyReceipt } from './grant.ts';

const row = (method: string, host: string, path: string, rule: string, count = 1) => ({
  method,
  host,
  path,
  rule,
  count,
  reason: 'no',
  at: 0,
});
const receipt = (denied: ReturnType<typeof row>[], deniedTotal = denied.length) => ({
  ...emptyReceipt,
  denied,
  deniedTotal,
});
const unknown = 'host.not-granted';

describe('a denied request', () => {
  it.each([
    ['a POST to an unknown host', row('POST', 'evil.example', '/steal', unknown)],
    ['a GET of an unknown host, whose address can carry data', row('GET', 'evil.example', '/…', unknown)],
    ['a documentation host that nobody knows', row('GET', 'docs.evil.example', '/', unknown)],
    ['a name that only begins like a registry', row('GET', `${npmRegistry}.evil.example`, '/', unknown)],
    ['an address', row('GET', '169.254.169.254', '/latest/meta-data', unknown)],
    ['a package that is published', row('PUT', npmRegistry, '/left-pad', unknown)],
    ['an upload to a registry', row('POST', 'upload.pypi.org', '/legacy/', unknown)],
    ['something sent to a host that is open for reading', row('POST', 'docs.rs', '/', 'host.method')],
    ['a GET with a body', row('GET', 'docs.example.com', '/', 'host.body')],
    ['a push to the task’s repository', row('GET', 'github.com', '/a/b/info/refs', 'github.receive-pack')],
    ['a push to another', row('POST', 'github.com', '/x/y/git-receive-pack', 'github.receive-pack')],
    ['an LFS upload', row('POST', 'github.com', '/a/b/info/lfs/objects/batch', 'github.lfs-upload')],
    ['a form on GitHub', row('POST', 'github.com', '/a/b/issues', 'github.path')],
    ['a write to GitHub’s API', row('POST', 'api.github.com', '/gists', unknown)],
    ['an upload to OpenAI', row('POST', 'api.openai.com', '/v1/files', 'openai.path')],
    ['an image that OpenAI would fetch', row('POST', 'api.openai.com', '/v1/responses', 'openai.remote')],
    ['a hosted tool', row('POST', 'api.openai.com', '/v1/responses', 'openai.tool')],
    ['a request around the gateway', row('CONNECT', 'evil.example', '/', 'gateway.connect')],
  ])('is a reason for caution: %s', (_, denied) => {
    const attempts = attemptsIn(receipt([denied]));
    expect(attempts).toEqual({ caution: [denied], unlisted: 0, openable: [] });
    expect(needsCaution(attempts)).toBe(true);
  });

  it.each([
    ['a package registry', row('GET', npmRegistry, '/left-pad', unknown), 'setup.hosts'],
    ['another one', row('HEAD', 'files.pythonhosted.org', '/packages/x', unknown), 'setup.hosts'],
    ['a documentation host', row('GET', 'docs.python.org', '/3/', unknown), 'extraHosts'],
    ['a host of setup after setup', row('GET', 'npm.acme.example', '/x', 'phase.closed'), 'extraHosts'],
    [
      'another repository',
      row('GET', 'github.com', '/acme/design.git/info/refs', 'github.repository'),
      'alsoRead',
    ],
    ['an LFS file', row('POST', 'github.com', '/a/b/info/lfs/objects/batch', 'github.lfs-off'), 'lfs'],
  ])('names the key that opens it: %s', (_, denied, key) => {
    const attempts = attemptsIn(receipt([denied, denied], 2));
    expect(attempts.openable.map((one) => one.key)).toEqual([key]);
    expect(needsCaution(attempts)).toBe(false);
  });

  it.each([
    ['a budget that is used up', row('GET', 'evil.example', '/', 'budget.requests')],
    ['too many at a time', row('POST', 'api.openai.com', '/v1/responses', 'openai.concurrency')],
    ['another model', row('POST', 'api.openai.com', '/v1/responses', 'openai.model')],
    ['a page of GitHub', row('GET', 'github.com', '/acme/app/issues/1', 'github.path')],
    ['a file on GitHub', row('GET', 'raw.githubusercontent.com', '/a/b/main/x', unknown)],
    ['npm’s audit', row('POST', npmRegistry, '/-/npm/v1/security/audits/quick', unknown)],
    [
      'an audit at a registry of the configuration',
      row('POST', 'npm.acme.example', '/npm/-/npm/v1/security/advisories/bulk', 'host.method'),
    ],
    ['a private registry after setup', row('GET', 'npm.acme.example', '/x', 'registry.closed')],
    ['another path of a private registry', row('GET', 'npm.acme.example', '/x', 'registry.path')],
    ['a redirect of a private registry', row('GET', 'npm.acme.example', '/x', 'registry.redirect')],
  ])('is harmless: %s', (_, denied) => {
    expect(attemptsIn(receipt([denied]))).toEqual({ caution: [], unlisted: 0, openable: [] });
  });

  it('is a reason for caution if the receipt has no row for it', () => {
    const attempts = attemptsIn(receipt([row('GET', 'docs.rs', '/', unknown, 50)], 51));
    expect(attempts.unlisted).toBe(1);
    expect(needsCaution(attempts)).toBe(true);
  });
});
