/** Arbitraries for property tests: views and events of tasks with hostile content. */
import * as fc from 'fast-check';
import type { Notable, Progress } from '../../src/core/progress.ts';
import type { TaskEvent, TaskEventBody, TaskView } from '../../src/core/task-view.ts';
import { taskPhases, type TaskOutcome } from '../../src/core/task.ts';

const pieces = [
  '<!channel>',
  '<!here|here>',
  '<@U0EVIL>',
  '<!subteam^S1|@team>',
  '<https://evil.example|github.com>',
  '<#C1|general>',
  '@channel',
  'https://evil.example',
  '`',
  '```',
  '*',
  '_',
  '~',
  '&lt;!channel&gt;',
  '|',
  '>',
  '\n',
  '\u202E',
  '\u0000',
  '\u001B[31m',
  '😀',
  '&'.repeat(900),
  'x'.repeat(4000),
];
const words = fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'binary' }));
const hostileText = fc.array(words, { maxLength: 8 }).map((parts) => parts.join(''));
const count = fc.oneof(fc.nat(), fc.constantFrom(0, 1, Number.MAX_SAFE_INTEGER));
const at = fc.oneof(fc.nat(), fc.constant(1_700_000_000_000));
const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom('0', '7', 'a', 'f'), minLength: length, maxLength: length });
const list = <Item>(of: fc.Arbitrary<Item>, maxLength: number) => fc.array(of, { maxLength, size: 'max' });

const repository = fc.record({
  owner: fc.constantFrom('acme', 'a'.repeat(39)),
  name: fc.constantFrom('shop', '_under_', 'n'.repeat(100)),
});

const command = fc.record({
  command: hostileText,
  exitCode: fc.option(fc.integer()),
  status: fc.constantFrom('running' as const, 'completed' as const, 'failed' as const),
  outputTail: hostileText,
  startedAt: at,
  durationMs: fc.option(count),
});
const planItem = fc.record({
  step: hostileText,
  status: fc.constantFrom('pending' as const, 'inProgress' as const, 'completed' as const),
});
const usage = fc.record({
  inputTokens: count,
  cachedInputTokens: count,
  outputTokens: count,
  totalTokens: count,
});

const progress: fc.Arbitrary<Progress> = fc.record({
  threadId: fc.option(hostileText),
  resumed: fc.constant(null),
  plan: list(planItem, 60),
  commands: list(command, 6),
  commandsTotal: count,
  changedFiles: fc.array(hostileText),
  message: fc.option(hostileText),
  finalMessage: fc.option(hostileText),
  turn: fc.constant(null),
  lastError: fc.option(hostileText),
  rolloutPath: fc.constant(null),
  unknownEvents: count,
});

const denied = fc.record({
  method: hostileText,
  host: hostileText,
  path: hostileText,
  rule: hostileText,
  reason: hostileText,
  count,
  at,
  command: fc.option(hostileText),
});
const fault = fc.constantFrom('ours' as const, 'upstream' as const);
const failed = fc.record({ host: hostileText, fault, rule: hostileText, reason: hostileText, count });
const host = fc.record({ host: hostileText, requests: count, bytesUp: count, bytesDown: count });
const setup: fc.Arbitrary<TaskView['setup']> = fc.oneof(
  fc.constant({ status: 'none' as const }),
  fc.record({
    status: fc.constantFrom('ok' as const, 'failed' as const, 'timed-out' as const),
    exitCode: fc.option(fc.integer()),
    durationMs: count,
    fromCache: fc.boolean(),
    cacheRefused: fc.constantFrom(null, '`x` is outside the package folders and the clone'),
    optional: fc.boolean(),
  }),
);
const reason = fc.record({
  code: hostileText,
  cause: fc.constantFrom('github' as const, 'codex' as const),
  message: hostileText,
  next: hostileText,
});

const hostileOutcome: fc.Arbitrary<TaskOutcome> = fc.oneof(
  fc.record({
    kind: fc.constant('pull-request' as const),
    added: fc.boolean(),
    pullRequest: fc.record({
      number: count,
      title: hostileText,
      url: fc.oneof(hostileText, fc.constant('https://github.com/acme/shop/pull/7')),
      headRef: hostileText,
      headSha: hostileText,
      draft: fc.boolean(),
    }),
  }),
  fc.record({ kind: fc.constant('no-change' as const), summary: hostileText, leftOut: hostileText }),
  fc.record({ kind: fc.constant('refused' as const), reason }),
  fc.record({
    kind: fc.constant('held' as const),
    reason,
    changeHash: fc.option(hex(64)),
    patch: fc.record({ text: hostileText, complete: fc.boolean() }),
  }),
  fc.record({ kind: fc.constant('failed' as const), reason, changeKept: fc.boolean() }),
  fc.record({ kind: fc.constant('cancelled' as const), by: hostileText }),
  fc.record({ kind: fc.constant('answered' as const), message: hostileText }),
);

