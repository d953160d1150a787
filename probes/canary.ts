/**
 * The attacker's host: listens on the loopback interface outside the sandbox, over TCP, HTTP, HTTPS, UDP and
 * Unix sockets, and counts everything that reaches it. Answers, so that a probe that gets through notices.
 * Reaches itself at its start, so that a count of zero means something.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import type { SecureContext } from 'node:tls';
import { join } from 'node:path';
import { createCertificateAuthority } from '../host/sandbox/certificate-authority.ts';
import { parseHostname } from '../host/sandbox/hostname.ts';
import type { CanaryPlace } from './probe.ts';

export interface Reached {
  readonly connections: number;
  readonly bytes: number;
  readonly datagrams: number;
}

export interface Canary extends CanaryPlace {
  /** Signs its certificates, for clients that have to reach it. */
  readonly caFile: string;
  /** Well-known ports that were free and that this user may bind, in addition to the others. */
  readonly wellKnownPorts: readonly number[];
  reached(): Reached;
  close(): Promise<void>;
}

const wellKnown = [80, 443, 8080];
/** Programs of a desktop listen here too. A name that is taken is as good. */
const abstractNames = ['/tmp/.X11-unix/X0', '/run/dbus/system_bus_socket', '/run/systemd/private'];

export async function startCanary(): Promise<Canary> {
  const folder = await mkdtemp(join(tmpdir(), 'airlock-canary-'));
  const count = { connections: 0, bytes: 0, datagrams: 0 };
  const servers: Server[] = [];
  const open = new Set<Socket>();
  const authority = await createCertificateAuthority(Date.now());
  const caFile = join(folder, 'ca.pem');
  const file = join(folder, 'a-file-of-the-host');
  const socketFile = join(folder, 'socket');
  await Promise.all([
    chmod(folder, 0o755),
    writeFile(caFile, authority.certificatePem),
    writeFile(file, 'a file of the host', { mode: 0o644 }),
  ]);

  function counted<T extends Server>(server: T): T {
    servers.push(server);
    server.on('connection', (socket) => {
      count.connections += 1;
      open.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        open.delete(socket);
        count.bytes += socket.bytesRead;
      });
    });
    return server;
  }
  async function present(
    name: string,
    done: (error: Error | null, context?: SecureContext) => void,
  ): Promise<void> {
    try {
      done(null, await authority.contextFor(parseHostname(name) ?? 'no-name.invalid'));
    } catch {
      done(new Error('no certificate'));
    }
  }
  const plain = () => counted(createServer((socket) => socket.end('this is the canary\n')));
  const http = counted(
    createHttpServer(
      (request, response) => void request.resume().on('end', () => response.end('this is the canary\n')),
    ),
  );
  const https = counted(
    createHttpsServer(
      {
        ...authority.withoutServerName,
        SNICallback: (name, done) => void present(name, done),
      },
      (request, response) => void request.resume().on('end', () => response.end('this is the canary\n')),
    ),
  );
  const abstractName = `airlock-canary-${randomBytes(6).toString('hex')}`;
  const udp = createSocket('udp4', (datagram) => {
    count.datagrams += 1;
    count.bytes += datagram.length;
  });
  await new Promise<void>((resolve, reject) => {
    udp.once('error', reject);
    udp.bind(0, '127.0.0.1', () => resolve());
  });

  const [tcpPort, httpPort, httpsPort] = await Promise.all([
    listenOn(plain(), 0, '127.0.0.1'),
    listenOn(http, 0, '127.0.0.1'),
    listenOn(https, 0, '127.0.0.1'),
  ]);
  // A machine without IPv6 has no such address, and a port can be taken.
  const tcp6Port = await listenOn(plain(), 0, '::1').catch(() => null);
  const wellKnownPorts: number[] = [];
  for (const port of wellKnown) {
    if ((await listenOn(plain(), port, '127.0.0.1').catch(() => null)) !== null) wellKnownPorts.push(port);
  }
  const listen = async (path: string) => void (await once(plain().listen(path), 'listening'));
  await Promise.all([listen(socketFile), listen(`\0${abstractName}`)]);
  await chmod(socketFile, 0o777);
  await Promise.all(abstractNames.map(async (name) => await listen(`\0${name}`).catch(() => undefined)));
  await reachItself();

  async function reachItself(): Promise<void> {
    const doors: readonly NetConnectOpts[] = [
      ...[tcpPort, httpPort, httpsPort].map((port) => ({ port, host: '127.0.0.1' })),
      ...(tcp6Port === null ? [] : [{ port: tcp6Port, host: '::1' }]),
      ...[socketFile, `\0${abstractName}`].map((path) => ({ path })),
    ];
    for (const door of doors) {
      const socket = connect(door);
      await once(socket, 'connect');
      await once(socket.resume().end(), 'close');
    }
    const sender = createSocket('udp4');
    const arrived = once(udp, 'message');
    sender.send('x', udp.address().port, '127.0.0.1');
    await arrived;
    sender.close();
    if (count.connections !== doors.length || count.datagrams !== 1)
      throw new Error('the canary does not count');
    Object.assign(count, { connections: 0, bytes: 0, datagrams: 0 });
  }

  return {
    httpPort,
    httpsPort,
    tcpPort,
    tcp6Port,
    udpPort: udp.address().port,
    abstractName,
    file,
    socketFile,
    pid: process.pid,
    caFile,
    wellKnownPorts,
    reached: () => ({
      ...count,
      bytes: count.bytes + [...open].reduce((sum, { bytesRead }) => sum + bytesRead, 0),
    }),
    async close() {
      udp.close();
      for (const socket of open) socket.destroy();
      await Promise.all(
        servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
      );
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function listenOn(server: Server, port: number, address: string): Promise<number> {
  await once(server.listen(port, address), 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  return bound.port;
}
