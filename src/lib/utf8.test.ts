import { expect, it } from 'vitest';
import { utf8Of } from './utf8.ts';

it.each([
  ['ASCII', [0x61], 'a'],
  ['nothing', [], ''],
  ['a byte order mark, which it keeps', [0xef, 0xbb, 0xbf, 0x61], '\uFEFFa'],
  ['a character outside the basic plane', [0xf0, 0x9f, 0x98, 0x80], '😀'],
  ['a cut character', [0xf0, 0x9f, 0x98], null],
  ['Latin-1', [0xe9], null],
  ['an encoded surrogate', [0xed, 0xa0, 0x80], null],
])('decodes %s', (_, bytes, text) => {
  expect(utf8Of(new Uint8Array(bytes))).toBe(text);
});
