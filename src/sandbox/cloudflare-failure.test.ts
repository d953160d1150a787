import { describe, expect, it } from 'vitest';
import { failureKind, failureText } from './cloudflare-failure.ts';

describe('a failed call', () => {
  it.each([
    ['busy', 'There is no container instance that can be provided to this durable object', true],
    ['busy', 'Error: Maximum number of running container instances exceeded. Try again later', false],
    ['busy', 'you are requesting too many containers per second', false],
    ['transient', 'Durable Object reset because its code was updated.', true],
    ['transient', 'Network connection lost.', true],
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
  ])('is %s: %s', (kind, message, platform) => {
    expect(failureKind({ message, platform })).toBe(kind);
  });

  it('is described on one bounded line, whatever the container said', () => {
    const text = failureText({ message: `a\nb\r\n${'x'.repeat(10_000)}`, platform: false });
    expect(text).not.toMatch(/[\r\n]/);
    expect(text.length).toBeLessThan(400);
  });

  it('says when a retry can help', () => {
    expect(failureText({ message: 'x', platform: true })).toContain('a retry can help');
    expect(failureText({ message: 'x', platform: false })).not.toContain('retry');
  });
});
