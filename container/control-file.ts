/**
 * Reads commands for the running driver, a JSON object per line: `{"kind":"interrupt"}` or
 * `{"kind":"steer","id":"…","text":"…"}`. Lines are only added; each is acted on once, by its number.
 */
import { readFileSync, statSync } from 'node:fs';
import { isRecord } from './codex-job.ts';

export type ControlCommand =
  | { readonly kind: 'interrupt' }
  | { readonly kind: 'steer'; readonly id: string; readonly text: string };

const pollMs = 100;
/** Files over this size are ignored. `maxRemarkCharacters` in `src/core/remark.ts` keeps ours below it. */
const maxFileBytes = 2 * 1024 * 1024;

/** Parses a line; null if it is no command. */
export function parseControlLine(line: string): ControlCommand | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (!isRecord(value)) return null;
  if (value['kind'] === 'interrupt') return { kind: 'interrupt' };
  const { id, text } = value;
  if (value['kind'] !== 'steer' || typeof id !== 'string' || id === '') return null;
  return typeof text === 'string' && text.trim() !== '' ? { kind: 'steer', id, text } : null;
}

/** Until the returned function is called. Polls, because inotify does not work on every mount. */
export function followControlFile(path: string, act: (command: ControlCommand) => void): () => void {
  let seen = '';
  let linesDone = 0;
  const readNewLines = (): void => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined || !stat.isFile() || stat.size > maxFileBytes) return;
    const version = `${stat.ino}:${stat.size}:${stat.mtimeMs}`;
    if (version === seen) return;
    seen = version;
    // The last element follows the last line end, so it is not a complete line yet.
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
    for (const line of lines.slice(linesDone)) {
      const command = parseControlLine(line);
      if (command !== null) act(command);
    }
    linesDone = Math.max(linesDone, lines.length);
  };
  const poll = (): void => {
    try {
      readNewLines();
    } catch {
      // The file was replaced between the two calls: the next poll reads the new one.
    }
  };
  const timer = setInterval(poll, pollMs);
  timer.unref();
  poll();
  return () => clearInterval(timer);
}
