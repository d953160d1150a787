/**
 * Speaks raw bytes to the gateway and reads the answers as a strict client would: each one's status and the code of its fixed body.
 * No HTTP library is between the attacker and the wire, so nothing is corrected on the way out.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Program, Redirect, Step } from './plan.mts';

type Wire = Extract<Program, { kind: 'wire' }>;

const connectMs = 5_000;
/** For the first answers; a refusal comes in milliseconds. */
const answerMs = 6_000;
/** After them: whether another answer follows, or the connection is closed. */
const quietMs = 400;
const maxBytes = 256 * 1024;

export async function speak(wire: Wire, redirect: Redirect | null): Promise<{ got: string; seen: string }> {
  const port =
    redirect === null ? wire.port : wire.tls === undefined ? redirect.httpPort : redirect.httpsPort;
  let socket: Socket;
  try {
    socket = await open(wire, port);
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
  for (;;) {
    const { answers } = parseAnswers(Buffer.concat(received).toString('latin1'), closed !== null);
    const now = Date.now();
    const enough = answers.filter(({ status }) => status >= 200 || status === 101).length >= wanted;
    if (closed !== null || (enough && now - lastAt > quietMs) || now - startedAt > answerMs) break;
    await sleep(20);
  }
  socket.destroy();
  const seen = Buffer.concat(received).toString('latin1');
  const { answers, rest } = parseAnswers(seen, closed !== null);
  const told = answers.map(({ text }) => text);
  // Bytes that are no answer: another protocol's, or a broken one.
  if (rest !== '') told.push(JSON.stringify(rest.slice(0, 30)));
  return { got: [...told, closed ?? (told.length === 0 ? 'no answer' : 'open')].join(', '), seen };
}

function open({ tls }: Wire, port: number): Promise<Socket> {
  const where = { host: '127.0.0.1', port };
  return new Promise((resolve, reject) => {
    const socket =
      tls === undefined
        ? connectTcp(where)
        : connectTls({
            ...where,
            // What is probed is the gateway's decision, not our own client's.
            rejectUnauthorized: false,
            ...(tls.servername === null ? {} : { servername: tls.servername }),
            ...(tls.alpn === undefined ? {} : { ALPNProtocols: [...tls.alpn] }),
            ...(tls.maxVersion === undefined
              ? {}
              : { minVersion: 'TLSv1' as const, maxVersion: tls.maxVersion, ciphers: 'DEFAULT@SECLEVEL=0' }),
          });
    socket.setTimeout(connectMs, () => socket.destroy(new Error('ETIMEDOUT')));
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

/** Waits for room, but not for ever: the other side may have stopped reading. */
async function write(socket: Socket, bytes: Uint8Array): Promise<void> {
  if (socket.destroyed || socket.write(bytes)) return;
  await Promise.race([
    new Promise<void>((resolve) => {
      socket.once('drain', () => resolve());
      socket.once('close', () => resolve());
    }),
    sleep(connectMs),
  ]);
}

interface AnswerRead {
  readonly status: number;
  readonly text: string;
}

/** As many whole answers as stand in the text, one after the other. */
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

/** `403 host.not-granted` for our own refusals; the bare status for everything that is not ours. */
export function describeAnswer(status: number, body: string): string {
  const found = /\{"error":\{.*"type":"airlock(?:_egress)?".*?"code":"([a-z0-9._-]+)"/s.exec(body);
  return found?.[1] === undefined ? String(status) : `${status} ${found[1]}`;
}

export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message.slice(0, 100);
}
