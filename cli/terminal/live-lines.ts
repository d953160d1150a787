/** Prints lines that change: redrawn in place on a terminal, elsewhere each new line once. */
import { stripVTControlCharacters } from 'node:util';
import { dim } from './colour.ts';

export interface LiveOutput {
  readonly isTTY?: boolean;
  readonly rows?: number;
  write(text: string): unknown;
}
export interface LiveLines {
  show(lines: readonly string[]): void;
  /** Prints the final lines; nothing is redrawn afterwards. */
  end(lines: readonly string[]): void;
}

const up = (rows: number) => (rows === 0 ? '' : `\u001B[${rows}A`);
const clearLine = '\u001B[2K';
const clearBelow = '\u001B[J';
/** Cuts long lines instead of wrapping them, so that the cursor position stays known. */
const wrapOff = '\u001B[?7l';
const wrapOn = '\u001B[?7h';

/** Turns `before` into `after`. The cursor is below the last line, before and after. */
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

/** Returns the lines of `after` that are not in `before`, ignoring changed durations. */
export function newLines(before: readonly string[], after: readonly string[]): string[] {
  const known = new Set(before.map(withoutTime));
  return after.filter((line) => line.trim() !== '' && !known.has(withoutTime(line)));
}

const withoutTime = (line: string): string =>
  stripVTControlCharacters(line).replace(/\b\d+ (?:s|min|h)\b(?: \d+ (?:s|min)\b)*/g, '#');

/** Without a terminal, each line is stamped with the seconds since `startedAt`. */
export function liveLines(output: LiveOutput, startedAt: number, now: () => number): LiveLines {
  let shown: readonly string[] = [];
  if (output.isTTY === true) {
    const draw = (lines: readonly string[]) => {
      output.write(redrawn(shown, lines));
      shown = lines;
    };
    return {
      // Lines that do not fit would scroll away, where nothing can be redrawn.
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
