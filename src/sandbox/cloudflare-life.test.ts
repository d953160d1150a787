import { describe, expect, it } from 'vitest';
import { goneWhy, mayStartContainer, statusOf, type Life } from './cloudflare-life.ts';

const starting: Life = { state: 'starting' };
const started: Life = { state: 'started', instance: 'abc' };
const ended: Life = { state: 'ended', why: 'it was destroyed' };

describe('statusOf', () => {
  it.each([
    ['was never started', null, false, { kind: 'fresh' }],
    ['was never started, though a container runs', null, true, { kind: 'fresh' }],
    ['is starting, without a container yet', starting, false, { kind: 'fresh' }],
    ['is starting, with a container', starting, true, { kind: 'fresh' }],
    ['was started', started, true, { kind: 'running', instance: 'abc' }],
    ['was started, and whose container is gone', started, false, { kind: 'lost', why: goneWhy }],
    ['has ended', ended, false, { kind: 'lost', why: 'it was destroyed' }],
    ['has ended, and whose container still runs', ended, true, { kind: 'lost', why: 'it was destroyed' }],
  ])('returns the status of a sandbox that %s', (_, life, runs, status) => {
    expect(statusOf(life, runs)).toEqual(status);
  });
});

describe('mayStartContainer', () => {
  it.each([
    ['allows a start that is recorded', starting, true, true],
    ['refuses a call during a start', starting, false, false],
    ['refuses a call before any start', null, false, false],
    ['refuses a start that is not recorded', null, true, false],
    ['refuses a second start', started, true, false],
    ['refuses a start after the end', ended, true, false],
  ])('%s', (_, life, inStart, allowed) => {
    expect(mayStartContainer(life, inStart)).toBe(allowed);
  });
});
