import { expect, it, vi } from 'vitest';
import { runChecks } from './check.ts';
import { sandboxChecks, sandboxDeadlineMs } from './sandbox-checks.ts';

it('does not call a set-up broken because no sandbox was ready in time', async () => {
  vi.useFakeTimers();
  const findings = runChecks(
    sandboxChecks(async () => await new Promise(() => undefined)),
    { deadlineMs: 1000, secrets: [] },
  );
  await vi.advanceTimersByTimeAsync(sandboxDeadlineMs);
  vi.useRealTimers();
  expect((await findings).map(({ id, status }) => [id, status])).toEqual([
    ['sandbox.boot', 'warn'],
    ['sandbox.canary', 'skip'],
    ['sandbox.platform', 'skip'],
    ['sandbox.codex', 'skip'],
    ['sandbox.node', 'skip'],
  ]);
});
