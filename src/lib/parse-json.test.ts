import { expect, it } from 'vitest';
import { parseJson } from './parse-json.ts';

it.each([
  ['{"a":[1]}', { a: [1] }],
  ['null', null],
  ['"text"', 'text'],
  ['', undefined],
  ['{"a":', undefined],
  ['undefined', undefined],
  ['{} {}', undefined],
])('parses %j to %j', (text, value) => {
  expect(parseJson(text)).toEqual(value);
});
