import { describe, expect, it } from 'vitest';
import { tokenIn } from '../../../test/pages/browser-of.ts';
import { origin, pageWorld, privateKey } from '../../../test/pages/page-world.ts';
import { createSigner } from '../../lib/signer.ts';
import { makeOpenLink, maxLinkMs } from './open-link.ts';
import { returnPath } from './session.ts';

const page = '/t/gh-1-c2';
const reader = { permission: 'read', private: true } as const;
const writer = { permission: 'write', private: true } as const;

describe('who may look at a task', () => {
  it('shows it to a person whom GitHub lets read the repository', async () => {
    const { signedIn } = pageWorld({ access: (login) => (login === 'rea' ? reader : null) });
    const { status, text } = await (await signedIn('rea')).visit(page);
    expect({ status, shown: text.includes('abcd1234') }).toEqual({ status: 200, shown: true });
  });

  it('asks who is not signed in to sign in, whether the task exists or not', async () => {
    const { newBrowser } = pageWorld();
    const [there, not] = [await newBrowser().visit(page), await newBrowser().visit('/t/gh-1-c3')];
    expect(there.status).toBe(401);
    expect(there.text.replaceAll('gh-1-c2', 'ID')).toBe(not.text.replaceAll('gh-1-c3', 'ID'));
  });

  it.each([
    ['a hidden task', page, {}],
    ['a task that does not exist', '/t/gh-1-c3', {}],
    ['a text that cannot be an id', '/t/..%2Fx', {}],
    ['a task whose repository is not known', page, { task: { subject: async () => ({ place: null }) } }],
    ['a task that has expired', page, { task: { subject: async () => null } }],
    [
      'a task when GitHub cannot be asked',
      page,
      { deps: { accessOf: async () => await Promise.reject(new Error('down')) } },
    ],
  ])('answers a stranger the same, after the same time, for %s', async (_what, path, given) => {
    const asking = async (world: ReturnType<typeof pageWorld>, to: string) => {
      const visit = await (await world.signedIn('eve')).visit(to);
      const text = visit.text.replaceAll(/value="[^"]+"/g, '');
      return { status: visit.status, text, headers: [...visit.headers], pauses: world.pauses };
    };
    const answer = await asking(pageWorld(given), path);
    expect(answer).toEqual(await asking(pageWorld(), '/t/gh-1-c9'));
    expect(answer.status).toBe(404);
    expect(answer.pauses).toEqual([1000]);
  });

  it('waits for the next full second when GitHub took longer', async () => {
    const world = pageWorld({
      deps: {
        accessOf: async () => {
          world.clock.now += 1300;
          return await Promise.resolve(null);
        },
      },
    });
    await (await world.signedIn('eve')).visit(page);
    expect(world.pauses).toEqual([700]);
  });

  it('asks no record about a task that was never accepted, because asking would create it', async () => {
    const asked: string[] = [];
    const task = () => {
      asked.push('record');
      throw new Error('a record was asked');
    };
    const { signedIn } = pageWorld({ deps: { isListed: async () => false, task } });
    await (await signedIn('eve')).visit(page);
    expect(asked).toEqual([]);
  });

  it('ends a session after twelve hours and at the sign-out', async () => {
    const { signedIn, clock } = pageWorld({ access: () => reader });
    const [late, leaving] = [await signedIn('rea'), await signedIn('rea')];
    const token = tokenIn(await leaving.visit(page));
    await leaving.submit('/auth/sign-out', { token });
    expect((await leaving.visit(page)).status).toBe(401);
    clock.now += 12 * 60 * 60_000 - 1;
    expect((await late.visit(page)).status).toBe(200);
    clock.now += 1;
    expect((await late.visit(page)).status).toBe(401);
  });

  it('signs nobody out for another site', async () => {
    const { signedIn } = pageWorld({ access: () => reader });
    const browser = await signedIn('rea');
    expect((await browser.submit('/auth/sign-out', { token: 'guessed' })).status).toBe(403);
    expect((await browser.visit(page)).status).toBe(200);
  });
});

describe('a session cookie', () => {
  it('is for this host over https, out of reach of scripts, and not sent by other sites’ forms', async () => {
    const { newBrowser } = pageWorld();
    const browser = newBrowser();
    const asked = await browser.visit('/auth/sign-in');
    const state = new URL(asked.to).searchParams.get('state') ?? '';
    const { headers } = await browser.visit(`/auth/callback?code=rea&state=${state}`);
    const cookie = headers.getSetCookie().find((line) => line.startsWith('__Host-airlock=')) ?? '';
    expect(cookie.replace(/=[^;]+/, '')).toBe(
      '__Host-airlock; Max-Age=43200; Path=/; HttpOnly; Secure; SameSite=Lax',
    );
  });

  it.each([
    ['is changed', (value: string) => value.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))],
    ['has another signature', (value: string) => `${value.slice(0, -2)}AA`],
    ['is signed for another purpose', async () => await createSigner(privateKey).sign('sign-in', '{}')],
    ['is signed by another key', async () => await createSigner('another').sign('session', '{}')],
    ['is no session', async () => await createSigner(privateKey).sign('session', '{"viewer":1}')],
    ['is endless', () => `${'A'.repeat(100_000)}.${'A'.repeat(43)}`],
  ])('counts for nothing if it %s', async (_how, change) => {
    const { signedIn } = pageWorld({ access: () => writer });
    const browser = await signedIn('rea');
    const name = '__Host-airlock';
    browser.cookies.set(name, await change(browser.cookies.get(name) ?? ''));
    expect((await browser.visit(page)).status).toBe(401);
  });
});

