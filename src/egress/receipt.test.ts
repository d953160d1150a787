import { describe, expect, it } from 'vitest';
import { emptyReceipt, type EgressEntry } from '../core/grant.ts';
import { addToReceipt } from './receipt.ts';

const entry = (changes: Partial<EgressEntry>): EgressEntry => ({
  at: 0,
  method: 'GET',
  host: 'github.com',
  path: '/acme/app/info/refs',
  verdict: 'allowed',
  rule: 'github.info-refs',
  reason: '',
  status: 200,
  bytesUp: 1,
  bytesDown: 10,
  ...changes,
});
const denied = (changes: Partial<EgressEntry> = {}) =>
  entry({
    verdict: 'denied',
    rule: 'host.not-granted',
    host: 'evil.example',
    path: '/drop',
    reason: 'no',
    ...changes,
  });

describe('the receipt', () => {
  it('adds up allowed requests by host', () => {
    const receipt = [entry({}), entry({ bytesDown: 5 }), entry({ host: 'api.openai.com' })].reduce(
      addToReceipt,
      emptyReceipt,
    );
    expect(receipt.hosts).toEqual([
      { host: 'github.com', requests: 2, bytesUp: 2, bytesDown: 15 },
      { host: 'api.openai.com', requests: 1, bytesUp: 1, bytesDown: 10 },
    ]);
  });

  it('names each denied attempt once, with its count', () => {
    const receipt = [denied(), denied(), denied({ path: '/other' })].reduce(addToReceipt, emptyReceipt);
    expect(receipt.denied.map(({ path, count }) => [path, count])).toEqual([
      ['/drop', 2],
      ['/other', 1],
    ]);
    expect(receipt.deniedTotal).toBe(3);
  });

  it('keeps when the first of them was made, and what is known of it', () => {
    const [first] = [denied({ at: 100 })].reduce(addToReceipt, emptyReceipt).denied;
    const known = {
      hosts: [],
      denied: first === undefined ? [] : [{ ...first, command: 'curl' }],
      deniedTotal: 1,
    };
    expect(addToReceipt(known, denied({ at: 900 })).denied).toEqual([
      expect.objectContaining({ at: 100, count: 2, command: 'curl' }),
    ]);
  });

  it('stays bounded when a sandbox makes ten thousand different requests, and still counts them', () => {
    let receipt = emptyReceipt;
    for (let n = 0; n < 10_000; n += 1) receipt = addToReceipt(receipt, denied({ path: `/${n}` }));
    for (let n = 0; n < 1000; n += 1) receipt = addToReceipt(receipt, entry({ host: `h${n}` }));
    expect(receipt.denied.length).toBe(50);
    expect(receipt.hosts.length).toBe(50);
    expect(receipt.deniedTotal).toBe(10_000);
  });

  it('leaves out the canary’s own probes', () => {
    expect(addToReceipt(emptyReceipt, denied({ rule: 'canary.mismatch' }))).toBe(emptyReceipt);
  });
});
