/** A denied URL can have an allowed normal form. It is denied as received, and nothing is sent. */
import { expect, it } from 'vitest';
import { decideEgress } from './decide.ts';
import { exampleGrant } from '../../test/fixtures/example-grant.ts';
import { handleEgress, type EgressDeps } from './handler.ts';

const headers = { 'content-type': 'application/x-git-upload-pack-request' };
const allowed = [
  ['GET', 'https://github.com/Acme/Split-Bill.git/info/refs?service=git-upload-pack'],
  ['POST', 'https://github.com/Acme/Split-Bill.git/git-upload-pack'],
  ['GET', 'https://api.openai.com/v1/models'],
  ['GET', 'https://docs.example.com/a/b?c=d'],
] as const;
const tricks = [
  '/.',
  '/x/..',
  '/%2e',
  '/x/%2E%2e',
  '\\',
  '\\..\\',
  '\t',
  '\n',
  '#',
  '#x',
  'u@',
  'u:p@',
  ':443',
  '.',
];

/** Every allowed URL with one trick at one position. */
function* oddSpellings() {
  for (const [method, url] of allowed)
    for (let at = 0; at <= url.length; at++)
      for (const trick of tricks)
        for (const skip of [0, 1]) yield { method, raw: url.slice(0, at) + trick + url.slice(at + skip) };
}

it('sends nothing upstream for a URL that is denied for its spelling alone', async () => {
  const sent: string[] = [];
  const recorded: string[] = [];
  const deps: EgressDeps = {
    admit: async () => exampleGrant,
    record: async (_, { verdict }) => void recorded.push(verdict),
    phaseEnded: async () => false,
    readToken: async () => {
      sent.push('a token was requested');
      return 'ghs_none';
    },
    packageToken: async () => 'ghs_none',
    registrySecret: () => null,
    openaiApiKey: 'sk-none',
    githubUrl: 'https://github.com',
    openaiBaseUrl: 'https://api.openai.com/v1',
    fetch: async (input) => {
      sent.push(input instanceof Request ? input.url : input.toString());
      return new Response('reached');
    },
    now: () => 0,
    waitUntil: () => undefined,
  };
  const decide = (method: string, url: string) =>
    decideEgress({ method, url, header: (name) => new Headers(headers).get(name) }, exampleGrant);
  let odd = 0;
  for (const { method, raw } of oddSpellings()) {
    const verdict = decide(method, raw);
    const normal = URL.parse(raw)?.href;
    if (verdict.kind !== 'deny' || normal === undefined || decide(method, normal).kind === 'deny') continue;
    odd += 1;
    const body = method === 'POST' ? { body: '0000' } : {};
    const request = new Request('https://github.com/', { method, headers, ...body });
    // The constructor normalises; a request from workerd has the URL of its request line.
    Object.defineProperty(request, 'url', { value: raw });
    const answer = await handleEgress(request, 'sandbox', deps);
    expect([raw, answer.status, sent, recorded.at(-1)]).toEqual([raw, verdict.status, [], 'denied']);
  }
  expect(odd).toBeGreaterThan(300);
  expect(recorded).toHaveLength(odd);
});
