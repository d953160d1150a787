import { describe, expect, it } from 'vitest';
import { failureKind, failureOf, failureText } from './cloudflare-failure.ts';

describe('a failed call', () => {
  it.each([
    ['busy', 'There is no container instance that can be provided to this durable object', true],
    ['busy', 'Error: Maximum number of running container instances exceeded. Try again later', false],
    ['busy', 'you are requesting too many containers per second', false],
    ['transient', 'Durable Object reset because its code was updated.', false],
    ['transient', 'Network connection lost.', false],
    ['transient', 'The Workers runtime canceled this request.', true],
    [
      'transient',
      'OperationInterruptedError: Sandbox operation commands.execute was interrupted while the runtime connection closed unexpectedly',
      false,
    ],
    ['transient', 'The sandbox container stopped while the operation was pending.', false],
    ['transient', 'Peer closed WebSocket: 1006 ', false],
    ['transient', 'Durable Object is overloaded. Requests queued for too long.', false],
    ['failed', 'Container failed to start: no such image available named x', false],
    ['failed', 'ENOSPC: no space left on device', false],
    ['failed', '', false],
  ])('is %s: %s', (kind, message, retryable) => {
    expect(failureKind({ message, retryable })).toBe(kind);
  });

  it('is described on one bounded line, whatever the container said', () => {
    const text = failureText({ message: `a\nb\r\n${'x'.repeat(10_000)}`, retryable: false });
    expect(text).not.toMatch(/[\r\n]/);
    expect(text.length).toBeLessThan(400);
  });

  it('is transient if the platform marked it so, and only then', () => {
    const marked = Object.assign(new Error('x'), { retryable: true });
    expect(failureOf(marked)).toEqual({ message: 'x', retryable: true });
    expect(failureOf(Object.assign(new Error('x'), { retryable: 'yes' })).retryable).toBe(false);
    expect(failureOf('x')).toEqual({ message: 'x', retryable: false });
  });

  it('says when a retry can help', () => {
    expect(failureText({ message: 'x', retryable: true })).toContain('a retry can help');
    expect(failureText({ message: 'x', retryable: false })).not.toContain('retry');
  });
});
