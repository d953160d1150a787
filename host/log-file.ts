/** Appends to the bot's log, which exists from the start. Lines that cannot be written are counted. */
import { appendFileSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { logLine } from '../src/lib/log-line.ts';
import { codeOf, writeProblem } from './state-folder.ts';

const mode = 0o600;

/**
 * Returns the function that appends a line; it opens the file each time, for `logrotate`. `warn` gets one
 * line when writing starts to fail. Throws StartProblem.
 */
export function openLogFile(path: string, warn: (line: string) => void): (line: string) => void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    closeSync(openSync(path, 'a', mode));
  } catch (error) {
    throw writeProblem('log', path, error);
  }
  let lost = 0;
  return (line) => {
    try {
      // A write that failed may have left half a line.
      if (lost > 0)
        appendFileSync(path, `\n${logLine('log.lines_lost', { lines: lost }, new Date())}\n`, { mode });
      lost = 0;
      appendFileSync(path, `${line}\n`, { mode });
    } catch (error) {
      if (lost === 0)
        warn(`The log ${path} cannot be written (${codeOf(error)}). The bot continues without it.`);
      lost += 1;
    }
  };
}