export const hostileView: fc.Arbitrary<TaskView> = fc.record({
  taskId: fc.constantFrom('slack-1', 's'.repeat(63)),
  shortId: hex(8),
  status: fc.constantFrom('accepted' as const, 'running' as const, 'ended' as const),
  phase: fc.constantFrom(...taskPhases),
  phases: fc.constant([]),
  origin: fc.constant('slack' as const),
  repository: fc.option(repository),
  routedBy: fc.option(fc.constantFrom('named' as const, 'thread' as const, 'chosen' as const)),
  choices: fc.option(list(repository, 150)),
  queuePosition: fc.option(fc.integer({ min: 1, max: 10_000 })),
  issueNumber: fc.constant(null),
  requester: fc.option(hostileText),
  repeats: fc.constantFrom(null, 'slack-1'),
  repeatedBy: fc.constant(null),
  instruction: hostileText,
  acceptedAt: fc.constant('2026-11-21T06:00:00.000Z'),
  endedAt: fc.constant(null),
  elapsedMs: count,
  base: fc.option(fc.record({ branch: hostileText, sha: hostileText })),
  continues: fc.option(fc.record({ number: count, url: hostileText })),
  ahead: fc.constant(null),
  remarks: list(fc.record({ by: hostileText, text: hostileText }), 50),
  attachmentsLeft: hostileText,
  latenessMs: fc.option(fc.nat()),
  model: fc.option(hostileText),
  effort: fc.option(hostileText),
  progress: fc.option(progress, { freq: 10 }),
  setup: fc.option(setup),
  receipt: fc.record({
    hosts: list(host, 50),
    denied: list(denied, 50),
    deniedTotal: count,
    failed: list(failed, 20),
    failedTotal: count,
  }),
  change: fc.option(fc.record({ files: count, insertions: count, deletions: count })),
  usage,
  earlierTurn: fc.option(
    fc.record({
      shortId: hostileText,
      resumed: fc.boolean(),
      why: fc.option(fc.constantFrom('broken' as const, 'unreadable' as const)),
    }),
  ),
  costUsd: fc.option(fc.double({ min: 0, max: 1e9, noNaN: true })),
  outcome: fc.option(hostileOutcome),
});

const notable: fc.Arbitrary<Notable> = fc.oneof(
  fc.record({ kind: fc.constant('plan' as const), plan: fc.array(planItem) }),
  fc.record({ kind: fc.constant('thread' as const), threadId: hostileText, resumed: fc.constant(null) }),
  fc.record({ kind: fc.constant('command.started' as const), command: hostileText }),
  fc.record({
    kind: fc.constant('command.finished' as const),
    command: hostileText,
    exitCode: fc.integer(),
    outputTail: hostileText,
    durationMs: fc.option(count),
  }),
  fc.record({ kind: fc.constant('files.changed' as const), paths: list(hostileText, 40) }),
  fc.record({ kind: fc.constant('message' as const), text: hostileText }),
  fc.record({ kind: fc.constant('error' as const), text: hostileText, willRetry: fc.boolean() }),
);
const eventBody: fc.Arbitrary<TaskEventBody> = fc.oneof(
  notable,
  fc.record({ kind: fc.constant('phase' as const), phase: fc.constantFrom(...taskPhases) }),
  fc.record({
    kind: fc.constant('egress.denied' as const),
    method: hostileText,
    host: hostileText,
    path: hostileText,
    reason: hostileText,
  }),
  fc.record({
    kind: fc.constant('egress.failed' as const),
    method: hostileText,
    host: hostileText,
    path: hostileText,
    fault,
    reason: hostileText,
  }),
  fc.record({ kind: fc.constant('change' as const), files: count, insertions: count, deletions: count }),
  fc.record({ kind: fc.constant('note' as const), text: hostileText }),
  fc.record({ kind: fc.constant('ended' as const), outcome: hostileOutcome }),
);
export const hostileEvents: fc.Arbitrary<readonly TaskEvent[]> = list(
  fc.record({ seq: count, at, body: eventBody }),
  300,
);

/** All mrkdwn and plain texts in blocks. */
export function textsOf(value: unknown): { mrkdwn: string[]; plain: string[] } {
  const found: { mrkdwn: string[]; plain: string[] } = { mrkdwn: [], plain: [] };
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) for (const item of node) walk(item);
    else if (typeof node === 'object' && node !== null) {
      const text: unknown = Reflect.get(node, 'text');
      const type: unknown = Reflect.get(node, 'type');
      if (typeof text === 'string' && type === 'mrkdwn') found.mrkdwn.push(text);
      else if (typeof text === 'string') found.plain.push(text);
      for (const item of Object.values(node)) walk(item);
    }
  };
  walk(value);
  return found;
}
