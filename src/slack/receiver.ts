/**
 * A Bolt receiver for fetch-style servers: passes an authenticated request to the app and returns exactly one
 * response.
 *
 * Differences from Bolt's own receivers:
 * - Bolt acknowledges an event before the listeners run. This receiver responds after they are done, so that
 *   Slack redelivers an event whose task did not become durable.
 * - If a listener throws, does not answer, answers twice or answers late, this receiver still responds, and
 *   logs the problem.
 */
import { ReceiverMultipleAckError, type App, type Receiver } from '@slack/bolt';
import { ackDeadlineMs } from './deadline.ts';
import type { Inbound } from './payload.ts';
import { formError, ephemeral, sentences } from './sentences.ts';
import { UnreadablePayloadError } from './unreadable.ts';

export interface ReceiverOptions {
  readonly log: (event: string, fields: Record<string, unknown>) => void;
  /** Deadline for a listener, in ms. Default `ackDeadlineMs`; shorter in tests. */
  readonly deadlineMs?: number;
}

/** The context of one request. */
export interface RequestContext {
  /** Keeps the platform from ending the work when the response is sent. */
  readonly waitUntil: (work: Promise<unknown>) => void;
  /** Set for a redelivered event; null for a first delivery. */
  readonly retryNum: number | null;
  readonly retryReason: string | null;
}

/** Converts the argument of a listener's `ack` to a response. */
function responseOf(answer: unknown): Response {
  if (answer === undefined || answer === null || answer === '') return new Response('');
  return typeof answer === 'string' ? new Response(answer) : Response.json(answer);
}

/** On a 5xx Slack warns the user who clicked, and redelivers an event. */
function fallbackResponse(kind: Inbound['kind'], status: 500 | 503): Response {
  const text = status === 503 ? sentences.late : sentences.failed;
  switch (kind) {
    case 'command':
      return Response.json(ephemeral(text));
    case 'submission':
      return Response.json(formError(text));
    case 'options':
      return Response.json({ options: [] });
    case 'event':
    case 'action':
    case 'shortcut':
    case 'closed':
      return new Response('', { status });
  }
}

/** Serves all requests of an isolate without keeping state of any. */
export class HonoReceiver implements Receiver {
  #app: Pick<App, 'processEvent'> | null = null;
  readonly #options: ReceiverOptions;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  init(app: Pick<App, 'processEvent'>): void {
    this.#app = app;
  }

  /** Required by Bolt's interface. There is no server to start or stop. */
  async start(): Promise<void> {}
  async stop(): Promise<void> {}

  async answer(inbound: Inbound, { waitUntil, retryNum, retryReason }: RequestContext): Promise<Response> {
    const app = this.#app;
    if (app === null) throw new Error('the receiver has no app');
    const { log, deadlineMs } = this.#options;
    const { kind, name } = inbound;
    const answered = Promise.withResolvers<Response>();
    let acked: Response | null = null;
    const work = app
      .processEvent({
        body: { ...inbound.body },
        ...(retryNum === null ? {} : { retryNum }),
        ...(retryReason === null ? {} : { retryReason }),
        ack: async (answer: unknown): Promise<void> => {
          if (acked !== null) throw new ReceiverMultipleAckError();
          acked = responseOf(answer);
          if (kind !== 'event') answered.resolve(acked);
        },
      })
      .then(
        () => {
          if (acked !== null) return answered.resolve(acked);
          log('slack.unhandled', { kind, name });
          return answered.resolve(new Response('', { status: 404 }));
        },
        (error: unknown) => {
          const unreadable = unwrapUnreadable(error);
          if (unreadable !== null) {
            log('slack.unreadable', { kind, name, where: unreadable.where });
            return answered.resolve(new Response('not in the format that Slack documents', { status: 400 }));
          }
          log('slack.failed', { kind, name, error: String(error) });
          return answered.resolve(fallbackResponse(kind, 500));
        },
      );
    waitUntil(work);
    const timer = setTimeout(() => {
      log('slack.late', { kind, name });
      answered.resolve(fallbackResponse(kind, 503));
    }, deadlineMs ?? ackDeadlineMs);
    try {
      return await answered.promise;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Finds the listener's error, which Bolt wraps if it has no `code`. */
function unwrapUnreadable(error: unknown): UnreadablePayloadError | null {
  if (error instanceof UnreadablePayloadError) return error;
  if (!(error instanceof Error)) return null;
  const inside = 'original' in error ? error.original : null;
  return inside instanceof UnreadablePayloadError ? inside : null;
}
