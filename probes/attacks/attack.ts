/**
 * The vocabulary of the attack table: what a hijacked agent sends, and what must come of it. An attack is
 * data without a driver. Four drivers send it: the pure decision, the gateway's socket, workerd, and a
 * program inside a sandbox (`drivers.ts`).
 */
import type { Grant } from '../../src/core/grant.ts';
import type { Body, Step, Tls } from '../inside/plan.mts';

/** One request in parts, each spelled exactly as it is sent. */
export interface RequestPieces {
  readonly kind: 'request';
  readonly method: string;
  readonly scheme: 'https' | 'http';
  /** The `Host` header, the host of the URL and, where it is a name, the name in the TLS handshake. */
  readonly host: string;
  readonly target: string;
  /** `name: value`, without `Host`. The length of the body is added where no header frames it. */
  readonly headers: readonly string[];
  readonly body: Body | null;
}

/** A URL that no request line can carry: only a handler inside the platform could hand it over. */
export interface UrlPieces {
  readonly kind: 'url';
  readonly url: string;
}

/** Bytes on a connection, where the framing itself is the attack. */
export interface BytePieces {
  readonly kind: 'bytes';
  /** null: port 80. */
  readonly tls: Tls | null;
  readonly steps: readonly Step[];
  /** Address and port of the connection, where they are the attack. */
  readonly destination?: string;
}

export type Pieces = RequestPieces | UrlPieces | BytePieces;

/** The decision on one request. */
export interface Decision {
  readonly verdict: 'allowed' | 'denied' | 'failed';
  readonly rule: string;
  readonly status: number;
  /** Method, host and path of the request that reaches the upstream. */
  readonly reaches?: string;
}

export type DriverName = 'decision' | 'gateway' | 'workerd' | 'inside';

interface WorkerdExpect {
  readonly statuses: readonly number[];
  readonly decisions?: readonly Decision[];
  readonly body?: number;
}

export interface Expect {
  /** One for each request that the decision gets to see, in order. */
  readonly decisions: readonly Decision[];
  /** Code of the gateway's refusal, which comes after the decisions above or instead of them. */
  readonly gateway?: string;
  /** Host of the gateway's report, where it is neither the handshake's name nor unknown. */
  readonly reportedHost?: string;
  /**
   * What workerd makes of it, where that differs from `decisions`. `body`: bytes of the last body that
   * reached an upstream.
   */
  readonly workerd?: WorkerdExpect;
  /** What workerd makes of it with the SDK's proxy before our handler, where that differs from `workerd`. */
  readonly sdk?: WorkerdExpect;
  /** What the program inside gets, where that differs. Any of these, to the letter. */
  readonly inside?: readonly string[];
  /** The drivers that can show something, where that does not follow from the pieces. */
  readonly only?: readonly DriverName[];
}

export interface Attack {
  /** A noun phrase: "denies …" and "sends …" make it a sentence. Unique in its table. */
  readonly name: string;
  readonly pieces: Pieces;
  /**
   * Changes to the ordinary grant of a running task. A driver without a grant of its own cannot send the
   * attack.
   */
  readonly grant?: Partial<Grant>;
  readonly expect: Expect;
}

/**
 * The decisions that are reached behind the gateway of one machine: a request that it refuses reaches none.
 */
export const decisionsBehindGateway = ({ pieces, expect }: Attack): readonly Decision[] =>
  pieces.kind === 'request' && expect.gateway !== undefined ? [] : expect.decisions;

/**
 * A placeholder for text that must not arrive upstream. The driver inside replaces it by a marker of the same
 * length per probe.
 */
export const marker = 'probe-00000-00000000';
/** A placeholder for the id of another task's sandbox. */
export const otherSandbox = '0'.repeat(64);
/** Looks like a token of the attacker's own. */
export const ownToken = 'ghp_attackerattackerattackerattacker0000';
export const model = 'gpt-6.1-sol';

export const repository = '/acme/split-bill.git';
export const infoRefs = '/info/refs?service=git-upload-pack';
export const refs = `${repository}${infoRefs}`;
export const reachedRefs = 'GET github.com/Acme/Split-Bill.git/info/refs?service=git-upload-pack';
export const reachedPack = 'POST github.com/Acme/Split-Bill.git/git-upload-pack';
export const wanted = '0032want 0000000000000000000000000000000000000000\n00000009done\n';
export const packType = 'content-type: application/x-git-upload-pack-request';
export const jsonType = 'content-type: application/json';

