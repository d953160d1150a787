import { expect, it, vi } from 'vitest';
import { readOnlySandbox } from '../../../test/fixtures/read-only-sandbox.ts';
import { authorization, request } from '../../../test/fixtures/sample-task.ts';
import { createCodex } from '../../codex/codex.ts';
import type { RunChunk } from '../../core/ports/sandbox-port.ts';
import { enterPhase, openState, startWatching } from './record-state.ts';
import { learn } from './learn.ts';
import { watchCodex, watchSetup, type WatchingRecord } from './run-watch.ts';

/** Watches for a second a sandbox whose init answers every read at once. */
async function readsInOneSecond(run: 'setup' | 'codex', answer: (offset: number) => RunChunk) {
  vi.useFakeTimers({ now: Date.parse(request.acceptedAt) });
  try {
    let reads = 0;
    const opened = learn(openState(request, 'nonce', Date.now()), { authorization }, Date.now());
    const entered = enterPhase(opened, run, Date.now()) ?? opened;
    let state = startWatching(entered, run, Date.now());
    const record: WatchingRecord = {
      sandbox: readOnlySandbox(async (_, { offset }) => {
        reads += 1;
        if (reads > 1_000) throw new Error('the watch spins');
        return await Promise.resolve(answer(offset));
      }),
      codex: createCodex({ openaiBaseUrl: 'https://api.openai.com/v1' }),
      now: () => Date.now(),
      state: () => state,
      progress: () => null,
      persist: () => undefined,
      passRemarks: async () => await Promise.resolve(),
      looked: async () => await Promise.resolve(),
    };
    const watching = run === 'codex' ? watchCodex(record) : watchSetup(record);
    await vi.advanceTimersByTimeAsync(1_000);
    state = { ...state, outcome: { kind: 'no-change', summary: '' } };
    await vi.advanceTimersByTimeAsync(1_000);
    await watching;
    return reads;
  } finally {
    vi.useRealTimers();
  }
}

const nothing = (offset: number): RunChunk => ({ bytes: new Uint8Array(), size: offset, exitCode: null });
const text = (line: string) => (offset: number) => {
  const bytes = new TextEncoder().encode(line);
  return { bytes, size: offset + bytes.byteLength, exitCode: null };
};

it.each([
  ['codex', 'says at once that nothing is there', nothing],
  ['codex', 'always has the beginning of a line', text('{"half')],
  ['codex', 'always has one more line', text('{}\n')],
  ['setup', 'says at once that nothing is there', nothing],
] as const)('reads %s at most every 100 ms when init %s', async (run, _, answer) => {
  const reads = await readsInOneSecond(run, answer);
  expect(reads).toBeGreaterThan(5);
  expect(reads).toBeLessThan(13);
});
