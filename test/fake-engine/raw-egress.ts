/** Speaks to workerd as the sidecar does: an HTTP CONNECT with the SNI, then the decrypted bytes. */
import { connect } from 'node:net';

export interface RawConnection {
  /** Address and port that the container connected to. Default port: 443. */
  readonly destination?: string;
  /** From the TLS handshake; null for plain HTTP. */
  readonly sni: string | null;
  /** The container's bytes, one write per piece. */
  readonly pieces: readonly (string | Uint8Array)[];
  /** The container closes its side after the last piece. */
  readonly hangUp?: boolean;
  /** The answers have no body, even with a length: those to HEAD. */
  readonly bodiless?: boolean;
  /** Answers to wait for. The connection is closed after the last. */
  readonly answers: number;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

/** Silence that shows that no further answer comes. */
const quietMs = 400;
/** Deadline for answers that have to come: many times what they take. */
const answerMs = 60_000;

/** Returns the final answers in order, and whether workerd closed the connection before all had arrived. */
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
    // Where no answer is expected, silence ends the wait.
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => finish(false), answers > 0 ? answerMs : quietMs);
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

/** Parses whole answers; `100 Continue` and other interim ones do not count. */
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

/** null: the body is not complete yet. */
function bodyLength(status: number, headers: string, after: string): number | null {
  if (status < 200 || status === 204) return 0;
  if (/^transfer-encoding: chunked/im.test(headers)) {
    const end = after.indexOf('0\r\n\r\n');
    return end === -1 ? null : end + 5;
  }
  const length = Number(/^content-length: (\d+)/im.exec(headers)?.[1] ?? 0);
  return after.length < length ? null : length;
}
