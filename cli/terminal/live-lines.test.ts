import { describe, expect, it } from 'vitest';
import { liveLines, newLines, redrawn } from './live-lines.ts';

/** Rows, a cursor below them, and the number of written rows. */
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

describe('liveLines on a terminal', () => {
  it.each([
    ['no lines before', [], ['a', 'b']],
    ['the same lines', ['a', 'b'], ['a', 'b']],
    ['a changed line in the middle', ['a', 'b', 'c'], ['a', 'B', 'c']],
    ['more lines', ['a'], ['a', 'b', 'c']],
    ['fewer lines', ['a', 'b', 'c'], ['a']],
    ['no lines left', ['a', 'b'], []],
    ['only new lines', ['a', 'b'], ['c', 'd', 'e']],
    ['an inserted line', ['a', 'c'], ['a', 'b', 'c']],
  ])('redraws correctly with %s', (_, before, after) => {
    const screen = terminal();
    screen.write(redrawn([], before));
    screen.write(redrawn(before, after));
    expect(screen.rows()).toEqual(after);
  });

  it('writes only the changed lines', () => {
    const screen = terminal();
    const lines = liveLines({ isTTY: true, rows: 10, write: screen.write }, 0, () => 0);
    lines.show(['a', 'b', 'c']);
    lines.show(['a', 'B', 'c']);
    lines.show(['a', 'B', 'c']);
    expect(screen.written()).toBe(4);
  });

  it('shows only the lines that fit until the end, and then all of them', () => {
    const screen = terminal();
    const lines = liveLines({ isTTY: true, rows: 3, write: screen.write }, 0, () => 0);
    lines.show(['a', 'b', 'c', 'd']);
    expect(screen.rows()).toEqual(['c', 'd']);
    lines.end(['a', 'b', 'c', 'd']);
    expect(screen.rows()).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('liveLines in a pipe', () => {
  it('writes each new line once with its time, and all lines at the end', () => {
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

  it('does not repeat a line in which only a duration changed, whatever its colour', () => {
    expect(newLines(['for 3 s'], ['\u001B[2mfor 1 min 4 s\u001B[22m', ' '])).toEqual([]);
    expect(newLines(['for 3 s'], ['for 3 files'])).toEqual(['for 3 files']);
  });
});
