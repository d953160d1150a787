import { expect, it } from 'vitest';
import { callName, type Call } from './call-name.ts';

const id = 'a'.repeat(64);
const sha = 'b'.repeat(40);

it.each<[service: Call['service'], method: string, path: string, body: string, name: string]>([
  ['github', 'GET', '/api/v3/app', '', 'github GET /app'],
  ['github', 'GET', '/api/v3/repos/chaos-1/shop', '', 'github GET /'],
  [
    'github',
    'PATCH',
    '/api/v3/repos/chaos-1/shop/issues/comments/7',
    '',
    'github PATCH /issues/comments/{number}',
  ],
  ['github', 'GET', '/api/v3/repositories/12/git/ref/heads%2Fmain', '', 'github GET /git/ref/heads/{branch}'],
  ['github', 'GET', `/api/v3/repos/o/r/git/trees/${sha}?recursive=1`, '', 'github GET /git/trees/{sha}'],
  [
    'github',
    'GET',
    '/api/v3/repos/o/r/collaborators/maria/permission',
    '',
    'github GET /collaborators/{login}/permission',
  ],
  [
    'github',
    'POST',
    '/api/v3/app/installations/6/access_tokens',
    '{"permissions":{"pull_requests":"write","contents":"write"}}',
    'github POST /app/installations/{number}/access_tokens contents:write,pull_requests:write',
  ],
  ['github', 'POST', '/o/r.git/git-upload-pack', '', 'github POST /git/git-upload-pack'],
  ['slack', 'POST', '/api/chat.update', 'channel=C1', 'slack POST /chat.update'],
  ['openai', 'POST', '/v1/responses', '{}', 'openai POST /v1/responses'],
  ['sandbox-host', 'DELETE', `/sandboxes/${id}`, '', 'sandbox-host DELETE /'],
  [
    'sandbox-host',
    'POST',
    `/sandboxes/${id}/exec`,
    '{"argv":["node","/opt/airlock/clone.js"]}',
    'sandbox-host POST /exec clone',
  ],
  ['sandbox-host', 'GET', `/sandboxes/${id}/runs/codex?offset=7`, '', 'sandbox-host GET /runs/codex'],
  [
    'sandbox-host',
    'PUT',
    `/sandboxes/${id}/file?path=%2Frun%2Fjobs%2Fclone.json`,
    '',
    'sandbox-host PUT /file clone.json',
  ],
])('names a call to %s, %s %s %s: %s', (service, method, path, body, name) => {
  expect(callName({ service, method, path, body })).toBe(name);
});
