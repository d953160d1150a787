import { describe, expect, it } from 'vitest';
import { credentialSearch } from '../../src/egress/credential-search.ts';

const secret = 'npm_aB3/+=&"<x>\'~%41y9';
const search = credentialSearch([secret]);
const hex = (text: string) => Buffer.from(text).toString('hex');
const percent = (text: string) => hex(text).replaceAll(/../g, '%$&');

describe('a credential is found', () => {
  it.each<[string, string]>([
    ['as it is', secret],
    ['in base64', btoa(secret)],
    ['in base64 after a user name', btoa(`user:${secret}`)],
    ['in base64 after a longer user name, with more behind it', btoa(`user1:${secret}\n`)],
    ['in base64 in the middle of a text', btoa(`{"a":"${secret}"}`)],
    ['in base64 for URLs', Buffer.from(`??>${secret}`).toString('base64url')],
    ['in hex', hex(secret)],
    ['in capital hex', hex(secret).toUpperCase()],
    ['escaped for a URL', encodeURIComponent(secret)],
    ['escaped in each character', percent(secret)],
    ['escaped twice', encodeURIComponent(encodeURIComponent(secret))],
    ['escaped in some characters', `${percent(secret.slice(0, 3))}${secret.slice(3)}`],
    ['as base64 that is escaped for a URL', encodeURIComponent(btoa(`x:${secret}`))],
    ['in JSON', JSON.stringify({ secret })],
    ['in JSON in JSON', JSON.stringify(JSON.stringify({ secret }))],
    ['in JSON with escaped slashes', JSON.stringify(secret).replaceAll('/', '\\/')],
    [
      'in JSON with escapes alone',
      secret
        .split('')
        .map((c) => `\\u00${hex(c)}`)
        .join(''),
    ],
    [
      'as a text of a program',
      secret
        .split('')
        .map((c) => `\\x${hex(c)}`)
        .join(''),
    ],
    [
      'in HTML',
      secret
        .replaceAll('&', '&amp;')
        .replaceAll('"', '&quot;')
        .replaceAll('<', '&lt;')
        .replaceAll("'", '&#39;'),
    ],
    [
      'in HTML with numbers alone',
      secret
        .split('')
        .map((c) => `&#x${hex(c)};`)
        .join(''),
    ],
    ['in UTF-16', Buffer.from(secret, 'utf16le').toString('latin1')],
  ])('%s', (_, spelled) => {
    expect(search.finds(`before ${spelled} after`)).toBe(true);
    expect(search.longest).toBeGreaterThanOrEqual(spelled.length);
  });
});

it.each([
  ['another credential', 'npm_aB3/+=&"<x>\'~%41y8'],
  ['a part of it', secret.slice(1)],
  ['an ordinary answer', '{"name":"@acme/cents","dist":{"integrity":"sha512-aB3/+="}}'],
  ['escapes without an end', '%%%41\\u00&#&#x;\\'],
])('is not found in %s', (_, text) => {
  expect(search.finds(text)).toBe(false);
});

it('takes time in proportion to the answer, whatever it is full of', () => {
  for (const piece of ['%', '\\', '&#x0', '%25', '\\u00'])
    expect(search.finds(piece.repeat(1_000_000 / piece.length))).toBe(false);
});
