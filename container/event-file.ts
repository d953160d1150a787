/**
 * Keeps the event file small: decides which notifications are written, how often, and how much of each.
 *
 * - Reasoning, message and patch deltas are dropped, because the completed item contains everything. So are
 *   the running diff, which is repeated as a whole after every edit, and account and status notifications,
 *   which nothing reads.
 * - Output of a running command is buffered, and only its end is written: at most 2,000 characters every 200
 *   ms for the first 25 lines of a command, then every 2 s, and nothing more after 8 Mi characters in total.
 *   The completed command contains the end of its output in any case.
 * - A string is cut in its middle at 32,000 characters (a command's whole output at 8,000). A line that is
 *   still over 256 KiB is cut further, so that readers can rely on that bound.
 */
import { isRecord } from './codex-job.ts';

export interface Notification {
  readonly method: string;
  readonly params: unknown;
}

export const maxLineBytes = 256 * 1024;
const maxStringCharacters = 32_000;
const maxOutputCharacters = 8_000;
const hardStringCharacters = 1_000;
const maxArrayItems = 500;
const maxDepth = 12;

const tailCharacters = 2_000;
const firstIntervalMs = 200;
const laterIntervalMs = 2_000;
const linesAtFirstInterval = 25;
const maxDeltaCharacters = 8 * 1024 * 1024;

/** Codex is asked not to send these. Any that arrive are dropped. */
export const unwantedMethods: readonly string[] = [
  'account/rateLimits/updated',
  'account/updated',
  'command/exec/outputDelta',
  'item/agentMessage/delta',
  'item/fileChange/outputDelta',
  'item/fileChange/patchUpdated',
  'item/plan/delta',
  'item/reasoning/summaryPartAdded',
  'item/reasoning/summaryTextDelta',
  'item/reasoning/textDelta',
  'process/outputDelta',
  'remoteControl/status/changed',
  'skills/changed',
  'thread/readState/changed',
  'thread/status/changed',
  'turn/diff/updated',
];
const unwanted: ReadonlySet<string> = new Set(unwantedMethods);

const cutMiddle = (text: string, max: number): string =>
  text.length <= max
    ? text
    : `${text.slice(0, max / 2)}\n[… ${text.length - max} characters cut …]\n${text.slice(-max / 2)}`;

function cutValue(value: unknown, max: number, depth: number): unknown {
  if (typeof value === 'string') return cutMiddle(value, max);
  if (depth >= maxDepth) return typeof value === 'object' && value !== null ? '[cut]' : value;
  if (Array.isArray(value))
    return value.slice(0, maxArrayItems).map((item) => cutValue(item, max, depth + 1));
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, maxArrayItems)
      .map(([key, item]) => [
        cutMiddle(key, 200),
        cutValue(item, key === 'aggregatedOutput' ? Math.min(max, maxOutputCharacters) : max, depth + 1),
      ]),
  );
}

/** Returns one line of the event file without its line end, at most `maxLineBytes` long. */
export function eventLine(at: number, content: Readonly<Record<string, unknown>>): string {
  const fits = (line: string): boolean =>
    line.length * 3 <= maxLineBytes || Buffer.byteLength(line) <= maxLineBytes;
  for (const max of [maxStringCharacters, hardStringCharacters]) {
    const line = JSON.stringify({
      at,
      ...Object.fromEntries(Object.entries(content).map(([k, v]) => [k, cutValue(v, max, 0)])),
    });
    if (fits(line)) return line;
  }
  const event = content['event'];
  const method =
    isRecord(event) && typeof event['method'] === 'string' ? event['method'].slice(0, 200) : null;
  return JSON.stringify({ at, driver: { kind: 'oversized', method } });
}

/** Buffered output of one running command. */
interface OutputBuffer {
  params: Readonly<Record<string, unknown>>;
  tail: string;
  lines: number;
  timer: NodeJS.Timeout | null;
}

/** Decides for each notification whether and when `write` gets it, as whole lines without line ends. */
export function createEventFile(write: (line: string) => void) {
  const running = new Map<string, OutputBuffer>();
  let deltaCharacters = 0;

  const emit = (content: Readonly<Record<string, unknown>>): void => write(eventLine(Date.now(), content));

  function flush(buffer: OutputBuffer): void {
    buffer.timer = null;
    if (buffer.tail === '') return;
    deltaCharacters += buffer.tail.length;
    buffer.lines += 1;
    emit({ event: { method: outputDelta, params: { ...buffer.params, delta: buffer.tail } } });
    buffer.tail = '';
  }

  function bufferOutput(params: Readonly<Record<string, unknown>>, itemId: string, delta: string): void {
    if (deltaCharacters >= maxDeltaCharacters) return;
    const buffer = running.get(itemId) ?? { params, tail: '', lines: 0, timer: null };
    running.set(itemId, buffer);
    buffer.tail = (buffer.tail + delta.slice(-tailCharacters)).slice(-tailCharacters);
    const intervalMs = buffer.lines < linesAtFirstInterval ? firstIntervalMs : laterIntervalMs;
    buffer.timer ??= setTimeout(() => flush(buffer), intervalMs);
  }

  function finishItem(params: unknown): void {
    const item = isRecord(params) ? params['item'] : undefined;
    const id = isRecord(item) ? item['id'] : undefined;
    const buffer = typeof id === 'string' ? running.get(id) : undefined;
    if (buffer === undefined || typeof id !== 'string') return;
    // The completed item contains the buffered output.
    if (buffer.timer !== null) clearTimeout(buffer.timer);
    running.delete(id);
  }

  return {
    notification({ method, params }: Notification): void {
      if (unwanted.has(method)) return;
      if (method === outputDelta && isRecord(params)) {
        const { itemId, delta } = params;
        if (typeof itemId === 'string' && typeof delta === 'string')
          return bufferOutput(params, itemId, delta);
      }
      if (method === 'item/completed') finishItem(params);
      emit({ event: { method, params } });
    },
    driver(line: { readonly kind: string; readonly [field: string]: unknown }): void {
      emit({ driver: line });
    },
    /** Writes all buffered output. */
    end(): void {
      for (const buffer of running.values()) {
        if (buffer.timer !== null) clearTimeout(buffer.timer);
        flush(buffer);
      }
      running.clear();
    },
  };
}

const outputDelta = 'item/commandExecution/outputDelta';
