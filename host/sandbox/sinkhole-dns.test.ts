import { decode, encode, RECURSION_DESIRED } from 'dns-packet';
import { assert, property, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerQuery } from './sinkhole-dns.ts';

const query = (type: string, name = 'secret.attacker.example') =>
  encode({ type: 'query', id: 4711, flags: RECURSION_DESIRED, questions: [{ type, name }] });

function ask(type: string) {
  const answer = answerQuery(query(type));
  return answer === null ? null : decode(answer);
}

describe('the sinkhole', () => {
  it('says that every name is the gateway', () => {
    const answer = ask('A');
    expect(answer).toMatchObject({ type: 'response', id: 4711, rcode: 'NOERROR' });
    expect(answer?.questions).toMatchObject([{ type: 'A', name: 'secret.attacker.example' }]);
    expect(answer?.answers).toMatchObject([
      { type: 'A', name: 'secret.attacker.example', data: '127.0.0.1' },
    ]);
  });

  it('has no IPv6 address, without denying the name', () => {
    expect(ask('AAAA')).toMatchObject({ rcode: 'NOERROR', answers: [] });
  });

  it.each(['TXT', 'MX', 'NS', 'CNAME', 'SRV', 'ANY', 'HTTPS', 'NULL', 'AXFR', 'PTR'])(
    'knows no %s',
    (type) => {
      expect(ask(type)).toMatchObject({ rcode: 'NXDOMAIN', answers: [] });
    },
  );

  it.each([
    ['an answer', encode({ type: 'response', id: 1, questions: [{ type: 'A', name: 'a.example' }] })],
    ['no question', encode({ type: 'query', id: 1, questions: [] })],
    [
      'two questions',
      encode({
        type: 'query',
        id: 1,
        questions: [
          { type: 'A', name: 'a' },
          { type: 'A', name: 'b' },
        ],
      }),
    ],
    ['an update', encode({ type: 'query', id: 1, flags: 5 << 11, questions: [{ type: 'A', name: 'a' }] })],
    ['nothing', new Uint8Array()],
    ['half a query', query('A').subarray(0, 20)],
    [
      'a name that points at itself',
      Uint8Array.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1]),
    ],
    ['too much', new Uint8Array(4096)],
  ])('is silent on %s', (_, datagram) => {
    expect(answerQuery(datagram)).toBeNull();
  });

  it('survives whatever is sent, and never answers with another address', () => {
    assert(
      property(uint8Array({ maxLength: 600 }), (noise) => {
        const answer = answerQuery(noise);
        if (answer === null) return;
        for (const record of decode(answer).answers ?? []) expect(record.data).toBe('127.0.0.1');
      }),
      { numRuns: 2_000 },
    );
  });
});
