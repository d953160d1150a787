import { expect, it } from 'vitest';
import { onWire, type WireFault } from '../../simulators/wire/faults.ts';
import { listen } from '../sandbox/local-subject.ts';

/** What a client gets of a POST with the body `one`, and how often the service performed it. */
async function post(fault: WireFault | null, readsBody = true) {
  const performed: string[] = [];
  const read: string[] = [];
  const leaving = new AbortController();
  const server = await listen(
    onWire(
      async (request) => {
        if (readsBody) read.push(await request.body());
        return fault;
      },
      (request, response) => {
        request.setEncoding('utf8').on('data', (text: string) => {
          performed.push(text);
          response.end(`answer ${performed.length}`);
          if (fault?.kind === 'lost') leaving.abort();
        });
      },
    ),
  );
  const asked = fetch(server.origin, { method: 'POST', body: 'one', signal: leaving.signal });
  const answer = await asked.then(
    async (response) => `${response.status} ${await response.text()}`,
    () => 'no answer',
  );
  server.close();
  return { answer, performed: performed.length, read };
}

const refuse = { kind: 'refuse', status: 429, headers: { 'retry-after': '2' }, json: { ok: false } } as const;

it.each<[fault: WireFault | null, answer: string, performed: number]>([
  [null, '200 answer 1', 1],
  [{ kind: 'reset' }, 'no answer', 0],
  [{ kind: 'lost' }, 'no answer', 1],
  [refuse, '429 {"ok":false}', 0],
  [{ kind: 'hold', until: Promise.resolve() }, '200 answer 1', 1],
  [{ kind: 'duplicate' }, '200 answer 2', 2],
])('with %o a client gets “%s” of a request that is performed %i times', async (fault, answer, performed) => {
  expect(await post(fault)).toEqual({ answer, performed, read: ['one'] });
});

it('serves a request as it came if its body was not read', async () => {
  expect(await post(null, false)).toEqual({ answer: '200 answer 1', performed: 1, read: [] });
});
