import { METHODS } from 'node:http';
import { describe, expect, it } from 'vitest';
import { checkRequestHead, endToEndHeaders, type RawHead } from './request-head.ts';

const head: RawHead = {
  method: 'GET',
  target: '/',
  rawHeaders: ['Host', 'a.example'],
  scheme: 'https',
  sni: 'a.example',
};

describe('checkRequestHead', () => {
  it.each([
    ['/a/../b', 'https://a.example/a/../b'],
    ['/%2e%2e/%2F?q=http://b.example/', 'https://a.example/%2e%2e/%2F?q=http://b.example/'],
    ['//b.example/x', 'https://a.example//b.example/x'],
    ['https://a.example', 'https://a.example/'],
    ['https://A.example:443/x', 'https://a.example/x'],
    ['https://a.example?q', 'https://a.example/?q'],
  ])('leaves the path of %s as it was sent', (target, url) => {
    expect(checkRequestHead({ ...head, target })).toMatchObject({
      kind: 'forward',
      url,
      hostname: 'a.example',
    });
  });

  it.each([
    '',
    'a.example/x',
    'https:/a.example',
    'https:a.example',
    '/a b',
    '/\u00e9',
    '/a\tb',
    '*',
    'file:///etc/passwd',
    'https://[a.example]/',
    'https://a.example:444/',
    'https://a.example@b.example/',
    'https://a.example.b.example/',
    'https://a.example\\@b.example/',
    ...['<', '>', '`', '"', '{', '}', '|', '^', '[', ']', '%', '%g0', '%0', '#'].flatMap((text) => [
      `/a${text}`,
      `/?a${text}`,
      `https://a.example/${text}`,
    ]),
  ])('refuses the target %j', (target) => {
    expect(checkRequestHead({ ...head, target })).toMatchObject({ kind: 'refuse' });
  });

  it.each([
    '',
    ' ',
    'a.example ',
    'a.example,b.example',
    'a_b.example',
    'xn--é',
    'a.example/',
    'a.example?x',
    '-a.example',
    // No URL can have these: a name that ends in a number is read as an address.
    '1.2.3.256',
    'a.123',
    '1.2.3.4.5',
    'xn--a',
    'a-.example',
    'a..example',
    `${'a.'.repeat(130)}a`,
  ])('refuses the Host %j', (host) => {
    expect(checkRequestHead({ ...head, rawHeaders: ['Host', host] })).toMatchObject({ kind: 'refuse' });
  });
});

describe('a method', () => {
  it.each(METHODS)('%s is handed on only if workerd hands it on to the Worker', (method) => {
    const own = ['CONNECT', 'BIND', 'LINK', 'M-SEARCH', 'MKCALENDAR', 'REBIND', 'SOURCE', 'UNBIND', 'UNLINK'];
    const { kind } = checkRequestHead({ ...head, method });
    expect(kind).toBe(own.includes(method) ? 'refuse' : 'forward');
  });
});

describe('endToEndHeaders', () => {
  it('keeps repeated headers, their order and their case', () => {
    const headers = ['X-A', '1', 'Set-Cookie', 'a=1', 'x-a', '2', 'Set-Cookie', 'b=2'];
    expect(endToEndHeaders(headers)).toEqual(headers);
  });

  it('removes connection-specific headers, both the standard ones and those that Connection names', () => {
    const headers = [
      'Connection',
      'close, X-Mine',
      'x-mine',
      '1',
      'Transfer-Encoding',
      'chunked',
      'TE',
      'trailers',
      'Proxy-Authorization',
      'x',
      'Keep',
      'yes',
    ];
    expect(endToEndHeaders(headers)).toEqual(['Keep', 'yes']);
  });
});
