/** A fixed subset of `npm run chaos`, in which each kind of harm is there once. */
import { beforeAll, describe, expect, it } from 'vitest';
import { allCases } from '../../chaos/all-cases.ts';
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
];

let results: readonly CaseResult[];
beforeAll(async () => {
  const cases = allCases().filter(({ id }) => subset.includes(id));
  const never = new AbortController().signal;
  results = await runCases(cases, { lanes: 1, signal: never, progress: () => undefined });
});

describe('a bot that is broken in the middle of a task', () => {
  it.each(subset)('ends it once and leaves nothing behind: %s', (id) => {
    expect(results.find((result) => result.id === id)).toMatchObject({ ok: true, problems: [] });
  });
});
