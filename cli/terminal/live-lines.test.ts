import { describe, expect, it } from 'vitest';
import { liveLines, newLines, redrawn } from './live-lines.ts';

/** A terminal that knows what `redrawn` says: rows, a cursor below them, and how many rows were written. */
function terminal() {
  const rows: string[] = [''];
  let row = 0;
  let written = 0;
  return {
    rows: () => rows.slice(0, -1),
    written: () => written,
    write: (text: string): void => {
      // eslint-disable-next-line no-control-regex -- escape sequences begin with it
      for (const [token] of text.matchAll(/\u001B\[[?\d]*[a-zA-Z]|\n|[^\u001B\n]+/g)) {
        const moved = /\[(\d+)A$/.exec(token);
        if (moved !== null) row -= Number(moved[1]);
        else if (token === '\u001B[2K') rows[row] = '';
        else if (token === '\u001B[J') rows.splice(row, rows.length, '');
        else if (token === '\n') {
          row += 1;
          if (row === rows.length) rows.push('');
        } else if (!token.startsWith('\u001B')) {
          rows[row] = token;
          written += 1;
        }
      }
    },
  };
}

describe('on a terminal', () => {
  it.each([
    ['nothing before', [], ['a', 'b']],
    ['the same', ['a', 'b'], ['a', 'b']],
    ['a line in the middle', ['a', 'b', 'c'], ['a', 'B', 'c']],
    ['more lines', ['a'], ['a', 'b', 'c']],
    ['fewer lines', ['a', 'b', 'c'], ['a']],
    ['none left', ['a', 'b'], []],
    ['all different', ['a', 'b'], ['c', 'd', 'e']],
    ['one in between', ['a', 'c'], ['a', 'b', 'c']],
  ])('shows what is to be shown: %s', (_, before, after) => {
    const screen = terminal();
    screen.write(redrawn([], before));
    screen.write(redrawn(before, after));
    expect(screen.rows()).toEqual(after);
  });

  it('writes only the lines that changed, and nothing when none did', () => {
    const screen = terminal();
    const lines = liveLines({ isTTY: true, rows: 10, write: screen.write }, 0, () => 0);
    lines.show(['a', 'b', 'c']);
    lines.show(['a', 'B', 'c']);
    lines.show(['a', 'B', 'c']);
    expect(screen.written()).toBe(4);
  });

  it('keeps to what fits until the end, which is shown whole', () => {
    const screen = terminal();
    const lines = liveLines({ isTTY: true, rows: 3, write: screen.write }, 0, () => 0);
    lines.show(['a', 'b', 'c', 'd']);
    expect(screen.rows()).toEqual(['c', 'd']);
    lines.end(['a', 'b', 'c', 'd']);
    expect(screen.rows()).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('elsewhere', () => {
  it('writes each line once, with its time, and the whole at the end', () => {
    const written: string[] = [];
    const times = [1_000, 2_500, 3_000];
    const lines = liveLines({ write: (text) => written.push(text) }, 0, () => times.shift() ?? 0);
    lines.show(['Preparing · 1 s', 'plan']);
    lines.show(['Preparing · 2 s', 'plan', 'more']);
    lines.end(['Done', 'plan']);
    expect(written).toEqual([
      '   1.0s  Preparing · 1 s\n',
      '   1.0s  plan\n',
      '   2.5s  more\n',
      'Done\nplan\n',
    ]);
  });

  it('takes time that goes by for no news, whatever its colour', () => {
    expect(newLines(['for 3 s'], ['\u001B[2mfor 1 min 4 s\u001B[22m', ' '])).toEqual([]);
    expect(newLines(['for 3 s'], ['for 3 files'])).toEqual(['for 3 files']);
  });
});
