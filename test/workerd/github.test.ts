/** GitHub's libraries in workerd: signing with both key formats, and calls that the simulator verifies. */
import { expect, inject, it } from 'vitest';
import { createAppTokens } from '../../src/github/app-auth.ts';
import { githubClient } from '../../src/github/client.ts';
import { createCodeHost } from '../../src/github/code-host.ts';
import { readHtml } from '../../src/github/read-html.ts';
import { authorization } from './task.ts';

// workerd's fetch throws if it is called as a method of another object.
const api = {
  apiUrl: inject('github').apiUrl,
  fetch: (async (input, init) => await fetch(input, init)) satisfies typeof fetch,
  now: Date.now,
  readHtml,
};
const withKey = (privateKey: string) =>
  createAppTokens({ ...api, appId: Number(inject('github').appId), privateKey });

it.each(['pkcs1', 'pkcs8'] as const)('signs an App JWT with a %s key that GitHub accepts', async (form) => {
  const pem = inject('github')[form];
  expect(pem).toContain(form === 'pkcs1' ? 'BEGIN RSA PRIVATE KEY' : 'BEGIN PRIVATE KEY');
  const tokens = withKey(pem);
  const app = await githubClient(api, async () => await tokens.appJwt()).request('GET /app');
  expect(app.data).toMatchObject({ slug: 'acme-codex' });
});

it('signs with a key from an environment file with escaped line breaks', async () => {
  const tokens = withKey(`"${inject('github').pkcs1.replaceAll('\n', '\\n')}"`);
  const app = await githubClient(api, async () => await tokens.appJwt()).request('GET /app');
  expect(app.status).toBe(200);
});

it('is refused with the key of another App', async () => {
  const pair = await crypto.subtle.generateKey(
    {
      name: 'RSASSA-PKCS1-v1_5',
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
      hash: 'SHA-256',
    },
    true,
    ['sign', 'verify'],
  );
  if (!('privateKey' in pair)) throw new Error('no pair');
  const der = await crypto.subtle.exportKey('pkcs8', pair.privateKey);
  if (!(der instanceof ArrayBuffer)) throw new Error('not DER');
  const body = btoa(String.fromCharCode(...new Uint8Array(der)));
  const tokens = withKey(`-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\n`);
  const call = githubClient(api, async () => await tokens.appJwt()).request('GET /app');
  await expect(call).rejects.toMatchObject({ name: 'GithubRefusal', status: 401 });
});

it('reads a repository with a narrowed token', async () => {
  const tokens = withKey(inject('github').pkcs1);
  const host = createCodeHost({ ...api, webUrl: 'https://github.example', tokens, taskId: 'workerd' });
  const { facts } = authorization();
  expect(await host.locate({ owner: 'acme', name: 'split' })).toMatchObject({
    repositoryId: facts.repositoryId,
  });
  expect(await host.headOf(facts, 'main')).toBe(inject('repository').headSha);
  for (const [login, writes] of [
    ['ada', true],
    ['rea', false],
  ] as const) {
    const person = (await host.account(facts, login)) ?? { login: '', id: 0 };
    expect(await host.canWrite(facts, person)).toBe(writes);
  }
  await host.forgetTokens('workerd');
});

it('reads rendered HTML with its own parser as the HTML standard does', async () => {
  const html =
    '<p dir="auto">Tom &amp; <a class="user-mention" href="https://x/?a=1&amp;b=2" title="&quot;">@ada</a><br>\n' +
    '&lt;!-- x --&gt;&nbsp;&#128512;&hellip; é</p>\n<!-- hidden --><ul><li><input type="checkbox" disabled checked> a</li></ul>' +
    `<pre><code>${'long &lt; '.repeat(20_000)}</code></pre>`;
  const events = await readHtml(html);
  const text = (value: string) => ({ kind: 'text', text: value });
  const open = (name: string, attributes: Record<string, string> = {}) => ({
    kind: 'open',
    name,
    attributes: new Map(Object.entries(attributes)),
  });
  const close = (name: string) => ({ kind: 'close', name });
  expect(events).toEqual([
    open('p', { dir: 'auto' }),
    text('Tom & '),
    open('a', { class: 'user-mention', href: 'https://x/?a=1&b=2', title: '"' }),
    text('@ada'),
    close('a'),
    open('br'),
    text('\n<!-- x -->\u00A0😀… é'),
    close('p'),
    text('\n'),
    open('ul'),
    open('li'),
    open('input', { type: 'checkbox', disabled: '', checked: '' }),
    text(' a'),
    close('li'),
    close('ul'),
    open('pre'),
    open('code'),
    text('long < '.repeat(20_000)),
    close('code'),
    close('pre'),
  ]);
  await expect(readHtml('')).resolves.toEqual([]);
});

it('makes ten concurrent calls without a queue that ends with a request', async () => {
  const tokens = withKey(inject('github').pkcs1);
  const host = createCodeHost({
    ...api,
    webUrl: 'https://github.example',
    tokens,
    taskId: 'workerd-at-once',
  });
  const { facts } = authorization();
  const heads = await Promise.all(Array.from({ length: 10 }, async () => await host.headOf(facts, 'main')));
  expect(new Set(heads)).toEqual(new Set([inject('repository').headSha]));
});

it('cannot reach any host but the simulator', async () => {
  await expect(fetch('https://example.com/')).rejects.toThrow('unexpected request');
});
