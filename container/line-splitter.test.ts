import { expect, it } from 'vitest';
import { createLineSplitter } from './line-splitter.ts';

function split(pieces: readonly string[], maxCharacters = 100) {
  const lines: (string | null)[] = [];
  let examined = 0;
  const push = createLineSplitter(
    { onLine: (line) => lines.push(line), onOverlong: () => lines.push(null), maxCharacters },
    (text, from) => {
      const end = text.indexOf('\n', from);
      examined += (end === -1 ? text.length : end + 1) - from;
      return end;
    },
  );
  for (const piece of pieces) push(piece);
  return { lines, examined };
}

it.each<[string, readonly string[], readonly (string | null)[]]>([
  ['whole lines', ['a\nb\n'], ['a', 'b']],
  ['a line in pieces', ['a', '', 'b', 'c\nd', '\n'], ['abc', 'd']],
  ['empty lines', ['\n\n'], ['', '']],
  ['no line without an end', ['abc'], []],
  ['an overlong line, and reads the next one', ['x'.repeat(101), 'y\nok\n'], [null, 'ok']],
  ['an overlong line in one piece', [`${'x'.repeat(200)}\nok\n`], [null, 'ok']],
  ['a line of exactly the limit', [`${'x'.repeat(100)}\n`], ['x'.repeat(100)]],
])('reports %s', (_, pieces, lines) => {
  expect(split(pieces).lines).toEqual(lines);
});

it('looks once at each character of a line of 16 MiB that comes in 256 pieces', () => {
  const piece = 'x'.repeat(64 * 1024);
  const pieces = [...Array.from({ length: 256 }, () => piece), '\n'];
  const { lines, examined } = split(pieces, 64 * 1024 * 1024);
  expect(lines.map((line) => line?.length)).toEqual([256 * piece.length]);
  expect(examined).toBe(256 * piece.length + 1);
});
