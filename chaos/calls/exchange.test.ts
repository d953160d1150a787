import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { CreatedRepository } from '../../simulators/github/contract.ts';
import type { CalledService } from './call-name.ts';
import { createExchange } from './exchange.ts';

const repository = (id: number): CreatedRepository => ({
  id,
  owner: 'acme',
  name: `case-${id}`,
  installationId: 6,
  gitDir: '',
  cloneUrl: '',
  headSha: '',
});
const [one, ten] = [repository(1), repository(10)];
const sandbox = 'a'.repeat(64);

function exchange() {
  const found = createExchange(() => [
    {
      token: 'ghs_ten',
      installationId: 6,
      permissions: {},
      repositories: ['acme/case-10'],
      createdAt: 0,
      expiresAt: 0,
      revoked: false,
      used: true,
    },
  ]);
  for (const joined of [one, ten]) found.join(joined, () => ({ kind: 'reset' }));
  found.mark(ten, 'U10', sandbox);
  return found;
}

it.each<[service: CalledService, path: string, body: string, authorization: string | null]>([
  ['github', '/api/v3/repos/acme/case-10/pulls?state=all', '', null],
  ['github', '/api/v3/repositories/10/issues', '', null],
  ['github', '/acme/case-10.git/git-upload-pack', '', null],
  ['github', '/api/v3/app/installations/6/access_tokens', '{"repository_ids":[10]}', null],
  ['github', '/api/v3/app/installations/6/access_tokens', '{"repositories":["case-10"]}', null],
  ['github', '/api/v3/installation/token', '', 'Bearer ghs_ten'],
  ['openai', '/v1/responses', 'You are working on the repository acme/case-10 in', null],
  ['slack', '/api/users.info', 'user=U10', null],
  ['slack', '/api/chat.update', 'text=Working+on+acme%2Fcase-10', null],
  ['sandbox-host', `/sandboxes/${sandbox}/start`, '', null],
])('knows whose call to %s %s with %s is', async (service, path, body, authorization) => {
  const found = exchange();
  const call = { method: 'POST', path, authorization, body: async () => await Promise.resolve(body) };
  expect(await found.decide(service, call)).toEqual({ kind: 'reset' });
  expect(found.callsOf(ten)).toEqual([expect.objectContaining({ service, method: 'POST', nth: 1 })]);
  expect(found.callsOf(one)).toEqual([]);
});

const bySomebody = {
  method: 'POST',
  path: '/api/users.info',
  authorization: null,
  body: async () => 'user=U11',
};

it('waits for the owner of a call while a task is being asked for', async () => {
  const found = exchange();
  found.markLast(one);
  const decided = found.decide('slack', bySomebody);
  await nextTurn();
  found.markLast(ten, 'U11');
  expect(await decided).toEqual({ kind: 'reset' });
});

it('waits for no owner once the ids of every task are known', async () => {
  const found = exchange();
  for (const joined of [one, ten]) found.markLast(joined);
  const decided = found.decide('slack', bySomebody);
  await nextTurn();
  found.mark(ten, 'U11');
  expect(await decided).toBeNull();
});
