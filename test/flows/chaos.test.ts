/** A fixed subset of `npm run chaos`, in which each kind of harm is there once. */
import { beforeAll, describe, expect, it } from 'vitest';
import { allCases } from '../../chaos/all-cases.ts';
import { callCase } from '../../chaos/calls/call-cases.ts';
import type { CaseResult } from '../../chaos/case.ts';
import { runCases } from '../../chaos/run-cases.ts';

/** In this order: the first ones prove the list of steps and measure them. */
const subset = [
  'kill/comment/baseline',
  'kill/comment/middle/clone-1/worker',
  'kill/comment/middle/wait-for-Codex-1/worker',
  'kill/comment/middle/wait-for-Codex-1/all',
  'kill/comment/middle/wait-for-Codex-1/agent',
  'kill/comment/after/publish-1/host',
  'cancel/codex/comment',
];

/** Without the recorded run that finds out about all calls. */
const brokenCalls = [
  [{ service: 'github', method: 'POST', name: 'github POST /git/git-upload-pack', nth: 1 }, 'limited'],
  [{ service: 'github', method: 'POST', name: 'github POST /pulls', nth: 1 }, 'duplicate'],
  [{ service: 'sandbox-host', method: 'POST', name: 'sandbox-host POST /start', nth: 1 }, 'reset'],
] as const;

let results: readonly CaseResult[];
beforeAll(async () => {
  const never = new AbortController().signal;
  const cases = [
    ...(await allCases(['kills', 'cancels'], never)).filter(({ id }) => subset.includes(id)),
    ...brokenCalls.map(([call, kind]) => callCase('issue', call, kind)),
  ];
  results = await runCases(cases, { lanes: 1, signal: never, progress: () => undefined });
});

describe('a bot that is broken in the middle of a task', () => {
  it.each(subset)('ends it once and leaves nothing behind: %s', (id) => {
    expect(results.find((result) => result.id === id)).toMatchObject({ ok: true, problems: [] });
  });

  it.each(brokenCalls)('ends it once and leaves nothing behind: %o, %s', ({ name }, kind) => {
    const result = results.find(({ id, phase }) => phase.startsWith(name) && id.endsWith(kind));
    expect(result).toMatchObject({ ok: true, problems: [] });
  });
});
