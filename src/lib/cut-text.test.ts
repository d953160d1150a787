import { expect, it } from 'vitest';
import { headOf, tailOf } from './cut-text.ts';

it.each([
  ['abc', 3, 'abc', 'abc'],
  ['abc', 2, 'ab', 'bc'],
  ['abc', 0, '', ''],
  ['a😀b', 3, 'a😀', '😀b'],
  ['a😀b', 2, 'a', 'b'],
  ['😀', 1, '', ''],
  // Half a pair that was there before is not ours to mend.
  ['\uD83D', 1, '\uD83D', '\uD83D'],
])('cuts %j to %i units: head %j, tail %j', (text, max, head, tail) => {
  expect(headOf(text, max)).toBe(head);
  expect(tailOf(text, max)).toBe(tail);
});
