import { expect, it } from 'vitest';
import { sizeText } from './byte-size.ts';

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_000, '1.0 kB'],
  [1_234_567, '1.2 MB'],
  [5_600_000_000, '5.6 GB'],
])('%i is %s', (bytes, text) => {
  expect(sizeText(bytes)).toBe(text);
});
