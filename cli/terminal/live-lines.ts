/**
 * A few lines that change while they are looked at. On a terminal they are redrawn in place, and of them only those that changed;
 * elsewhere (a pipe, a log) each new line is written once, below the others. Decides nothing about what they say.
 */
import { stripVTControlCharacters } from 'node:util';
import { dim } from './colour.ts';

export interface LiveOutput {
  readonly isTTY?: boolean;
  readonly rows?: number;
  write(text: string): unknown;
}
export interface LiveLines {
  show(lines: readonly string[]): void;
  /** Leaves the lines as they are to be read from now on; nothing is redrawn afterwards. */
  end(lines: readonly string[]): void;
}

const up = (rows: number) => (rows === 0 ? '' : `\u001B[${rows}A`);
const clearLine = '\u001B[2K';
const clearBelow = '\u001B[J';
/** A line that is too long is cut, not continued: the cursor has to be where it is thought to be. */
const wrapOff = '\u001B[?7l';
const wrapOn = '\u001B[?7h';

/** What turns `before` into `after`, in one write. The cursor stands below the last line, before and after. */
export function redrawn(before: readonly string[], after: readonly string[]): string {
  let first = 0;
  while (first < before.length && first < after.length && before[first] === after[first]) first += 1;
  if (first === before.length && first === after.length) return '';
  const rows = after
    .slice(first)
    .map((line, index) => (line === before[first + index] ? '\n' : `${clearLine}${line}\n`));
  const rest = after.length < before.length ? clearBelow : '';
  return `${wrapOff}${up(before.length - first)}${rows.join('')}${rest}${wrapOn}`;
}

/** The lines of `after` that nobody has read yet. Time that goes by is no news. */
export function newLines(before: readonly string[], after: readonly string[]): string[] {
  const known = new Set(before.map(withoutTime));
  return after.filter((line) => line.trim() !== '' && !known.has(withoutTime(line)));
}

const withoutTime = (line: string): string =>
  stripVTControlCharacters(line).replace(/\b\d+ (?:s|min|h)\b(?: \d+ (?:s|min)\b)*/g, '#');

/** `startedAt`: milliseconds since the epoch that stamps count from, where lines are stamped. */
export function liveLines(output: LiveOutput, startedAt: number, now: () => number): LiveLines {
  let shown: readonly string[] = [];
  if (output.isTTY === true) {
    const draw = (lines: readonly string[]) => {
      output.write(redrawn(shown, lines));
      shown = lines;
    };
    return {
      // More than fits would scroll away, where nothing can be redrawn.
      show: (lines) => draw(lines.slice(-Math.max(1, (output.rows ?? 24) - 1))),
      end: draw,
    };
  }
  return {
    show(lines) {
      const stamp = dim(`${((now() - startedAt) / 1000).toFixed(1).padStart(6)}s `);
      for (const line of newLines(shown, lines)) output.write(`${stamp} ${line}\n`);
      shown = lines;
    },
    end: (lines) => void output.write(lines.map((line) => `${line}\n`).join('')),
  };
}
