import { expect, it } from 'vitest';
import { fetchFile, type DecideAddress } from './fetch-file.ts';

const ours: DecideAddress = async (url) => {
  if (url.host === 'a.example') return { authorization: 'Bearer secret' };
  return url.host === 'b.example' ? {} : null;
};
const redirect = (location: string): Response => new Response(null, { status: 302, headers: { location } });

async function run(answers: Readonly<Record<string, () => Response>>, address = 'https://a.example/1') {
  const asked: string[] = [];
  const platformFetch: typeof fetch = async (input, init) => {
    const request = new Request(input instanceof Request ? input : String(input), init);
    asked.push(`${request.url} ${request.headers.get('authorization') ?? 'none'} ${request.redirect}`);
    const answer = answers[request.url];
    if (answer === undefined) throw new TypeError('unreachable');
    return answer();
  };
  const fetched = await fetchFile(address, ours, platformFetch, { maxBytes: 4, deadlineMs: 60_000 });
  return { fetched, asked };
}

it('follows a redirect to an allowed host, without the credential of the first', async () => {
  const { fetched, asked } = await run({
    'https://a.example/1': () => redirect('/2'),
    'https://a.example/2': () => redirect('https://b.example/3'),
    'https://b.example/3': () => new Response('file', { headers: { 'content-type': 'text/plain' } }),
  });
  expect(fetched).toMatchObject({ kind: 'bytes', contentType: 'text/plain' });
  expect(asked).toEqual([
    'https://a.example/1 Bearer secret manual',
    'https://a.example/2 Bearer secret manual',
    'https://b.example/3 none manual',
  ]);
});

it.each<readonly [string, Readonly<Record<string, () => Response>>, unknown]>([
  [
    'a redirect to another host',
    { 'https://a.example/1': () => redirect('https://evil.example/x') },
    { kind: 'elsewhere', host: 'evil.example' },
  ],
  [
    'a redirect without an end',
    { 'https://a.example/1': () => redirect('/1') },
    { kind: 'elsewhere', host: 'a.example' },
  ],
  [
    'a redirect to nowhere',
    { 'https://a.example/1': () => redirect('https://[') },
    { kind: 'elsewhere', host: '' },
  ],
  [
    'a refusal',
    { 'https://a.example/1': () => new Response('no', { status: 403 }) },
    { kind: 'status', status: 403 },
  ],
  [
    'part of a file',
    { 'https://a.example/1': () => new Response('no', { status: 206 }) },
    { kind: 'status', status: 206 },
  ],
  ['a file that is too large', { 'https://a.example/1': () => new Response('12345') }, { kind: 'too-large' }],
  ['a host that does not answer', {}, { kind: 'unreachable' }],
])('reports %s', async (_, answers, expected) => {
  expect((await run(answers)).fetched).toEqual(expected);
});

it('asks a second time when the first answer may be transient', async () => {
  const answers = [new Response('', { status: 503 }), new Response('file')];
  const { fetched } = await run({ 'https://a.example/1': () => answers.shift() ?? new Response() });
  expect(fetched.kind).toBe('bytes');
});

it('asks no host that is not allowed', async () => {
  expect(await run({}, 'https://evil.example/1')).toEqual({
    fetched: { kind: 'elsewhere', host: 'evil.example' },
    asked: [],
  });
});
