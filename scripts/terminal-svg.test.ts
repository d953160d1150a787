import { describe, expect, it } from 'vitest';
import { readRuns, terminalSvg, withoutColour } from './terminal-svg.ts';

const esc = '\u001B';
const picture = { title: 'a & b', columns: 20 };
const textsOf = (svg: string) =>
  [...svg.matchAll(/<text[^>]* x="(\d+)" y="(\d+)" textLength="(\d+)"[^>]*>([^<]*)</g)].map(
    ([, x, y, length, text]) => ({ x: Number(x), y: Number(y), length: Number(length), text }),
  );

describe('readRuns', () => {
  it('splits a line into runs of one style', () => {
    expect(readRuns(`${esc}[1m${esc}[32mgo${esc}[39m${esc}[22m on`)).toEqual([
      { text: 'go', style: { bold: true, dim: false, colour: '#56d364' } },
      { text: ' on', style: { bold: false, dim: false, colour: null } },
    ]);
  });
});

describe('withoutColour', () => {
  it('removes all colour sequences', () => {
    expect(withoutColour(`${esc}[2m  0.1s${esc}[22m done`)).toBe('  0.1s done');
  });
});

describe('terminalSvg', () => {
  it('escapes markup in lines and title', () => {
    const svg = terminalSvg(['if (a < b && c)'], picture);
    expect(svg).toContain('if (a &lt; b &amp;&amp; c)');
    expect(svg).toContain('<title>a &amp; b</title>');
  });
  it('places each run at its cell, symbols separately, and gives an emoji two cells', () => {
    const [stop, why] = textsOf(terminalSvg(['  ⛔ blocked'], picture));
    expect(stop).toMatchObject({ text: '⛔', x: 18 + 2 * 8, length: 2 * 8 });
    expect(why).toMatchObject({ text: 'blocked', x: 18 + 5 * 8, length: 7 * 8 });
  });
  it('gives two cells to a symbol that is shown as an emoji', () => {
    const [, why] = textsOf(terminalSvg(['⚠️ careful'], picture));
    expect(why).toMatchObject({ text: 'careful', x: 18 + 3 * 8 });
  });
  it('wraps a long line at a space, under the start of its text', () => {
    const rows = textsOf(terminalSvg(['  one two three four five'], picture));
    expect(rows.map(({ text }) => text)).toEqual(['one two three four', 'five']);
    expect(new Set(rows.map(({ x }) => x)).size).toBe(1);
    expect(rows[1]?.y).toBeGreaterThan(rows[0]?.y ?? 0);
  });
  it('splits a word that is longer than a line', () => {
    const rows = textsOf(terminalSvg(['x'.repeat(45)], picture));
    expect(rows.map(({ text }) => text?.length)).toEqual([20, 20, 5]);
  });
});
