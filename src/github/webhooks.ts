/**
 * Serves `POST /github/webhooks`: verifies, parses, persists, acknowledges. Answers never echo what a
 * stranger sent. The task is durable before the 2xx; else GitHub shows the delivery as failed and can
 * redeliver it.
 */
import { verify } from '@octokit/webhooks-methods';
import { Hono } from 'hono';
import { shortIdOf } from '../core/ids.ts';
import type { PullEnd } from '../core/ledger.ts';
import type { TaskRequest } from '../core/task.ts';
import { withDeadline } from '../lib/with-deadline.ts';
import type { MentionName } from './mention-name.ts';
import { noMention } from './webhook-draft.ts';
import type { ReceiptEvent } from './receipt-event.ts';
import { readWebhook } from './webhook-events.ts';
import { roomFor, type BodyRoom } from '../lib/body-room.ts';
import { parseJson } from '../lib/parse-json.ts';
import { readBody } from '../lib/read-body.ts';
import { utf8Of } from '../lib/utf8.ts';

/** Of GitHub's 25 MB: issue and comment have at most 262,144 bytes each, escaped. */
const maxBodyBytes = 2 * 1024 * 1024;
/** Milliseconds that a delivery waits for room before it is refused with a 503. */
const roomWaitMs = 4000;

/** GitHub gives up after 10 s. */
const startDeadlineMs = 8000;
/** Milliseconds for the payload to arrive. GitHub no longer waits for an answer after that. */
const bodyDeadlineMs = 10_000;

export interface WebhookDeps {
  readonly secret: string;
  /** Bounds the memory for bodies whose signature is not verified yet. */
  readonly room: BodyRoom;
  /** How people address the bot. */
  mention(): Promise<MentionName>;
  /** Makes the task durable before it resolves. A redelivery calls it again with the same request. */
  startTask(request: TaskRequest): Promise<'started' | 'exists'>;
  /** Acts on an event about receipt checks before it is acknowledged. Returns what became of it. */
  onReceiptEvent(event: ReceiptEvent): Promise<string>;
  /** Records that a pull request was merged, closed or opened again. */
  onPullEnd(end: PullEnd): Promise<void>;
  now(): Date;
  log(event: string, fields: Record<string, unknown>): void;
  /** Milliseconds that `startTask` may take; shorter in tests. */
  readonly deadlineMs?: number;
}

/** The verifier throws on an empty body and on a signature that is not hexadecimal. */
async function isSigned(secret: string, text: string, signature: string): Promise<boolean> {
  if (text === '' || !/^sha256=[0-9a-f]{64}$/.test(signature)) return false;
  return await verify(secret, text, signature);
}

/** Throws if the secret is empty: every delivery would be refused, which should be noticed at the start. */
export function githubWebhooks(deps: WebhookDeps): Hono {
  if (deps.secret === '') throw new Error('the webhook secret is empty');
  const app = new Hono();

  app.post('/', async (c) => {
    const contentType = c.req.header('content-type') ?? '';
    if (!/^application\/json\s*(?:;|$)/i.test(contentType)) {
      return c.json({ error: 'set the content type of the webhook to application/json' }, 415);
    }
    const eventName = c.req.header('x-github-event') ?? '';
    if (eventName === '') return c.json({ error: 'no X-GitHub-Event header' }, 400);
    const signature = c.req.header('x-hub-signature-256') ?? '';
    if (signature === '') return c.json({ error: 'not signed' }, 401);

    const leave = await deps.room.reserve(roomFor(c.req.raw, maxBodyBytes), roomWaitMs);
    if (leave === null) {
      deps.log('webhook.refused', { why: 'busy' });
      c.header('retry-after', '10');
      return c.json({ error: 'too many payloads at once; redeliver this event' }, 503);
    }
    let text;
    try {
      const body = await readBody(c.req.raw, { maxBytes: maxBodyBytes, deadlineMs: bodyDeadlineMs });
      if (body.kind === 'too-large') return c.json({ error: 'payload too large' }, 413);
      if (body.kind !== 'bytes') return c.json({ error: 'the payload did not arrive' }, 408);
      // Encoding the text yields exactly the signed bytes, because GitHub signs JSON, which is UTF-8.
      text = utf8Of(body.bytes);
      if (text === null || !(await isSigned(deps.secret, text, signature))) {
        deps.log('webhook.refused', { why: 'signature' });
        return c.json({ error: 'the signature does not match' }, 401);
      }
    } finally {
      leave();
    }
    const json = parseJson(text);
    if (json === undefined) return c.json({ error: 'the payload is not JSON' }, 400);

    const mention = await deps.mention();
    const reading = readWebhook(eventName, json, mention);
    switch (reading.kind) {
      case 'ignored':
        // The text can mention the App by the name that GitHub has not said yet.
        if (reading.why === noMention && mention.isGuess && /[@＠]/.test(text))
          return c.json({ error: 'the name of the App is not known yet; redeliver this event' }, 503);
        return c.json({ ignored: reading.why }, 202);
      case 'unreadable':
        deps.log('webhook.unreadable', { webhook: eventName, where: reading.where });
        return c.json({ error: 'the payload is not as GitHub documents it' }, 422);
      case 'receipt': {
        const { event } = reading;
        try {
          const receipt = await withDeadline(
            act(event, deps),
            deps.deadlineMs ?? startDeadlineMs,
            'writing a check run',
          );
          if (event.kind !== 'pull') deps.log('check.event', { webhook: eventName, receipt });
          return c.json({ receipt }, 202);
        } catch (error) {
          deps.log('check.event_failed', { webhook: eventName, error: String(error) });
          return c.json({ error: 'the check run could not be written; redeliver this event' }, 503);
        }
      }
      case 'pull-end':
        try {
          const recording = deps.onPullEnd(reading.end);
          await withDeadline(
            recording,
            deps.deadlineMs ?? startDeadlineMs,
            'recording a closed pull request',
          );
          return c.json({ pull: reading.end.state }, 202);
        } catch (error) {
          deps.log('pull_end.not_recorded', { webhook: eventName, error: String(error) });
          return c.json({ error: 'the end could not be recorded; redeliver this event' }, 503);
        }
      case 'task': {
        const { taskId } = reading.draft;
        const shortId = await shortIdOf(taskId);
        const request: TaskRequest = { ...reading.draft, shortId, acceptedAt: deps.now().toISOString() };
        try {
          const outcome = await withDeadline(
            deps.startTask(request),
            deps.deadlineMs ?? startDeadlineMs,
            'making the task durable',
          );
          deps.log('webhook.accepted', { taskId, outcome });
          return c.json({ task: taskId, outcome }, 202);
        } catch (error) {
          deps.log('webhook.failed', { taskId, error: String(error) });
          return c.json({ error: 'the task could not be recorded; redeliver this event' }, 500);
        }
      }
      default:
        return c.json({ error: 'not understood' }, 500);
    }
  });
  return app;
}

async function act(event: ReceiptEvent, deps: WebhookDeps): Promise<string> {
  if (event.kind === 'pull' && event.reopened) {
    const { place, number, at } = event;
    await deps.onPullEnd({ repositoryId: place.repositoryId, number, state: 'open', at });
  }
  return await deps.onReceiptEvent(event);
}
