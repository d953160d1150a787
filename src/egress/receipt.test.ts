import { describe, expect, it } from 'vitest';
import { emptyReceipt, type EgressEntry } from '../core/grant.ts';
import { addToReceipt } from './receipt.ts';

const line = {
  at: 0,
  method: 'GET',
  host: 'github.com',
  path: '/acme/app/info/refs',
  rule: 'github.info-refs',
  reason: '',
  status: 200,
  bytesUp: 1,
  bytesDown: 10,
};
const entry = (changes: Partial<typeof line>): EgressEntry => ({ ...line, verdict: 'allowed', ...changes });
const denied = (changes: Partial<typeof line> = {}): EgressEntry => ({
  ...line,
  verdict: 'denied',
  rule: 'host.not-granted',
  host: 'evil.example',
  path: '/drop',
  reason: 'no',
  bytesUp: 0,
  bytesDown: 0,
  ...changes,
});
const failed = (changes: Partial<typeof line> = {}): EgressEntry => ({
  ...line,
  verdict: 'failed',
  fault: 'upstream',
  rule: 'upstream.status',
  host: 'api.openai.com',
  path: '/v1/responses',
  reason: 'api.openai.com answered 503',
  bytesUp: 0,
  bytesDown: 0,
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

  it('names each tool that was asked for, though the path is the same', () => {
    const asked = (reason: string) => denied({ path: '/v1/responses', rule: 'openai.tool', reason });
    const receipt = [asked('web_search'), asked('mcp'), asked('web_search')].reduce(
      addToReceipt,
      emptyReceipt,
    );
    expect(receipt.denied.map(({ reason, count }) => [reason, count])).toEqual([
      ['web_search', 2],
      ['mcp', 1],
    ]);
  });

  it('keeps the time of the first attempt, and the command that is known for it', () => {
    const [first] = [denied({ at: 100 })].reduce(addToReceipt, emptyReceipt).denied;
    const known = {
      ...emptyReceipt,
      denied: first === undefined ? [] : [{ ...first, command: 'curl' }],
      deniedTotal: 1,
    };
    expect(addToReceipt(known, denied({ at: 900 })).denied).toEqual([
      expect.objectContaining({ at: 100, count: 2, command: 'curl' }),
    ]);
  });

  it('counts failed requests by host and reason, and none of them as denied', () => {
    const receipt = [
      failed(),
      failed({ path: '/v1/models' }),
      failed({ host: 'github.com', reason: 'github.com answered 502' }),
    ].reduce(addToReceipt, emptyReceipt);
    expect(receipt).toEqual({
      hosts: [],
      denied: [],
      deniedTotal: 0,
      failed: [
        {
          host: 'api.openai.com',
          fault: 'upstream',
          rule: 'upstream.status',
          reason: 'api.openai.com answered 503',
          count: 2,
        },
        {
          host: 'github.com',
          fault: 'upstream',
          rule: 'upstream.status',
          reason: 'github.com answered 502',
          count: 1,
        },
      ],
      failedTotal: 3,
    });
  });

  it.each([
    ['that failed', failed({ bytesUp: 9 })],
    ['that was cut off at a budget', denied({ host: 'api.openai.com', bytesUp: 9 })],
  ])('adds the bytes of a request %s to its host: they went out', (_, one) => {
    expect(addToReceipt(emptyReceipt, one).hosts).toEqual([
      { host: 'api.openai.com', requests: 1, bytesUp: 9, bytesDown: 0 },
    ]);
  });

  it('stays bounded when a sandbox makes ten thousand different requests, and still counts them', () => {
    let receipt = emptyReceipt;
    for (let n = 0; n < 10_000; n += 1) receipt = addToReceipt(receipt, denied({ path: `/${n}` }));
    for (let n = 0; n < 1000; n += 1) receipt = addToReceipt(receipt, entry({ host: `h${n}` }));
    for (let n = 0; n < 1000; n += 1) receipt = addToReceipt(receipt, failed({ host: `h${n}` }));
    expect(receipt.failed.length).toBe(20);
    expect(receipt.failedTotal).toBe(1000);
    expect(receipt.denied.length).toBe(50);
    expect(receipt.hosts.length).toBe(120);
    expect(receipt.deniedTotal).toBe(10_000);
  });

  it('leaves out the probes of the canary', () => {
    expect(addToReceipt(emptyReceipt, denied({ rule: 'canary.mismatch' }))).toBe(emptyReceipt);
  });
});
