/** The attack table against the gateway: what it refuses by name, and what it hands on unchanged. */
import type { Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  decisionsBehindGateway,
  type Attack,
  type Pieces,
  type RequestPieces,
} from '../../probes/attacks/attack.ts';
import { attacksFor } from '../../probes/attacks/drivers.ts';
import { bodyOf, byteSteps, handshakeOf, requestBytes } from '../../probes/attacks/spelled.ts';
import { attackTable } from '../../probes/attacks/table.ts';
import type { Tls } from '../../probes/inside/plan.mts';
import {
  openGatewayBench,
  valueOf,
  type Arrived,
  type GatewayBench,
} from '../../test/sandbox/gateway-bench.ts';

const tables = Object.entries(attackTable)
  .map(([name, attacks]) => [name, attacksFor('gateway', attacks)] as const)
  .filter(([, attacks]) => attacks.length > 0);

let bench: GatewayBench;
beforeAll(async () => void (bench = await openGatewayBench()));
afterAll(async () => await bench.close());
beforeEach(() => void (bench.arrived.length = 0));

/** Writes the bytes and reads until the gateway closes the connection, or until `answers` have come. */
async function exchange(pieces: Pieces, answers: number): Promise<string> {
  if (pieces.kind === 'url') throw new Error('no request line can carry it');
  const isRequest = pieces.kind === 'request';
  const tls = tlsOf(pieces);
  const socket: Socket =
    tls === null ? bench.plain() : bench.secure(tls.servername ?? undefined, { trusting: true });
  return await new Promise((resolve) => {
    let received = '';
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      if (!isRequest && (received.match(/HTTP\/1\.1 [2-5]\d\d/g) ?? []).length >= answers) socket.end();
    });
    socket.on('close', () => resolve(received));
    // A refusal may close the connection while the rest is being written.
    socket.on('error', () => socket.destroy());
    for (const bytes of isRequest ? requestBytes(pieces, 'Connection: close') : byteSteps(pieces))
      socket.write(bytes);
  });
}

const tlsOf = (pieces: Pieces): Tls | null =>
  pieces.kind === 'request' ? handshakeOf(pieces) : pieces.kind === 'bytes' ? pieces.tls : null;

const refusalSchema = z.strictObject({
  error: z.strictObject({
    message: z.literal('the request was refused at the gateway'),
    type: z.literal('airlock'),
    code: z.string(),
  }),
});
const refusalIn = (answer: string): string =>
  refusalSchema.parse(JSON.parse(answer.slice(answer.lastIndexOf('\r\n{') + 2))).error.code;

const isReport = ({ headers }: Arrived): boolean => valueOf(headers, 'x-airlock-refused') !== undefined;

/** The line in proxy form: what the decision will see. */
function lineOf({ method, scheme, host, target }: RequestPieces): string {
  const path = target.startsWith('/') ? target : target.replace(/^[a-z]+:\/\/[^/]*/i, '');
  return `${method} ${scheme}://${host.toLowerCase().replace(/:443$/, '')}${path}`;
}

const isRefused = ({ expect: { gateway } }: Attack): boolean => gateway !== undefined;
const isForwarded = (attack: Attack): boolean => !isRefused(attack) && attack.expect.decisions.length > 0;
const isUnanswered = (attack: Attack): boolean => !isRefused(attack) && attack.expect.decisions.length === 0;

describe.each(tables)('the gateway and %s', (_, attacks) => {
  it.each(attacks.filter(isRefused).map(titled('refuses')))('%s', async (_title, attack) => {
    const { pieces, expect: expected } = attack;
    const forwards = decisionsBehindGateway(attack).length;
    const answer = await exchange(pieces, forwards + 1);
    // The end of a long header may be lost with the connection; its report is not.
    const isLost = answer === '' && expected.inside?.includes('closed') === true;
    expect(isLost ? expected.gateway : refusalIn(answer)).toBe(expected.gateway);
    await expect.poll(() => bench.arrived.filter(isReport).length).toBe(1);
    const report = bench.arrived.find(isReport);
    expect(report?.line).toMatch(/^[A-Z]+ https?:\/\/[^/]+\/$/);
    expect(report?.line).toContain(
      `//${expected.reportedHost ?? tlsOf(pieces)?.servername ?? 'unknown.invalid'}/`,
    );
    expect(valueOf(report?.headers, 'x-airlock-refused')).toBe(expected.gateway);
    expect(valueOf(report?.headers, 'x-airlock-sandbox')).toBe(bench.sandboxId);
    // A body that breaks the framing is read after its head, which may be on its way by then.
    const broken = expected.inside?.some((got) => got.startsWith('403')) === true ? 1 : 0;
    const forwarded = bench.arrived.filter((entry) => !isReport(entry)).length;
    expect(forwarded).toBeGreaterThanOrEqual(forwards);
    expect(forwarded).toBeLessThanOrEqual(forwards + broken);
  });

  it.each(attacks.filter(isForwarded).map(titled('forwards')))(
    '%s',
    async (_title, { pieces, expect: expected }) => {
      const answer = await exchange(pieces, expected.decisions.length);
      expect(answer.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(expected.decisions.length);
      expect(bench.arrived).toHaveLength(expected.decisions.length);
      for (const { headers } of bench.arrived) {
        expect(valueOf(headers, 'x-airlock-sandbox')).toBe(bench.sandboxId);
        expect(valueOf(headers, 'x-airlock-token')).toBe('gateway-token');
        expect(headers.filter((name) => /^x-airlock-(?!sni$)/i.test(name))).toHaveLength(2);
        expect(valueOf(headers, 'expect')).toBeUndefined();
      }
      if (pieces.kind !== 'request') return;
      expect(bench.arrived[0]?.line).toBe(lineOf(pieces));
      expect(bench.arrived[0]?.body === Buffer.from(bodyOf(pieces)).toString('latin1')).toBe(true);
    },
  );

  it.each(attacks.filter(isUnanswered).map(titled('answers nothing to')))(
    '%s',
    async (_title, { pieces }) => {
      expect(await exchange(pieces, 1)).toBe('');
      expect(bench.arrived.every(isReport)).toBe(true);
    },
  );
});

function titled(verb: string): (attack: Attack) => readonly [string, Attack] {
  return (attack) => {
    const { gateway } = attack.expect;
    return [`${verb} ${attack.name}${gateway === undefined ? '' : ` as ${gateway}`}`, attack];
  };
}
