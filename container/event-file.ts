/**
 * Keeps the event file small: which notifications are written, how often, and how much of each.
 *
 * - Reasoning, message and patch deltas are not written: the completed item that follows says it all. Nor are the
 *   running diff, which repeats itself whole on every edit, and account and status chatter that nobody reads.
 * - Output of a running command is gathered and its end written: at most `tailCharacters` every 200 ms at first, every
 *   2 s once a command has had 25 such lines, and nothing more once all of them together are 8 MB. The completed
 *   command brings the end of its output in any case.
 * - A string is cut in its middle at 32,000 characters (a command's whole output at 8,000), and a line that is still
 *   over 256 KB is cut harder: a reader may rely on that bound.
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

/** Codex is asked not to send these; what it sends all the same is dropped here. */
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

/** One line of the event file without its line end, never longer than `maxLineBytes`. */
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

interface Gathering {
  params: Readonly<Record<string, unknown>>;
  tail: string;
  lines: number;
  timer: NodeJS.Timeout | null;
}

/** Decides for each notification whether and when it is written; `write` gets whole lines without line ends. */
export function createEventFile(write: (line: string) => void) {
  const running = new Map<string, Gathering>();
  let deltaCharacters = 0;

  const emit = (content: Readonly<Record<string, unknown>>): void => write(eventLine(Date.now(), content));

  function flush(gathering: Gathering): void {
    gathering.timer = null;
    if (gathering.tail === '') return;
    deltaCharacters += gathering.tail.length;
    gathering.lines += 1;
    emit({ event: { method: outputDelta, params: { ...gathering.params, delta: gathering.tail } } });
    gathering.tail = '';
  }

  function gather(params: Readonly<Record<string, unknown>>, itemId: string, delta: string): void {
    if (deltaCharacters >= maxDeltaCharacters) return;
    const gathering = running.get(itemId) ?? { params, tail: '', lines: 0, timer: null };
    running.set(itemId, gathering);
    gathering.tail = (gathering.tail + delta.slice(-tailCharacters)).slice(-tailCharacters);
    const intervalMs = gathering.lines < linesAtFirstInterval ? firstIntervalMs : laterIntervalMs;
    gathering.timer ??= setTimeout(() => flush(gathering), intervalMs);
  }

  function finishItem(params: unknown): void {
    const item = isRecord(params) ? params['item'] : undefined;
    const id = isRecord(item) ? item['id'] : undefined;
    const gathering = typeof id === 'string' ? running.get(id) : undefined;
    if (gathering === undefined || typeof id !== 'string') return;
    // What is gathered is part of the completed item's output: writing it as well would say it twice.
    if (gathering.timer !== null) clearTimeout(gathering.timer);
    running.delete(id);
  }

  return {
    notification({ method, params }: Notification): void {
      if (unwanted.has(method)) return;
      if (method === outputDelta && isRecord(params)) {
        const { itemId, delta } = params;
        if (typeof itemId === 'string' && typeof delta === 'string') return gather(params, itemId, delta);
      }
      if (method === 'item/completed') finishItem(params);
      emit({ event: { method, params } });
    },
    driver(line: { readonly kind: string; readonly [field: string]: unknown }): void {
      emit({ driver: line });
    },
    /** Writes what is still gathered. */
    end(): void {
      for (const gathering of running.values()) {
        if (gathering.timer !== null) clearTimeout(gathering.timer);
        flush(gathering);
      }
      running.clear();
    },
  };
}

const outputDelta = 'item/commandExecution/outputDelta';
