/**
 * Parses one line of the run's output. Unknown kinds are values; what is not JSON, or has a field of another
 * type, is `malformed`. `test/codex/protocol.test.ts` compares the names with the pinned binary's schemas.
 */
import * as z from 'zod';
import { parseJson } from '../lib/parse-json.ts';

/** The driver limits a line to 256 KB of UTF-8. */
const maxLineCharacters = 300_000;

const milliseconds = z.number().nonnegative();

const planUpdated = z.object({
  plan: z.array(z.object({ step: z.string(), status: z.enum(['pending', 'inProgress', 'completed']) })),
});

const commandExecution = z.object({
  type: z.literal('commandExecution'),
  id: z.string(),
  command: z.string(),
  status: z.enum(['inProgress', 'completed', 'failed', 'declined']),
  aggregatedOutput: z.string().nullish(),
  exitCode: z.number().int().nullish(),
  durationMs: milliseconds.nullish(),
});
const fileChange = z.object({
  type: z.literal('fileChange'),
  id: z.string(),
  status: z.enum(['inProgress', 'completed', 'failed', 'declined']),
  changes: z.array(
    z.object({
      path: z.string(),
      kind: z.discriminatedUnion('type', [
        z.object({ type: z.enum(['add', 'delete']) }),
        z.object({ type: z.literal('update'), move_path: z.string().nullish() }),
      ]),
    }),
  ),
});
const agentMessage = z.object({
  type: z.literal('agentMessage'),
  id: z.string(),
  text: z.string(),
  /** null: the model does not say. Then the last message of the turn is the answer. */
  phase: z.enum(['commentary', 'partial_answer', 'final_answer']).nullish(),
});
const readItem = z.discriminatedUnion('type', [commandExecution, fileChange, agentMessage]);
const readItemTypes: ReadonlySet<string> = new Set(['commandExecution', 'fileChange', 'agentMessage']);
const otherItem = z.object({ type: z.string().refine((type) => !readItemTypes.has(type)) });
const itemNotification = z.object({ item: z.union([readItem, otherItem]) });

const outputDelta = z.object({ itemId: z.string(), delta: z.string() });
const turnError = z.object({ message: z.string() });
const turnCompleted = z.object({
  turn: z.object({
    status: z.enum(['completed', 'interrupted', 'failed', 'inProgress']),
    error: turnError.nullish(),
  }),
});
const errorReported = z.object({ error: turnError, willRetry: z.boolean() });
const threadStarted = z.object({ thread: z.object({ id: z.string() }) });

/** The notifications that Airlock reads, by method. */
export const notificationSchemas = {
  'turn/plan/updated': planUpdated,
  'item/started': itemNotification,
  'item/completed': itemNotification,
  'item/commandExecution/outputDelta': outputDelta,
  'turn/completed': turnCompleted,
  error: errorReported,
  'thread/started': threadStarted,
} as const;

/** Notifications of an ordinary turn that Airlock ignores. */
export const unreadMethods: readonly string[] = [
  'account/rateLimits/updated',
  'configWarning',
  'deprecationNotice',
  'item/agentMessage/delta',
  'item/commandExecution/terminalInteraction',
  'mcpServer/startupStatus/updated',
  'model/rerouted',
  'thread/compacted',
  'thread/name/updated',
  'thread/readState/changed',
  'thread/settings/updated',
  'thread/status/changed',
  'thread/tokenUsage/updated',
  'turn/diff/updated',
  'turn/started',
  'warning',
];
const unread: ReadonlySet<string> = new Set(unreadMethods);

const driverStatus = z.enum(['completed', 'failed', 'interrupted', 'error']);
const driverLine = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('turn') }),
  z.object({
    kind: z.literal('thread'),
    threadId: z.string(),
    resumed: z.boolean().optional(),
    why: z.enum(['other-version', 'unreadable', 'refused']).nullish(),
  }),
  z.object({ kind: z.literal('rollout'), path: z.string() }),
  z.object({
    kind: z.literal('remark'),
    id: z.string().min(1).max(100),
    state: z.enum(['taken', 'reached', 'refused']),
  }),
  z.object({
    kind: z.literal('error'),
    fatal: z.boolean(),
    message: z.string(),
    stderrTail: z.string().nullish(),
  }),
  z.object({ kind: z.literal('exit'), status: driverStatus }),
]);

