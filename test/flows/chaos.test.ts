/** A fixed subset of `npm run chaos`, in which each kind of harm is there once. */
import { beforeAll, describe, expect, it } from 'vitest';
import { allCases } from '../../chaos/all-cases.ts';
import type { CaseResult } from '../../chaos/case.ts';
import { runCases } from '../../chaos/run-cases.ts';

/** The first one proves the list of steps. */
const subset = [
  'kill/comment/baseline',
  'kill/comment/middle/wait-for-Codex-1/all',
  'kill/comment/middle/wait-for-Codex-1/agent',
  'kill/comment/middle/collect-1/sandbox',
  'kill/call/GET-collaborators/worker',
  'kill/call/POST-issues-comments/worker',
  'kill/call/POST-git-upload-pack/worker',
  'kill/call/POST-git-trees/worker',
  'kill/call/POST-git-refs/worker',
  'kill/call/POST-pulls/host',
  'kill/intake/arriving/host',
  'kill/again/worker',
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
