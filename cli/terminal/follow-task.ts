/** Follows a task over the API by server-sent events, and continues when the Worker restarts. */
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { z } from 'zod';
import type { TaskEvent } from '../../src/core/task-view.ts';
import type { TaskOutcome } from '../../src/core/task.ts';

/** Checks only the envelope, because the bot has the same version as this code. */
const envelope = z.custom<TaskEvent>(
  (value) =>
    z
      .looseObject({ seq: z.number(), at: z.number(), body: z.looseObject({ kind: z.string() }) })
      .safeParse(value).success,
);

const retryMs = 300;

export interface FollowOptions {
  readonly url: string;
  readonly apiToken: string;
  readonly taskId: string;
  readonly signal?: AbortSignal;
  /** How long the server can be unreachable before this gives up, in milliseconds. */
  readonly patienceMs: number;
}

/** Each event once, in order; returns the outcome. Rejects if the server refuses or stays away. */
export async function* followTask(options: FollowOptions): AsyncGenerator<TaskEvent, TaskOutcome> {
  let after = 0;
  let awaySince: number | null = null;
  for (;;) {
    try {
      for await (const event of connect(options, after)) {
        awaySince = null;
        after = event.seq;
        yield event;
        if (event.body.kind === 'ended') return event.body.outcome;
      }
    } catch (error) {
      if (error instanceof FollowRefused || options.signal?.aborted === true) throw error;
      awaySince ??= Date.now();
      if (Date.now() - awaySince > options.patienceMs)
        throw new Error(`${options.url} no longer answers. Check whether the bot runs.`, { cause: error });
    }
    await new Promise((resolve) => setTimeout(resolve, retryMs));
  }
}

class FollowRefused extends Error {}

async function* connect(options: FollowOptions, after: number): AsyncGenerator<TaskEvent> {
  const response = await fetch(`${options.url}/api/tasks/${options.taskId}/events`, {
    headers: {
      authorization: `Bearer ${options.apiToken}`,
      'last-event-id': String(after),
      accept: 'text/event-stream',
    },
    signal: options.signal ?? null,
  });
  if (response.status >= 400 && response.status < 500)
    throw new FollowRefused(`${response.status} ${await response.text()}`);
  if (!response.ok || response.body === null) throw new Error(`the server answered ${response.status}`);
  const events = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream());
  for await (const { data } of events) yield envelope.parse(JSON.parse(data));
}
