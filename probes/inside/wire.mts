/**
 * Sends raw bytes to the gateway and reads the answers as a strict client would: the status of each, and the
 * code of its fixed body. Uses no HTTP library, which would correct the bytes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Program, Redirect, Step } from './plan.mts';

type Wire = Extract<Program, { kind: 'wire' }>;

const connectMs = 20_000;
/** For a peer that stops reading. */
const stalledMs = 5_000;
/**
 * Deadline for the answers, and for the end of a connection that has to end: both take milliseconds when
 * idle.
 */
const answerMs = 60_000;
/** Deadline outside, where the connection alone counts. */
const outsideMs = 2_000;
/** Silence after the answers that shows that the connection stays open. */
const quietMs = 400;
const maxBytes = 256 * 1024;

const noAnswer = 'no answer';
const noConnection = 'ETIMEDOUT';
/** Nothing came in time: the machine is busy, and the attempt means nothing. */
export const isTimeout = (got: string): boolean => got === noAnswer || got === noConnection;

export async function speak(wire: Wire, redirect: Redirect | null): Promise<{ got: string; seen: string }> {
  const port =
    redirect === null ? wire.port : wire.tls === undefined ? redirect.httpPort : redirect.httpsPort;
  let socket: Socket;
  try {
    socket = await open(wire, port, redirect === null ? connectMs : outsideMs);
  } catch (error) {
    return { got: codeOf(error), seen: '' };
  }
  const received: Buffer[] = [];
  let size = 0;
  let closed: string | null = null;
  let lastAt = Date.now();
  socket.on('data', (chunk: Buffer) => {
    lastAt = Date.now();
    size += chunk.length;
    if (size <= maxBytes) received.push(chunk);
  });
  socket.on('error', () => (closed ??= 'closed'));
  socket.on('end', () => (closed ??= 'closed'));
  socket.on('close', () => (closed ??= 'closed'));
  for (const step of wire.steps) if (closed === null) await take(socket, step);
  const startedAt = Date.now();
  lastAt = startedAt;
  const wanted = wire.answers ?? 1;
  // Outside, only the connection counts, not the answer of the attacker's host.
  const waitsForEnd = wire.closes === true && redirect === null;
  const deadlineMs = redirect === null ? answerMs : outsideMs;
  for (;;) {
    const { answers } = parseAnswers(Buffer.concat(received).toString('latin1'), closed !== null);
    const now = Date.now();
    const enough = answers.filter(({ status }) => status >= 200 || status === 101).length >= wanted;
    const isQuiet = enough && !waitsForEnd && now - lastAt > quietMs;
    if (closed !== null || isQuiet || now - startedAt > deadlineMs) break;
    await sleep(20);
  }
  socket.destroy();
  const seen = Buffer.concat(received).toString('latin1');
  const { answers, rest } = parseAnswers(seen, closed !== null);
  const described = answers.map(({ text }) => text);
  // Bytes that are no HTTP answer.
  if (rest !== '') described.push(JSON.stringify(rest.slice(0, 30)));
  return { got: [...described, closed ?? (described.length === 0 ? noAnswer : 'open')].join(', '), seen };
}

function open({ tls }: Wire, port: number, ms: number): Promise<Socket> {
  const where = { host: '127.0.0.1', port };
  return new Promise((resolve, reject) => {
    const socket =
      tls === undefined
        ? connectTcp(where)
        : connectTls({
            ...where,
            // The probe tests the gateway, not the client's check of certificates.
            rejectUnauthorized: false,
            ...(tls.servername === null ? {} : { servername: tls.servername }),
            ...(tls.alpn === undefined ? {} : { ALPNProtocols: [...tls.alpn] }),
            ...(tls.maxVersion === undefined
              ? {}
              : { minVersion: 'TLSv1' as const, maxVersion: tls.maxVersion, ciphers: 'DEFAULT@SECLEVEL=0' }),
          });
    socket.setTimeout(ms, () => socket.destroy(new Error(noConnection)));
    socket.once('error', reject);
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      socket.setTimeout(0);
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

async function take(socket: Socket, step: Step): Promise<void> {
  if ('waitMs' in step) return await sleep(step.waitMs);
  if ('end' in step) return void socket.end();
  if ('send' in step) return await write(socket, Buffer.from(step.send, 'latin1'));
  const block = Buffer.from(step.sendRepeated.repeat(1_000), 'latin1');
  for (let sent = 0; sent < step.times && !socket.destroyed; sent += 1_000) await write(socket, block);
}

/** Waits for room in the buffer, with a deadline: the peer may have stopped reading. */
async function write(socket: Socket, bytes: Uint8Array): Promise<void> {
  if (socket.destroyed || socket.write(bytes)) return;
  await Promise.race([
    new Promise<void>((resolve) => {
      socket.once('drain', () => resolve());
      socket.once('close', () => resolve());
    }),
    sleep(stalledMs),
  ]);
}

interface AnswerRead {
  readonly status: number;
  readonly text: string;
}

/** Parses whole answers, one after the other, and returns the rest. */
function parseAnswers(text: string, ended: boolean): { answers: readonly AnswerRead[]; rest: string } {
  const answers: AnswerRead[] = [];
  let rest = text;
  for (;;) {
    const head = /^HTTP\/1\.[01] (\d{3})[^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n/.exec(rest);
    if (head === null) return { answers, rest };
    const [whole, statusText = '', fields = ''] = head;
    const status = Number(statusText);
    const body = bodyOf(status, `\r\n${fields}`, rest.slice(whole.length), ended);
    if (body === null) return { answers, rest };
    answers.push({ status, text: describeAnswer(status, body.text) });
    ({ rest } = body);
  }
}

function bodyOf(status: number, fields: string, after: string, ended: boolean) {
  if (status < 200 || status === 204 || status === 304) return { text: '', rest: after };
  const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(fields)?.[1];
  if (length !== undefined) {
    const bytes = Number(length);
    if (after.length < bytes && !ended) return null;
    return { text: after.slice(0, bytes), rest: after.slice(bytes) };
  }
  if (/\r\ntransfer-encoding: *chunked\r\n/i.test(fields)) {
    const end = after.search(/(?:^|\r\n)0\r\n\r\n/);
    if (end < 0) return ended ? { text: after, rest: '' } : null;
    return { text: after.slice(0, end), rest: after.slice(after.indexOf('0\r\n\r\n', end) + 5) };
  }
  return ended ? { text: after, rest: '' } : null;
}

/** Describes an answer: `403 host.not-granted` for a refusal of ours, the bare status for any other. */
export function describeAnswer(status: number, body: string): string {
  const found = /\{"error":\{.*"type":"airlock(?:_egress)?".*?"code":"([a-z0-9._-]+)"/s.exec(body);
  return found?.[1] === undefined ? String(status) : `${status} ${found[1]}`;
}

export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message.slice(0, 100);
}
