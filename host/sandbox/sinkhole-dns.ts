/**
 * Answers the sandbox's DNS: every name has the gateway's IPv4 address, nothing is forwarded. So DNS is no
 * exfiltration channel, and requests to forbidden hosts appear in the receipt by name.
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
/** Short, because a cached answer has no benefit. */
const ttlSeconds = 30;
const nameError = 3;
/** RFC 1035, 4.2.1. Our answers fit without EDNS. */
const maxDatagramBytes = 512;

/** Null, no answer, for anything but a query with exactly one question. Never throws. */
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
      // AAAA gets an empty answer instead of a name error, which resolvers would apply to IPv4 as well.
      answers:
        question.type === 'A' ? [{ type: 'A', name: question.name, ttl: ttlSeconds, data: gateway }] : [],
    };
    return encode(answer);
  } catch {
    // Not DNS: dns-packet throws on anything that it cannot decode or encode.
    return null;
  }
}
