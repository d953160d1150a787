/**
 * Speaks to workerd as the sidecar does for a container's connection: an HTTP CONNECT to where the container wanted to go, the name of the TLS
 * handshake beside it, and then the container's own bytes, decrypted and otherwise untouched.
 */
import { connect } from 'node:net';

export interface RawConnection {
  /** Address and port that the container connected to; 443 unless told otherwise. */
  readonly destination?: string;
  /** From the TLS handshake; null for plain HTTP. */
  readonly sni: string | null;
  /** What the container sent, in the pieces it sent it in. */
  readonly pieces: readonly (string | Uint8Array)[];
  /** The container closes its side after the last piece. */
  readonly hangUp?: boolean;
  /** The answers have no body, whatever length they name: to HEAD. */
  readonly bodiless?: boolean;
  /** Answers to wait for; the connection is closed after the last. */
  readonly answers: number;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

const quietMs = 400;

/** What came back: final answers in order, and whether workerd closed the connection by itself before as many had come as were waited for. */
export async function sendRaw(
  port: number,
  { destination = '203.0.113.7:443', sni, pieces, hangUp = false, bodiless = false, answers }: RawConnection,
): Promise<{ answers: RawAnswer[]; closed: boolean }> {
  const socket = connect(port, '127.0.0.1');
  const named = sni === null ? [] : [`X-Tls-Sni: ${sni}`, `X-Hostname: ${sni}`];
  const opening = [`CONNECT ${destination} HTTP/1.1`, `Host: ${destination}`, 'X-Proto: tcp', ...named];
  socket.write(`${opening.join('\r\n')}\r\n\r\n`);
  return await new Promise((resolve) => {
    let received = '';
    let opened = false;
    let timer: NodeJS.Timeout | undefined;
    const finish = (closed: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ answers: parseAnswers(received, bodiless), closed });
    };
    // For rows where nothing more is to come: a wait that proves a negative has to end by itself.
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => finish(false), quietMs);
    };
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      if (!opened) {
        const end = received.indexOf('\r\n\r\n');
        if (end === -1) return;
        opened = true;
        received = received.slice(end + 4);
        for (const piece of pieces) socket.write(piece);
        if (hangUp) socket.end();
      }
      wait();
      if (answers > 0 && parseAnswers(received, bodiless).length >= answers) finish(false);
    });
    socket.once('error', () => finish(true));
    socket.once('close', () => finish(true));
    wait();
  });
}

/** Whole answers only; `100 Continue` and its like are not answers. */
function parseAnswers(text: string, bodiless: boolean): RawAnswer[] {
  const found: RawAnswer[] = [];
  let rest = text;
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(rest)?.[1]);
    if (end === -1 || Number.isNaN(status)) return found;
    const headers = rest.slice(0, end);
    const after = rest.slice(end + 4);
    const length = bodiless ? 0 : bodyLength(status, headers, after);
    if (length === null) return found;
    if (status >= 200 || status === 101) found.push({ status, headers, body: after.slice(0, length) });
    rest = after.slice(length);
  }
}

/** null: not all of it is there. */
function bodyLength(status: number, headers: string, after: string): number | null {
  if (status < 200 || status === 204) return 0;
  if (/^transfer-encoding: chunked/im.test(headers)) {
    const end = after.indexOf('0\r\n\r\n');
    return end === -1 ? null : end + 5;
  }
  const length = Number(/^content-length: (\d+)/im.exec(headers)?.[1] ?? 0);
  return after.length < length ? null : length;
}
