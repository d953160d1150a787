/**
 * A fake interceptor: terminates a container's TLS, and passes the bytes to workerd by HTTP CONNECT with
 * destination and SNI. Like the real one without `close_notify` (cloudflare/containers#220).
 */
import { connect, createServer, type Socket } from 'node:net';
import { TLSSocket, type SecureContext } from 'node:tls';
import type { Duplex } from 'node:stream';
import type { CertificateAuthority } from '../../host/sandbox/certificate-authority.ts';

export interface Interceptor {
  close(): void;
}

/** From `network.ts` on `socketPath`. `egressPort`: workerd's port; null before it is known. */
export async function startInterceptor(
  socketPath: string,
  authority: CertificateAuthority,
  egressPort: () => number | null,
): Promise<Interceptor> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    void firstLine(socket)
      .then(async (destination) => {
        const port = egressPort();
        if (port === null) throw new Error('workerd does not listen yet');
        if (!destination.endsWith(':443')) return await pass(socket, null, destination, port);
        const tls = await endTls(socket, authority);
        const name = typeof tls.servername === 'string' && tls.servername !== '' ? tls.servername : null;
        await pass(tls, name, destination, port);
      })
      .catch(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

/** Reads byte by byte, to leave everything behind the line to the next reader. */
async function firstLine(socket: Socket): Promise<string> {
  let line = '';
  for (;;) {
    const byte: unknown = socket.read(1);
    if (!(byte instanceof Buffer)) {
      await new Promise<void>((resolve, reject) => {
        socket.once('readable', resolve);
        socket.once('close', () => reject(new Error('closed')));
      });
      continue;
    }
    if (byte[0] === 10) return line;
    line += byte.toString('latin1');
    if (line.length > 1000) throw new Error('no destination');
  }
}

async function endTls(socket: Socket, authority: CertificateAuthority): Promise<TLSSocket> {
  async function present(
    name: string,
    done: (error: Error | null, context?: SecureContext) => void,
  ): Promise<void> {
    try {
      done(null, await authority.contextFor(name));
    } catch {
      done(new Error('no certificate'));
    }
  }
  const tls = new TLSSocket(socket, {
    isServer: true,
    ...authority.withoutServerName,
    SNICallback: (name, done) => void present(name, done),
    ALPNProtocols: ['http/1.1'],
  });
  await new Promise<void>((resolve, reject) => {
    tls.once('secure', () => resolve());
    tls.once('error', reject);
    tls.once('close', () => reject(new Error('closed')));
  });
  return tls;
}

async function pass(inside: Duplex, sni: string | null, destination: string, port: number): Promise<void> {
  const worker = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  const named = sni === null ? [] : [`X-Tls-Sni: ${sni}`, `X-Hostname: ${sni}`];
  const opening = [`CONNECT ${destination} HTTP/1.1`, `Host: ${destination}`, 'X-Proto: tcp', ...named];
  worker.write(`${opening.join('\r\n')}\r\n\r\n`);
  worker.on('error', () => inside.destroy());
  inside.on('error', () => worker.destroy());
  inside.on('close', () => worker.destroy());
  await pastHead(worker);
  inside.pipe(worker);
  worker.pipe(inside, { end: false });
  // Flushes the written bytes, then ends the connection without a TLS alert.
  worker.once('end', () => inside.write('', () => inside.destroy()));
  worker.once('close', () => inside.write('', () => inside.destroy()));
}

async function pastHead(worker: Socket): Promise<void> {
  let head = '';
  while (!head.endsWith('\r\n\r\n')) {
    const line = await firstLine(worker);
    head += `${line}\n`;
    if (head === `${line}\n` && !line.startsWith('HTTP/1.1 2'))
      throw new Error('workerd refused the connection');
  }
}
