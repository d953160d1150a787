/**
 * Reads what the driver is told while it runs: one JSON object a line, `{"kind":"interrupt"}` or
 * `{"kind":"steer","text":"…"}`. The writer appends, or replaces the file by all lines so far and new ones;
 * each line is acted on once, by its number. Anything else on a line is passed over.
 */
import { readFileSync, statSync } from 'node:fs';
import { isRecord } from './codex-job.ts';

export type ControlCommand =
  | { readonly kind: 'interrupt' }
  | { readonly kind: 'steer'; readonly text: string };

const pollMs = 100;
/** A file beyond this is not read on: nobody steers with a megabyte. */
const maxFileBytes = 1024 * 1024;
const maxSteerCharacters = 20_000;

/** The command on a line, or null when there is none. */
export function parseControlLine(line: string): ControlCommand | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (!isRecord(value)) return null;
  if (value['kind'] === 'interrupt') return { kind: 'interrupt' };
  const { text } = value;
  if (value['kind'] !== 'steer' || typeof text !== 'string' || text.trim() === '') return null;
  return { kind: 'steer', text: text.slice(0, maxSteerCharacters) };
}

/** Calls `act` for each new command, until the returned function is called. Polls, as file events do not cross all mounts. */
export function followControlFile(path: string, act: (command: ControlCommand) => void): () => void {
  let seen = '';
  let linesDone = 0;
  const look = (): void => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined || !stat.isFile() || stat.size > maxFileBytes) return;
    const version = `${stat.ino}:${stat.size}:${stat.mtimeMs}`;
    if (version === seen) return;
    seen = version;
    // The last element is what follows the last line end: not yet a line.
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
    for (const line of lines.slice(linesDone)) {
      const command = parseControlLine(line);
      if (command !== null) act(command);
    }
    linesDone = Math.max(linesDone, lines.length);
  };
  const poll = (): void => {
    try {
      look();
    } catch {
      // Replaced between the two calls: the next look sees the new one.
    }
  };
  const timer = setInterval(poll, pollMs);
  timer.unref();
  poll();
  return () => clearInterval(timer);
}
