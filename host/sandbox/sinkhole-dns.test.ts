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

describe('answerQuery', () => {
  it('answers every name with the address of the gateway', () => {
    const answer = ask('A');
    expect(answer).toMatchObject({ type: 'response', id: 4711, rcode: 'NOERROR' });
    expect(answer?.questions).toMatchObject([{ type: 'A', name: 'secret.attacker.example' }]);
    expect(answer?.answers).toMatchObject([
      { type: 'A', name: 'secret.attacker.example', data: '127.0.0.1' },
    ]);
  });

  it('answers AAAA with no records instead of a name error', () => {
    expect(ask('AAAA')).toMatchObject({ rcode: 'NOERROR', answers: [] });
  });

  it.each(['TXT', 'MX', 'NS', 'CNAME', 'SRV', 'ANY', 'HTTPS', 'NULL', 'AXFR', 'PTR'])(
    'answers NXDOMAIN to a query for %s',
    (type) => {
      expect(ask(type)).toMatchObject({ rcode: 'NXDOMAIN', answers: [] });
    },
  );

  it.each([
    ['a response', encode({ type: 'response', id: 1, questions: [{ type: 'A', name: 'a.example' }] })],
    ['a query without a question', encode({ type: 'query', id: 1, questions: [] })],
    [
      'a query with two questions',
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
    ['an empty datagram', new Uint8Array()],
    ['a truncated query', query('A').subarray(0, 20)],
    [
      'a name that points at itself',
      Uint8Array.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1]),
    ],
    ['a datagram over 512 bytes', new Uint8Array(4096)],
  ])('gives no answer to %s', (_, datagram) => {
    expect(answerQuery(datagram)).toBeNull();
  });

  it('never throws on random bytes and never answers with another address', () => {
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
