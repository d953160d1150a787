/** The canary's probes. `wrong`: an answer that a sealed sandbox cannot get. `unanswered`: no proof. */
import { request, type IncomingMessage } from 'node:http';
import { request as requestTls } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';

export type ProbeResult = 'expected' | 'wrong' | 'unanswered';

export interface ProbeFinding {
  readonly result: ProbeResult;
  /** What the probe got, for the operator. */
  readonly got: string;
}

/** Time limit of a probe that needs an answer. Generous, because other programs can use every processor. */
const answerMs = 10_000;
/** How long a closed port stays silent. The probed public resolver answers within milliseconds. */
const silenceMs = 1_500;
export const canaryHost = 'canary.airlock.invalid';

/** Errors that say nothing about the other end. Any other, such as a foreign certificate, is wrong. */
const withoutAnswer = new Set([
  'ABORT_ERR',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'EMFILE',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

/** The handler's refusal. */
export function isRefusal(status: number, body: string): boolean {
  return status === 403 && body.includes('airlock_egress');
}

/** The gateway or the handler says that it cannot answer now, for example while the Worker restarts. */
function isOwnFailure(status: number, body: string): boolean {
  return status >= 500 && /"type":\s*"airlock(?:_egress)?"/.test(body);
}

function judgeAnswer(status: number, body: string, expected: typeof isRefusal): ProbeFinding {
  const got = `${status} ${body}`.slice(0, 300);
  if (expected(status, body)) return { result: 'expected', got };
  return { result: isOwnFailure(status, body) ? 'unanswered' : 'wrong', got };
}

/** Requests `url` and compares the answer with what a sealed sandbox gets. */
export async function probeUrl(
  url: string,
  expected: (status: number, body: string) => boolean,
  timeoutMs = answerMs,
): Promise<ProbeFinding> {
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const send = url.startsWith('https:') ? requestTls : request;
      send(url, { signal: AbortSignal.timeout(timeoutMs) }, resolve)
        .on('error', reject)
        .end();
    });
    let body = '';
    for await (const chunk of response.setEncoding('utf8')) body = `${body}${chunk}`.slice(0, 1000);
    return judgeAnswer(response.statusCode ?? 0, body, expected);
  } catch (error) {
    return { result: isWithoutAnswer(error) ? 'unanswered' : 'wrong', got: String(error).slice(0, 300) };
  }
}

function isWithoutAnswer(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return 'code' in error && typeof error.code === 'string' && withoutAnswer.has(error.code);
}

/**
 * Sends a request to a numeric address. Only the handler may answer. An end, a reset or silence is as good as
 * no route: the other probes show that the handler answers.
 */
export async function probeAddress(
  address: string,
  { port = 80, timeoutMs = answerMs }: { readonly port?: number; readonly timeoutMs?: number } = {},
): Promise<ProbeFinding> {
  return await new Promise((resolve) => {
    const end = (result: ProbeResult, got: string) => resolve({ result, got: got.slice(0, 300) });
    const host = `forbidden.${canaryHost}`;
    const sent = request({ host: address, port, headers: { host } });
    const withoutBytes = (got: string) =>
      end((sent.socket?.bytesRead ?? 0) === 0 ? 'expected' : 'unanswered', got);
    // A deadline for the whole answer. One that waited in the kernel is read before `setImmediate` runs.
    const timer = setTimeout(() => {
      setImmediate(() => {
        withoutBytes('no answer');
        sent.destroy();
      });
    }, timeoutMs);
    sent.once('close', () => clearTimeout(timer));
    sent.once('response', (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body = (body + chunk.toString()).slice(0, 1000)));
      response.once('error', (error) => end('unanswered', error.message));
      response.once('end', () => resolve(judgeAnswer(response.statusCode ?? 0, body, isRefusal)));
    });
    sent.once('error', (error) => {
      if (isWithoutAnswer(error)) withoutBytes(error.message);
      else end('wrong', error.message);
    });
    sent.end();
  });
}

/** Any byte is `wrong`. An accepted connection is not: Cloudflare's containers accept and drop those. */
export async function probeClosedPort(
  address: string,
  port: number,
  quietMs = silenceMs,
): Promise<ProbeFinding> {
  return await new Promise((resolve) => {
    const socket = connectTcp({ host: address, port });
    let connected = false;
    const end = (result: ProbeResult, got: string) => {
      resolve({ result, got: got.slice(0, 300) });
      socket.destroy();
    };
    /** Silence, an end and a reset prove that nothing answers, unless bytes came before. */
    const judge = (got: string) => {
      if (socket.bytesRead > 0) end('wrong', `answered with ${socket.bytesRead} bytes`);
      else end('expected', connected ? `accepted, then ${got}` : got);
    };
    const whenSilent = () => setTimeout(() => setImmediate(judge, 'no answer'), quietMs);
    // An answer that waited in the kernel while the processor was busy is read before `setImmediate` runs.
    let timer = whenSilent();
    socket.once('connect', () => {
      connected = true;
      clearTimeout(timer);
      timer = whenSilent();
      // The certificate does not matter: to answer at all is wrong.
      const greeting = connectTls({ socket, rejectUnauthorized: false });
      greeting.once('secureConnect', () => end('wrong', 'completed a TLS handshake'));
      greeting.once('error', (error) => judge(error.message));
      greeting.once('close', () => judge('closed'));
    });
    socket.once('error', (error) => judge(error.message));
    socket.once('close', () => {
      clearTimeout(timer);
      judge('closed');
    });
  });
}