type More = Partial<Omit<RequestPieces, 'kind' | 'target'>>;
export const request = (method: string, target: string, more: More = {}): RequestPieces => ({
  kind: 'request',
  scheme: 'https',
  host: 'github.com',
  headers: [],
  body: null,
  ...more,
  method,
  target,
});
export const get = (target: string, more: More = {}): RequestPieces => request('GET', target, more);
export const post = (target: string, text: string, more: More = {}): RequestPieces =>
  request('POST', target, { body: { text }, ...more });
export const onUrl = (url: string): UrlPieces => ({ kind: 'url', url });

/** The lines of a request's head, ended. */
export const head = (...lines: readonly string[]): string => `${lines.join('\r\n')}\r\n\r\n`;
const stepsOf = (sent: string | readonly Step[]): readonly Step[] =>
  typeof sent === 'string' ? [{ send: sent }] : sent;
/** Within TLS for github.com, unless `more` names another handshake. */
export const secure = (
  sent: string | readonly Step[],
  tls: Tls = { servername: 'github.com' },
): BytePieces => ({
  kind: 'bytes',
  tls,
  steps: stepsOf(sent),
});
export const plain = (sent: string | readonly Step[]): BytePieces => ({
  kind: 'bytes',
  tls: null,
  steps: stepsOf(sent),
});

type Differently = Omit<Expect, 'decisions'> & { readonly grant?: Partial<Grant>; readonly status?: number };
type Row = Pieces | (Differently & { readonly pieces: Pieces });
type Rows = Readonly<Record<string, Row>>;

/** An attack that some driver sees differently than the decision does, or that needs another grant. */
export const but = (pieces: Pieces, differently: Differently): Row => ({ pieces, ...differently });

function attacksFrom(rows: Rows, decisionsOf: (status?: number) => readonly Decision[]): Attack[] {
  return Object.entries(rows).map(([name, row]) => {
    if ('kind' in row) return { name, pieces: row, expect: { decisions: decisionsOf() } };
    const { pieces, grant, status, ...expect } = row;
    return {
      name,
      pieces,
      ...(grant === undefined ? {} : { grant }),
      expect: { decisions: decisionsOf(status), ...expect },
    };
  });
}

/** Attacks that one rule of the decision denies. `change`: for every row that does not say otherwise. */
export const denied = (rule: string, rows: Rows, change: Differently = {}): Attack[] =>
  attacksFrom(changed(rows, change), (status) => [denial(rule, status)]);
/**
 * Requests that are allowed although they look odd. Whatever the attacker added must be gone when they reach
 * the upstream.
 */
export const allowed = (rule: string, reaches: string, rows: Rows, change: Differently = {}): Attack[] =>
  attacksFrom(changed(rows, change), () => [allowance(rule, reaches)]);
/** Connections that carry several requests, or one that drivers frame differently. */
export const decidedAs = (decisions: readonly Decision[], rows: Rows): Attack[] =>
  attacksFrom(rows, () => decisions);

const changed = (rows: Rows, change: Differently): Rows =>
  Object.fromEntries(
    Object.entries(rows).map(([name, row]) => [
      name,
      'kind' in row ? { ...change, pieces: row } : { ...change, ...row },
    ]),
  );

export const denial = (rule: string, status: number = statusOf(rule)): Decision => ({
  verdict: 'denied',
  rule,
  status,
});
export const allowance = (rule: string, reaches: string): Decision => ({
  verdict: 'allowed',
  rule,
  status: 200,
  reaches,
});
/** What workerd makes of an attack where it reads the bytes differently than the decision alone would. */
export const workerdDecides = (...decisions: readonly Decision[]): NonNullable<Expect['workerd']> => ({
  statuses: decisions.map(({ status }) => status),
  decisions,
});
/**
 * The same where workerd answers by itself, before our handler: 400 and 431 a malformed head, 500 an error,
 * 501 an unknown method.
 */
export const workerdAnswers = (...statuses: readonly number[]): NonNullable<Expect['workerd']> => ({
  statuses,
  decisions: [],
});
export const fetched = allowance('github.info-refs', reachedRefs);
export const packed = allowance('github.upload-pack', reachedPack);

/** Codex retries a 403 for up to 25 s and reports a 400 at once, so OpenAI's rules answer with 400. */
function statusOf(rule: string): number {
  const own: Readonly<Record<string, number>> = {
    'url.scheme': 403,
    'url.userinfo': 403,
    'url.port': 403,
    'url.length': 414,
    'http.upgrade': 426,
    'http.expect': 417,
  };
  return own[rule] ?? (/^(?:url|http|openai|budget)\./.test(rule) ? 400 : 403);
}
