/**
 * Answers the sandbox's DNS queries locally: every name has the gateway's IPv4 address and no other records.
 * It forwards nothing, so DNS is no exfiltration channel. It answers at all so that a request to a forbidden
 * host reaches the gateway and appears in the receipt by name, instead of failing unseen.
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

/**
 * Returns the answer; null for anything but a query with exactly one question, which gets no answer. Never
 * throws.
 */
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