describe('sign-in with GitHub', () => {
  it('sends the person with a state and a PKCE challenge, and returns to the page', async () => {
    const { newBrowser } = pageWorld();
    const browser = newBrowser();
    const asked = new URL((await browser.visit(`/auth/sign-in?to=${page}`)).to);
    expect(Object.fromEntries(asked.searchParams)).toEqual({
      redirectUri: `${origin}/auth/callback`,
      state: expect.stringMatching(/^[\w-]{43}$/),
      challenge: expect.stringMatching(/^[\w-]{43}$/),
    });
    const back = await browser.visit(
      `/auth/callback?code=rea&state=${asked.searchParams.get('state') ?? ''}`,
    );
    expect(back.to).toBe(page);
  });

  it.each([
    ['a state that is not this browser’s', () => '/auth/callback?code=rea&state=other'],
    ['no state', () => '/auth/callback?code=rea'],
    ['no code', (state: string) => `/auth/callback?error=access_denied&state=${state}`],
    ['a code that GitHub does not take', (state: string) => `/auth/callback?code=denied&state=${state}`],
  ])('signs nobody in with %s', async (_what, callback) => {
    const { newBrowser } = pageWorld({ access: () => writer });
    const browser = newBrowser();
    const asked = new URL((await browser.visit('/auth/sign-in')).to);
    const answer = await browser.visit(callback(asked.searchParams.get('state') ?? ''));
    expect(answer.status).toBe(400);
    expect((await browser.visit(page)).status).toBe(401);
  });

  it('takes each attempt once, and within ten minutes', async () => {
    const { newBrowser, clock } = pageWorld();
    const browser = newBrowser();
    const begin = async () =>
      new URL((await browser.visit('/auth/sign-in')).to).searchParams.get('state') ?? '';
    const first = await begin();
    const callback = `/auth/callback?code=rea&state=${first}`;
    expect((await browser.visit(callback)).status).toBe(303);
    expect((await browser.visit(callback)).status).toBe(400);
    const late = await begin();
    clock.now += 10 * 60_000;
    expect((await browser.visit(`/auth/callback?code=rea&state=${late}`)).status).toBe(400);
  });

  it.each([
    ['/t/gh-1-c2', '/t/gh-1-c2'],
    ['/tasks', '/tasks'],
    ['//evil.example', '/tasks'],
    ['/\\evil.example', '/tasks'],
    ['https://evil.example/t/x', '/tasks'],
    ['/t/x/../../open', '/tasks'],
    ['/t/x?y', '/tasks'],
    ['/t/x\n', '/tasks'],
    [undefined, '/tasks'],
  ])('returns for %j to %s', (asked, path) => {
    expect(returnPath(asked)).toBe(path);
  });

  it('says which settings are missing where it is off', async () => {
    const off = pageWorld({ deps: { signIn: null, openLinks: null } }).newBrowser();
    for (const path of [page, '/auth/sign-in', '/auth/callback']) {
      const { status, text } = await off.visit(path);
      expect([status, text.includes('GITHUB_CLIENT_SECRET')]).toEqual([404, true]);
    }
    const machine = pageWorld({ deps: { signIn: null } }).newBrowser();
    expect((await machine.visit(page)).text).toContain('npm run open');
  });
});

describe('a one-time link', () => {
  const here = { url: '', id: 'this-start', privateKey };

  it('signs the operator in once, over http too', async () => {
    const { newBrowser, clock } = pageWorld();
    const link = await makeOpenLink(here, page, clock.now + 1000);
    const browser = newBrowser('http://127.0.0.1:8787');
    expect((await browser.visit(link)).to).toBe(page);
    expect((await browser.visit(page)).status).toBe(200);
    expect((await newBrowser().visit(link)).status).toBe(403);
  });

  it.each([
    ['of another start of the bot', { ...here, id: 'an-earlier-start' }, 1000],
    ['made with another key', { ...here, privateKey: 'guessed' }, 1000],
    ['that has expired', here, 0],
    ['that would live too long', here, maxLinkMs + 1],
  ])('does not work if it is one %s', async (_which, bot, lives) => {
    const { newBrowser, clock } = pageWorld();
    const link = await makeOpenLink(bot, page, clock.now + lives);
    expect((await newBrowser().visit(link)).status).toBe(403);
  });

  it('does not exist off one machine', async () => {
    const { newBrowser, clock } = pageWorld({ deps: { openLinks: null } });
    const link = await makeOpenLink(here, page, clock.now + 1000);
    expect((await newBrowser().visit(link)).status).toBe(403);
  });
});

it('sends every page with a policy that allows nothing but our own files', async () => {
  const { signedIn } = pageWorld({ access: () => reader });
  const browser = await signedIn('rea');
  for (const path of [page, '/t/none', '/auth/callback', '/open']) {
    const { headers, text } = await browser.visit(path);
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; /);
    expect(headers.get('content-security-policy')).not.toContain('unsafe');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(text).not.toMatch(/<script(?! type="module" src="\/assets\/)|<style|\sstyle=|\son\w+=/);
  }
});
