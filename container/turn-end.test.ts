import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTurnEnd } from './turn-end.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

type Step = readonly [method: string, params: object] | number;
const message = (phase?: string): Step => [
  'item/completed',
  { item: { type: 'agentMessage', text: 'x', ...(phase === undefined ? {} : { phase }) } },
];
const started = (type: string): Step => ['item/started', { item: { type } }];
const completed = (type: string): Step => ['item/completed', { item: { type } }];
const reported = (status: string): Step => ['turn/completed', { turn: { status } }];

describe('a turn', () => {
  it.each<[string, readonly Step[], string | null, number]>([
    ['with its reported end', [message('final_answer'), 10, reported('completed')], 'completed', 0],
    ['as failed', [reported('failed')], 'failed', 0],
    ['as interrupted', [reported('interrupted')], 'interrupted', 0],
    ['soon after the final answer without a report', [message('final_answer'), 30_000], 'completed', 1],
    ['not before the grace period is over', [message('final_answer'), 29_000], null, 0],
    ['later after a message without a phase', [message(), 30_000], null, 0],
    ['after three minutes without a phase', [message(), 180_000], 'completed', 1],
    ['not after a comment', [message('commentary'), 600_000], null, 0],
    ['not after a command', [completed('commandExecution'), 600_000], null, 0],
    ['not while another item runs', [message('final_answer'), 5, started('userMessage'), 600_000], null, 0],
    [
      'after the second final answer',
      [message('final_answer'), 5, started('userMessage'), 9, message('final_answer'), 30_000],
      'completed',
      1,
    ],
  ])('ends %s', async (_, steps, status, silences) => {
    const onSilence = vi.fn<() => void>();
    const turn = createTurnEnd(onSilence);
    for (const step of steps) {
      if (typeof step === 'number') vi.advanceTimersByTime(step);
      else turn.notification({ method: step[0], params: step[1] });
    }
    turn.close();
    expect(await Promise.race([turn.ended, Promise.resolve(null)])).toBe(status);
    expect(onSilence).toHaveBeenCalledTimes(silences);
  });
});
