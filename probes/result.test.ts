import { expect, it } from 'vitest';
import { hostResult } from './result.ts';

const probe = (run: () => Promise<string>, outside?: string) => ({
  id: 'x',
  attack: 'an attack',
  expected: ['refused'],
  ...(outside === undefined ? {} : { outside }),
  run,
});

it.each<[string, () => Promise<string>, { ok: boolean; ran: boolean; got: string }]>([
  ['what is right as passed', async () => 'refused', { ok: true, ran: true, got: 'refused' }],
  ['anything else as leaked', async () => 'CONNECTED', { ok: false, ran: true, got: 'CONNECTED' }],
  ['nothing as not tried', async () => '', { ok: false, ran: false, got: 'could not try: it got nothing' }],
  [
    'an error as not tried',
    async () => await Promise.reject(new Error('no host')),
    { ok: false, ran: false, got: 'could not try: no host' },
  ],
])('counts %s', async (_, run, result) => {
  expect(await hostResult('group', probe(run), null)).toMatchObject(result);
});

it('names a file that the machine outside does not have', async () => {
  const result = await hostResult(
    'group',
    probe(async () => 'refused', '/no/such/file'),
    null,
  );
  expect(result).toMatchObject({ ok: true, nothingThere: true });
});
