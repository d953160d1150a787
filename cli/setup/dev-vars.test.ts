import { parseEnv } from 'node:util';
import { expect, it } from 'vitest';
import { withSettings } from './dev-vars.ts';

const pem = '-----BEGIN RSA PRIVATE KEY-----\nMIIE=\n-----END RSA PRIVATE KEY-----';

it.each<[what: string, before: string, changes: Record<string, string | null>, after: string]>([
  ['an empty file', '', { A: 'x' }, 'A=x\n'],
  ['a file without a last line end', 'B=1', { A: 'x' }, 'B=1\nA=x\n'],
  [
    'comments and unknown lines',
    '# a\n\nwhat is this\nB=1 # b\n',
    { A: 'x' },
    '# a\n\nwhat is this\nB=1 # b\nA=x\n',
  ],
  ['a value in its place', 'A=1\nB=2\n', { A: 'x' }, 'A=x\nB=2\n'],
  ['an exported value', '  export A = 1\nB=2\n', { A: 'x' }, 'A=x\nB=2\n'],
  ['a value of several lines', `A="${pem}"\nB=2\n`, { A: 'x' }, 'A=x\nB=2\n'],
  ['a longer name', 'AA=1\nA=2\n', { A: 'x' }, 'AA=1\nA=x\n'],
  ['a name within another value', 'B="1\nA=2"\n', { A: 'x' }, 'B="1\nA=2"\nA=x\n'],
  ['a name that is set twice', 'A=1\nB=2\nA=3\n', { A: 'x' }, 'A=x\nB=2\n'],
  ['a commented name', '#A=1\n', { A: 'x' }, '#A=1\nA=x\n'],
  ['a setting that is removed', 'A=1\nB=2\n', { A: null, C: null }, 'B=2\n'],
  ['the line ends of Windows', 'A=1\r\nB=2\r\n', { A: 'x' }, 'A=x\nB=2\n'],
])('keeps the rest of %s', (_, before, changes, after) => {
  expect(withSettings(before, changes)).toBe(after);
});

it.each([
  pem,
  'with spaces # and a hash',
  `it's "quoted"`,
  '$HOME `x`',
  String.raw`back\slash`,
  String.raw`a\nb`,
])('writes %j so that it is read as it is', (value) => {
  expect(parseEnv(withSettings('# first\nB=1\n', { A: value }))).toEqual({ A: value, B: '1' });
});

it('refuses a value that no quotes can hold', () => {
  expect(() => withSettings('', { A: `' " \`` })).toThrow(/^A has quotes that \.dev\.vars cannot hold$/);
});
