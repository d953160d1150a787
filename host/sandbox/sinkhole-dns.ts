/**
 * Answers the sandbox's DNS queries by itself: every IPv4 address is the gateway's, everything else does not exist. It asks nobody, so
 * nothing can be carried out in a name. The point of an answer at all: a request to a forbidden host then reaches the gateway
 * and stands in the receipt under its name, instead of failing here without a trace.
 */
import {
  decode,
  encode,
  AUTHORITATIVE_ANSWER,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  type Packet,
} from 'dns-packet';

const gateway = '127.0.0.1';
/** Short, because nothing is gained by a cached answer. */
const ttlSeconds = 30;
const nameError = 3;
/** RFC 1035, 4.2.1; no answer of ours needs EDNS to be longer. */
const maxDatagramBytes = 512;

/** Null for what is not a query with one question: such a packet gets no answer. Never throws. */
export function answerQuery(datagram: Uint8Array): Uint8Array | null {
  if (datagram.length > maxDatagramBytes) return null;
  try {
    const query = decode(Buffer.from(datagram));
    const [question, ...more] = query.questions ?? [];
    if (query.type !== 'query' || query.opcode !== 'QUERY' || question === undefined || more.length > 0)
      return null;
    const known = question.type === 'A' || question.type === 'AAAA';
    const recursionDesired = (query.flags ?? 0) & RECURSION_DESIRED;
    const answer: Packet = {
      type: 'response',
      id: query.id ?? 0,
      flags: AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE | recursionDesired | (known ? 0 : nameError),
      questions: [question],
      // An empty answer to AAAA, not a name error: that would be taken for IPv4 as well.
      answers:
        question.type === 'A' ? [{ type: 'A', name: question.name, ttl: ttlSeconds, data: gateway }] : [],
    };
    return encode(answer);
  } catch {
    // Not DNS. dns-packet throws on whatever it cannot read or write.
    return null;
  }
}
