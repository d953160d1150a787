import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { matchesPattern, overlap, readPattern, type RepositoryPattern } from './repository-pattern.ts';

function pattern(name: string): RepositoryPattern {
  const read = readPattern(`acme/${name}`);
  if (!read.ok) throw new Error(read.expected);
  return read.pattern;
}
const names = fc
  .array(fc.constantFrom('a', 'b', '*'), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join('').replace(/\*+/g, '*'));

/** Every text over two letters, up to a length that suffices for patterns of five characters. */
const texts = Array.from({ length: 10 }, (_, length) => length + 1).flatMap((length) =>
  Array.from({ length: 2 ** length }, (_, bits) =>
    bits.toString(2).padStart(length, '0').replaceAll('0', 'a').replaceAll('1', 'b'),
  ),
);

it('matches the same names as the equivalent regular expression', () => {
  fc.assert(
    fc.property(names, fc.constantFrom(...texts), (name, text) => {
      const expected = new RegExp(`^${name.replaceAll('*', '.*')}$`).test(text);
      expect(matchesPattern(pattern(name), { owner: 'Acme', name: text })).toBe(expected);
    }),
  );
});

it('reports an overlap exactly if some name matches both patterns', () => {
  fc.assert(
    fc.property(names, names, (one, other) => {
      const [a, b] = [pattern(one), pattern(other)];
      const both = texts.some(
        (name) => matchesPattern(a, { owner: 'acme', name }) && matchesPattern(b, { owner: 'acme', name }),
      );
      expect(overlap(a, b)).toBe(both);
    }),
    { numRuns: 60 },
  );
});

it.each(['mona_acme/app', 'mona_acme/*', '!mona_acme/private-*'])('reads %j, of a managed user', (key) => {
  expect(readPattern(key)).toMatchObject({ ok: true, pattern: { owner: 'mona_acme' } });
});