export type CodexItem = z.infer<typeof readItem>;
export type DriverLine = z.infer<typeof driverLine>;
export type CodexLine =
  | { readonly kind: 'plan'; readonly plan: z.infer<typeof planUpdated>['plan'] }
  | { readonly kind: 'item.started'; readonly item: CodexItem }
  | { readonly kind: 'item.completed'; readonly item: CodexItem }
  | { readonly kind: 'output'; readonly itemId: string; readonly delta: string }
  | { readonly kind: 'turn.completed'; readonly turn: z.infer<typeof turnCompleted>['turn'] }
  | { readonly kind: 'error'; readonly message: string; readonly willRetry: boolean }
  | { readonly kind: 'thread'; readonly threadId: string }
  | { readonly kind: 'driver'; readonly driver: DriverLine }
  /** Known and ignored. */
  | { readonly kind: 'unread' }
  /** A method, or a line of the driver, that this version does not know. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'malformed' };

/** A parsed line, and when the driver wrote it, in milliseconds since the epoch; null if unknown. */
export interface TimedLine {
  readonly at: number | null;
  readonly line: CodexLine;
}

const envelopeSchema = z.union([
  z.object({ at: milliseconds, event: z.object({ method: z.string(), params: z.unknown() }) }),
  z.object({ at: milliseconds, driver: z.looseObject({ kind: z.string() }) }),
]);

const malformed: CodexLine = { kind: 'malformed' };

/** Applies a schema and turns the result into a line. */
function read<T>(schema: z.ZodType<T>, params: unknown, toLine: (found: T) => CodexLine): CodexLine {
  const parsed = schema.safeParse(params);
  return parsed.success ? toLine(parsed.data) : malformed;
}

const isReadItem = (item: z.infer<typeof itemNotification>['item']): item is CodexItem =>
  readItemTypes.has(item.type);

const itemLine =
  (kind: 'item.started' | 'item.completed') =>
  ({ item }: z.infer<typeof itemNotification>): CodexLine =>
    isReadItem(item) ? { kind, item } : { kind: 'unread' };

function notificationLine(method: string, params: unknown): CodexLine {
  switch (method) {
    case 'turn/plan/updated':
      return read(planUpdated, params, ({ plan }) => ({ kind: 'plan', plan }));
    case 'item/started':
      return read(itemNotification, params, itemLine('item.started'));
    case 'item/completed':
      return read(itemNotification, params, itemLine('item.completed'));
    case 'item/commandExecution/outputDelta':
      return read(outputDelta, params, ({ itemId, delta }) => ({ kind: 'output', itemId, delta }));
    case 'turn/completed':
      return read(turnCompleted, params, ({ turn }) => ({ kind: 'turn.completed', turn }));
    case 'error':
      return read(errorReported, params, ({ error, willRetry }) => ({
        kind: 'error',
        message: error.message,
        willRetry,
      }));
    case 'thread/started':
      return read(threadStarted, params, ({ thread }) => ({ kind: 'thread', threadId: thread.id }));
    default:
      return { kind: unread.has(method) ? 'unread' : 'unknown' };
  }
}

const driverKinds: ReadonlySet<string> = new Set(driverLine.options.map(({ shape }) => shape.kind.value));

/** Never throws. */
export function parseLine(untrustedLine: string): TimedLine {
  if (untrustedLine.length > maxLineCharacters) return { at: null, line: malformed };
  const envelope = envelopeSchema.safeParse(parseJson(untrustedLine));
  if (!envelope.success) return { at: null, line: malformed };
  const { at } = envelope.data;
  if ('event' in envelope.data) {
    return { at, line: notificationLine(envelope.data.event.method, envelope.data.event.params) };
  }
  const { driver } = envelope.data;
  if (!driverKinds.has(driver.kind)) return { at, line: { kind: 'unknown' } };
  return { at, line: read(driverLine, driver, (found) => ({ kind: 'driver', driver: found })) };
}
