/** Reads the events about check runs “Airlock receipt”, and about pull requests that may need one. Pure. */
import * as z from 'zod';
import { acceptAction, receiptCheckName } from './receipt-runs.ts';
import type { ReceiptEvent } from './receipt-event.ts';
import {
  commonSchema,
  idSchema,
  ignored,
  instantSchema,
  isSoftware,
  parsed,
  type WebhookReading,
} from './webhook-draft.ts';

const sha = z.string().regex(/^[0-9a-f]{40}$/);
const runEvent = commonSchema.extend({
  check_run: z.object({ id: idSchema, name: z.string(), head_sha: sha }),
  requested_action: z.object({ identifier: z.string() }).nullish(),
});
const suiteEvent = commonSchema.extend({ check_suite: z.object({ head_sha: sha }) });
const pullEvent = commonSchema.extend({
  pull_request: z.object({
    number: idSchema,
    updated_at: instantSchema,
    head: z.object({ sha }),
    base: z.object({ ref: z.string().min(1) }),
  }),
  changes: z.object({ base: z.unknown().optional() }).nullish(),
});

type Given = {
  readonly [Kind in ReceiptEvent['kind']]: Omit<ReceiptEvent & { kind: Kind }, 'place'>;
}[ReceiptEvent['kind']];

function about(payload: z.infer<typeof commonSchema>, given: Given): WebhookReading {
  const { installation, repository } = payload;
  if (installation == null) return ignored('delivered by a repository webhook instead of the App');
  const { id: repositoryId, name, owner } = repository;
  const place = { owner: owner.login, name, repositoryId, installationId: installation.id };
  return { kind: 'receipt', event: { ...given, place } };
}

const closedEvent = commonSchema.extend({
  pull_request: z.object({ number: idSchema, merged: z.boolean(), closed_at: instantSchema }),
});

const closed = (payload: unknown): WebhookReading =>
  parsed(closedEvent, payload, ({ repository, pull_request: { number, merged, closed_at: at } }) => ({
    kind: 'pull-end',
    end: {
      repositoryId: repository.id,
      number,
      state: merged ? 'merged' : 'closed',
      at: Date.parse(at),
    },
  }));

const pull =
  (reopened: boolean) =>
  (payload: unknown): WebhookReading =>
    parsed(pullEvent, payload, (found) => {
      const { number, head, base, updated_at: updated } = found.pull_request;
      const at = Date.parse(updated);
      return about(found, { kind: 'pull', number, sha: head.sha, base: base.ref, reopened, at });
    });

/** With another base, other commits are in it. */
const edited = (payload: unknown): WebhookReading =>
  parsed(pullEvent, payload, ({ changes }) =>
    changes?.base == null ? ignored('the same base') : pull(false)(payload),
  );

export const receiptReaders: Readonly<Record<string, (payload: unknown) => WebhookReading>> = {
  'check_run.requested_action': (payload) =>
    parsed(runEvent, payload, (found) => {
      const { check_run: run, requested_action: button, sender } = found;
      if (run.name !== receiptCheckName || button?.identifier !== acceptAction)
        return ignored('another button');
      if (isSoftware(sender)) return ignored('pressed by software');
      const person = { login: sender.login, id: sender.id };
      return about(found, { kind: 'press', runId: run.id, person });
    }),
  'check_run.rerequested': (payload) =>
    parsed(runEvent, payload, (found) =>
      found.check_run.name === receiptCheckName
        ? about(found, { kind: 'again', sha: found.check_run.head_sha })
        : ignored('another check run'),
    ),
  'check_suite.rerequested': (payload) =>
    parsed(suiteEvent, payload, (found) => about(found, { kind: 'again', sha: found.check_suite.head_sha })),
  'pull_request.opened': pull(false),
  'pull_request.synchronize': pull(false),
  'pull_request.edited': edited,
  'pull_request.reopened': pull(true),
  'pull_request.closed': closed,
};
