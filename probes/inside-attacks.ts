/**
 * Turns attacks of the table into probes: curl where it sends exactly the attack's bytes, a raw connection
 * elsewhere.
 */
import {
  decisionsBehindGateway,
  marker,
  otherSandbox,
  type Attack,
  type Decision,
  type RequestPieces,
} from './attacks/attack.ts';
import { attacksFor, leftOutBy } from './attacks/drivers.ts';
import { handshakeOf, latin1Text, requestBytes } from './attacks/spelled.ts';
import type { Body, Program, Step } from './inside/plan.mts';
import type { Place, Probe } from './probe.ts';

/** Refusals of the gateway that do not answer with 400. */
const gatewayStatus: Readonly<Record<string, number>> = { connect: 405, upgrade: 426 };
/** Headers that curl would act on instead of sending them as they are. */
const framing = /^(?:content-length|transfer-encoding|expect|upgrade|connection|http2-settings):/i;
const bulkBytes = 16 * 1024 * 1024;

export function attackProbes(attacks: readonly Attack[], place: Place): readonly Probe[] {
  const seen = new Map<string, number>();
  const sent = attacksFor('inside', attacks);
  return (place.sandbox === 'local' ? sent : sent.filter((attack) => isAnsweredByWorkerd(attack, place))).map(
    (attack) => {
      const slug = slugOf(attack.name);
      const nth = (seen.get(slug) ?? 0) + 1;
      seen.set(slug, nth);
      return probeFor(attack, nth === 1 ? slug : `${slug}-${nth}`, place);
    },
  );
}

function probeFor(attack: Attack, id: string, place: Place): Probe {
  const { name, pieces, expect } = attack;
  const isCurl = pieces.kind === 'request' && curlSends(pieces);
  const isLocal = place.sandbox === 'local';
  const program = isCurl
    ? curlFor(pieces)
    : wireFor(attack, isLocal ? null : seenByWorkerd(attack, place).statuses.length);
  const expected = isLocal
    ? (expect.inside ?? [expectedAnswers(attack, isCurl)])
    : expectedOfWorkerd(attack, isCurl, place);
  const reachesUpstream = expected.some((answers) => /\b200\b/.test(answers));
  return {
    id,
    attack: name,
    expected,
    program: placed(program, place),
    ...(reachesUpstream ? { reachesUpstream, lane: 'upstream' } : {}),
    ...(pieces.kind === 'request' && pieces.body !== null && isBulk(pieces.body)
      ? { lane: 'bulk', timeoutMs: 90_000 }
      : {}),
  };
}

/** Short enough for the name of a file in the sandbox. */
const slugOf = (name: string): string =>
  name
    .slice(0, 100)
    .toLowerCase()
    .replaceAll('’', '')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');

/** The gateway closes a connection on which it refused a request, and keeps every other one. */
function expectedAnswers(attack: Attack, isCurl: boolean): string {
  const { gateway } = attack.expect;
  const decided = decisionsBehindGateway(attack).map(answerTo);
  const answers =
    gateway === undefined ? decided : [...decided, `${gatewayStatus[gateway] ?? 400} ${gateway}`];
  return [...answers, ...(isCurl ? [] : [gateway === undefined ? 'open' : 'closed'])].join(', ');
}

function seenByWorkerd({ expect: { decisions, workerd, sdk } }: Attack, { sandbox }: Place) {
  const seen = { statuses: decisions.map(({ status }) => status), decisions, ...workerd };
  return sandbox === 'sdk' ? { ...seen, ...sdk } : seen;
}

/** Silence shows something only on a connection of one's own: `test/cloudflare/raw-egress.test.ts`. */
const isAnsweredByWorkerd = (attack: Attack, place: Place): boolean =>
  leftOutBy('workerd', attack) === null && seenByWorkerd(attack, place).statuses.length > 0;

/** workerd keeps a connection or closes it as it likes. */
function expectedOfWorkerd(attack: Attack, isCurl: boolean, place: Place): readonly string[] {
  const { statuses, decisions } = seenByWorkerd(attack, place);
  const answers = statuses.map((status, at) => {
    const decision = decisions[at];
    return decision?.status === status ? answerTo(decision) : String(status);
  });
  return isCurl ? [answers.join(', ')] : ['open', 'closed'].map((end) => [...answers, end].join(', '));
}

const answerTo = ({ verdict, rule, status }: Decision): string =>
  verdict === 'allowed' ? String(status) : `${status} ${rule}`;

function curlSends({ method, host, target, headers }: RequestPieces): boolean {
  return (
    /^[A-Z]+$/.test(method) &&
    method !== 'CONNECT' &&
    /^(?:[a-z0-9-]+\.)*[a-z][a-z0-9-]*$/.test(host) &&
    /^\/[\x21-\x22\x24-\x7e]*$/.test(target) &&
    !headers.some((header) => framing.test(header) && !/^transfer-encoding: chunked$/i.test(header))
  );
}

function curlFor({ method, scheme, host, target, headers, body }: RequestPieces): Program {
  const names = (name: string) => headers.some((header) => header.toLowerCase().startsWith(`${name}:`));
  return {
    kind: 'curl',
    args: [
      ...(method === 'HEAD' ? ['--head'] : ['-X', method]),
      // Every name resolves to the gateway. curl would look up names of this machine by itself.
      '--resolve',
      `${host}:443:127.0.0.1`,
      '--resolve',
      `${host}:80:127.0.0.1`,
      // curl would wait for 100-continue before it sends a large body.
      '-H',
      'expect:',
      ...(body === null || names('content-type') ? [] : ['-H', 'content-type:']),
      ...headers.flatMap((header) => ['-H', header]),
      `${scheme}://${host}${target}`,
    ],
    ...(body === null ? {} : { body }),
  };
}

/** `wanted`: the answers of workerd; null: those of the gateway. */
function wireFor(attack: Attack, wanted: number | null): Program {
  const { pieces, expect } = attack;
  if (pieces.kind === 'url') throw new Error('no request line can carry it');
  const tls = pieces.kind === 'request' ? handshakeOf(pieces) : pieces.tls;
  const steps: readonly Step[] =
    pieces.kind === 'request' ? [{ send: requestBytes(pieces).map(latin1Text).join('') }] : pieces.steps;
  const answers = wanted ?? decisionsBehindGateway(attack).length + (expect.gateway === undefined ? 0 : 1);
  return {
    kind: 'wire',
    port: tls === null ? 80 : 443,
    ...(tls === null ? {} : { tls }),
    steps,
    ...(answers > 1 ? { answers } : {}),
    ...(expect.gateway === undefined || wanted !== null ? {} : { closes: true }),
  };
}

function isBulk(body: Body): boolean {
  if ('zeros' in body) return body.zeros > bulkBytes;
  if ('gzip' in body) return isBulk(body.gzip);
  return 'repeat' in body && body.repeat.length * body.times > 1024 * 1024;
}

/** Replaces the placeholders of the table by the facts of this run. */
function placed(program: Program, { marker: own, otherSandbox: other }: Place): Program {
  const text = JSON.stringify(program).replaceAll(marker, own).replaceAll(otherSandbox, other);
  const replaced: unknown = JSON.parse(text);
  if (!isProgram(replaced)) throw new Error('a program stays one');
  return replaced;
}

const isProgram = (value: unknown): value is Program =>
  typeof value === 'object' && value !== null && 'kind' in value;
