/**
 * Bolt's receiver for a fetch-style server: hands one admitted request to the app and turns what comes of it into exactly one answer.
 * Which request is admitted is `signed-request.ts`'s decision, and what is done with it the listeners'.
 *
 * Where it differs from Bolt's own receivers:
 * - Bolt acknowledges an event before any listener has run. Here Slack is answered when the listeners are done, so that an event whose
 *   task could not be made durable is delivered again.
 * - A listener that throws, that nobody answers for, or that answers twice or too late still gets Slack an answer, and leaves a line in the log.
 */
import { ReceiverMultipleAckError, type App, type Receiver } from '@slack/bolt';
import { ackDeadlineMs } from './deadline.ts';
import type { Inbound } from './payload.ts';
import { asksForFormFix, ephemeral, sentences } from './sentences.ts';
import { UnreadablePayloadError } from './unreadable.ts';

export interface ReceiverOptions {
  readonly log: (event: string, fields: Record<string, unknown>) => void;
  /** Milliseconds; shorter in tests. */
  readonly deadlineMs?: number;
}

/** What belongs to one request and to no other. */
export interface RequestContext {
  /** Keeps the platform from ending the work with the answer. */
  readonly waitUntil: (work: Promise<unknown>) => void;
  /** Of an event that is delivered again; null of a first delivery. */
  readonly retryNum: number | null;
  readonly retryReason: string | null;
}

/** Bolt gives listeners an `ack` that takes whatever its kind of request is answered with. */
function responseOf(answer: unknown): Response {
  if (answer === undefined || answer === null || answer === '') return new Response('');
  return typeof answer === 'string' ? new Response(answer) : Response.json(answer);
}

/** For when no listener has answered. Slack shows a person a warning for a 5xx after a click, and delivers an event again. */
function insteadOf(kind: Inbound['kind'], status: 500 | 503): Response {
  const text = status === 503 ? sentences.late : sentences.failed;
  switch (kind) {
    case 'command':
      return Response.json(ephemeral(text));
    case 'submission':
      return Response.json(asksForFormFix(text));
    case 'options':
      return Response.json({ options: [] });
    case 'event':
    case 'action':
    case 'shortcut':
    case 'closed':
      return new Response('', { status });
  }
}

/** Serves all requests of an isolate and keeps nothing of any. */
export class HonoReceiver implements Receiver {
  #app: Pick<App, 'processEvent'> | null = null;
  readonly #options: ReceiverOptions;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  init(app: Pick<App, 'processEvent'>): void {
    this.#app = app;
  }

  /** Part of Bolt's interface; there is no server to start. */
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
          const unreadable = unreadableIn(error);
          if (unreadable !== null) {
            log('slack.unreadable', { kind, name, where: unreadable.where });
            return answered.resolve(new Response('not as Slack documents it', { status: 400 }));
          }
          log('slack.failed', { kind, name, error: String(error) });
          return answered.resolve(insteadOf(kind, 500));
        },
      );
    waitUntil(work);
    const timer = setTimeout(() => {
      log('slack.late', { kind, name });
      answered.resolve(insteadOf(kind, 503));
    }, deadlineMs ?? ackDeadlineMs);
    try {
      return await answered.promise;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Bolt wraps what a listener throws when it has no `code`. */
function unreadableIn(error: unknown): UnreadablePayloadError | null {
  if (error instanceof UnreadablePayloadError) return error;
  if (!(error instanceof Error)) return null;
  const inside = 'original' in error ? error.original : null;
  return inside instanceof UnreadablePayloadError ? inside : null;
}
