import { expect, it } from 'vitest';
import { emptyReceipt } from '../../src/core/grant.ts';
import { receiptLines } from './receipt-lines.ts';
import { outcomeLine } from './task-printer.ts';

// eslint-disable-next-line no-control-regex -- colours are not what is tested
const colours = /\u001B\[[0-9;]*m/g;
const row = {
  method: 'POST',
  host: 'evil.example',
  path: '/drop',
  rule: 'host',
  reason: 'no',
  count: 1,
  at: 0,
};

it('lists setup, hosts, failures, and blocked requests with the command that ran', () => {
  const lines = receiptLines({
    setup: {
      status: 'ok',
      exitCode: 0,
      durationMs: 1_500,
      fromCache: false,
      cacheRefused: null,
      optional: false,
    },
    receipt: {
      hosts: [{ host: 'github.com', requests: 1, bytesUp: 10, bytesDown: 2_000_000 }],
      denied: [row, { ...row, path: '/x', count: 2, command: 'curl\u001B[2Jevil\nforged' }],
      deniedTotal: 5,
      failed: [
        {
          host: 'api.openai.com',
          fault: 'upstream',
          rule: 'upstream.status',
          reason: 'api.openai.com answered\u001B[2J 503',
          count: 2,
        },
      ],
      failedTotal: 2,
    },
  });
  expect(lines.map((line) => line.replace(colours, ''))).toEqual([
    '▸ network receipt',
    '  Dependencies were installed in 2 s',
    '  github.com: 1 request, 10 B sent, 2.0 MB received',
    '  ⛔ POST evil.example/drop: no',
    '  ⛔ POST evil.example/x (2 times): no',
    '     while this ran: curl[2Jevil forged',
    '  ⛔ and 2 more',
    '  ⚠️ 2 requests failed: api.openai.com answered[2J 503',
    '⚠️ This run tried to send or write where it may not. Airlock blocked it.',
    '  Text that Codex read may have hijacked it. Review every line, and do not run the change before you have.',
  ]);
});

it.each([
  [false, '✔ pull request #7: https://github.com/acme/shop/pull/7'],
  [true, '📝 pull request #7 (draft): https://github.com/acme/shop/pull/7'],
])('says whether a pull request is a draft (%s)', (draft, line) => {
  const pullRequest = {
    number: 7,
    title: 'x',
    url: 'https://github.com/acme/shop/pull/7',
    headRef: 'x',
    headSha: 'y',
    draft,
  };
  expect(outcomeLine({ kind: 'pull-request', pullRequest }).replace(colours, '')).toBe(line);
});

it('returns no lines if there was neither setup nor a request', () => {
  expect(receiptLines({ setup: null, receipt: emptyReceipt })).toEqual([]);
  expect(receiptLines({ setup: { status: 'none' }, receipt: emptyReceipt })).toEqual([]);
});
