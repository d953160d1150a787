import { describe, expect, it } from 'vitest';
import { goneWhy, mayStartContainer, standingOf, type Life } from './cloudflare-life.ts';

const starting: Life = { state: 'starting' };
const started: Life = { state: 'started', instance: 'abc' };
const ended: Life = { state: 'ended', why: 'it was destroyed' };

describe('where a sandbox stands', () => {
  it.each([
    ['never started', null, false, { kind: 'fresh' }],
    ['never started, though something runs', null, true, { kind: 'fresh' }],
    ['starting, without a container yet', starting, false, { kind: 'fresh' }],
    ['starting, with a container', starting, true, { kind: 'fresh' }],
    ['started', started, true, { kind: 'running', instance: 'abc' }],
    ['started, and its container is gone', started, false, { kind: 'lost', why: goneWhy }],
    ['ended', ended, false, { kind: 'lost', why: 'it was destroyed' }],
    ['ended, and its container still runs', ended, true, { kind: 'lost', why: 'it was destroyed' }],
  ])('%s', (_, life, runs, standing) => {
    expect(standingOf(life, runs)).toEqual(standing);
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
