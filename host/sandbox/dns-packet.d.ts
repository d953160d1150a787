/** Types of the part of dns-packet that the sinkhole uses; the package ships none. */
declare module 'dns-packet' {
  export interface Question {
    readonly type: string;
    readonly name: string;
    readonly class?: string;
  }
  export interface Packet {
    readonly type?: 'query' | 'response';
    readonly id?: number;
    readonly flags?: number;
    /** Set only on a decoded packet. */
    readonly opcode?: string;
    readonly rcode?: string;
    readonly questions?: readonly Question[];
    readonly answers?: readonly {
      readonly type: 'A';
      readonly name: string;
      readonly ttl: number;
      readonly data: string;
    }[];
  }
  export const AUTHORITATIVE_ANSWER: number;
  export const RECURSION_AVAILABLE: number;
  export const RECURSION_DESIRED: number;
  /** Throws on malformed input. */
  export function decode(datagram: Uint8Array): Packet;
  export function encode(packet: Packet): Uint8Array;
}
