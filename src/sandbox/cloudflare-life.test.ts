import { describe, expect, it } from 'vitest';
import { goneWhy, mayStartContainer, statusOf, type Life } from './cloudflare-life.ts';

const starting: Life = { state: 'starting' };
const started: Life = { state: 'started', instance: 'abc' };
const ended: Life = { state: 'ended', why: 'it was destroyed' };

describe('the status of a sandbox that', () => {
  it.each([
    ['was never started', null, false, { kind: 'fresh' }],
    ['was never started, though a container runs', null, true, { kind: 'fresh' }],
    ['is starting, without a container yet', starting, false, { kind: 'fresh' }],
    ['is starting, with a container', starting, true, { kind: 'fresh' }],
    ['was started', started, true, { kind: 'running', instance: 'abc' }],
    ['was started, and whose container is gone', started, false, { kind: 'lost', why: goneWhy }],
    ['has ended', ended, false, { kind: 'lost', why: 'it was destroyed' }],
    ['has ended, and whose container still runs', ended, true, { kind: 'lost', why: 'it was destroyed' }],
  ])('%s', (_, life, runs, status) => {
    expect(statusOf(life, runs)).toEqual(status);
  });
});

describe('a container is started', () => {
  it.each([
    ['by a start that is remembered', starting, true, true],
    ['not by a call', starting, false, false],
    ['not by a call before any start', null, false, false],
    ['not by a start that is not remembered', null, true, false],
    ['not twice', started, true, false],
    ['not after the end', ended, true, false],
  ])('%s', (_, life, inStart, allowed) => {
    expect(mayStartContainer(life, inStart)).toBe(allowed);
  });
});
