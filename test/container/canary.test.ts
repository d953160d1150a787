/** Tests the canary's probes against servers that answer, refuse, stay silent, or accept and then drop. */
import { createSocket } from 'node:dgram';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { isRefusal, probeAddress, probeClosedPort, probeUrl } from '../../container/canary-probes.ts';
import { answerOf, datagramAnswer, describePlatform, neighbours } from '../../container/platform.ts';
import { createCertificateAuthority } from '../../host/sandbox/certificate-authority.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket.on('error', () => undefined));
  });
  closing.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** A port that nothing listens on. */
async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const tlsServer = async () =>
  createTlsServer({ ...(await createCertificateAuthority(Date.now())).withoutServerName });

describe('a port that must be closed', () => {
  it.each<[string, () => Promise<number>]>([
    ['refuses the connection', freePort],
    ['accepts and drops at once', async () => await listen(createServer((socket) => socket.destroy()))],
    ['accepts and resets', async () => await listen(createServer((socket) => socket.resetAndDestroy()))],
    ['accepts and ends', async () => await listen(createServer((socket) => socket.end()))],
    [
      'accepts and drops once it got the greeting',
      async () => await listen(createServer((socket) => socket.once('data', () => socket.destroy()))),
    ],
    ['accepts and stays silent', async () => await listen(createServer(() => undefined))],
  ])('is as expected when it %s', async (_, port) => {
    expect(await probeClosedPort('127.0.0.1', await port(), 300)).toMatchObject({ result: 'expected' });
  });

  it.each<[string, () => Promise<Server>]>([
    ['completes a TLS handshake', tlsServer],
    [
      'answers the greeting with something else',
      async () => createServer((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 \r\n\r\n'))),
    ],
    ['greets first', async () => createServer((socket) => socket.write('220 mail.example ESMTP\r\n'))],
    [
      'answers one byte and resets',
      async () =>
        createServer((socket) =>
          socket.once('data', () => socket.write('x', () => setTimeout(() => socket.resetAndDestroy(), 200))),
        ),
    ],
  ])('is open when it %s', async (_, server) => {
    expect(await probeClosedPort('127.0.0.1', await listen(await server()), 30_000)).toMatchObject({
      result: 'wrong',
    });
  });
});

const refusal = JSON.stringify({ error: { type: 'airlock_egress', code: 'host.not-granted' } });
const answers: [what: string, listener: RequestListener, byName: string, byAddress?: string][] = [
  ['the refusal of the handler', (_, response) => response.writeHead(403).end(refusal), 'expected'],
  ['a page of somebody else', (_, response) => response.end('<html>'), 'wrong'],
  ['a refusal by somebody else', (_, response) => response.writeHead(403).end('no'), 'wrong'],
  ['an error of somebody else', (_, response) => response.writeHead(502).end('bad gateway'), 'wrong'],
  ['a redirect', (_, response) => response.writeHead(302, { location: '/x' }).end(), 'wrong'],
  [
    'the gateway’s word that the Worker cannot be reached',
    (_, response) => response.writeHead(503).end(JSON.stringify({ error: { type: 'airlock' } })),
    'unanswered',
  ],
  ['no answer in time', () => undefined, 'unanswered', 'expected'],
  ['a dropped connection', (incoming) => incoming.socket.destroy(), 'unanswered', 'expected'],
  ['a reset connection', (incoming) => incoming.socket.resetAndDestroy(), 'unanswered', 'expected'],
  ['an ended connection', (incoming) => incoming.socket.end(), 'unanswered', 'expected'],
  [
    'the beginning of an answer',
    (incoming) => incoming.socket.write('HTTP/1.1 403', () => incoming.socket.resetAndDestroy()),
    'unanswered',
  ],
];

/** Short where no answer comes anyway; elsewhere longer than any busy machine needs. */
const waitMs = (what: string) => (what === 'no answer in time' ? 1_000 : 30_000);

describe('a forbidden request', () => {
  it.each(answers)('by name that gets %s', async (what, listener, result) => {
    const port = await listen(createHttpServer(listener));
    expect(await probeUrl(`http://127.0.0.1:${port}/`, isRefusal, waitMs(what))).toMatchObject({ result });
  });

  it.each(answers)('by address that gets %s', async (what, listener, byName, byAddress = byName) => {
    const port = await listen(createHttpServer(listener));
    expect(await probeAddress('127.0.0.1', { port, timeoutMs: waitMs(what) })).toMatchObject({
      result: byAddress,
    });
  });

  it('by name is unanswered when the connection is refused, by address as expected', async () => {
    const port = await freePort();
    expect(await probeUrl(`http://127.0.0.1:${port}/`, isRefusal)).toMatchObject({ result: 'unanswered' });
    expect(await probeAddress('127.0.0.1', { port })).toMatchObject({ result: 'expected' });
  });

  it('is wrong when a certificate of somebody else comes back', async () => {
    const port = await listen(await tlsServer());
    expect(await probeUrl(`https://127.0.0.1:${port}/`, isRefusal)).toMatchObject({ result: 'wrong' });
  });

  it.each(['by name', 'by address'])('is wrong when something else than HTTP answers %s', async (how) => {
    const port = await listen(
      createServer((socket) => socket.once('data', () => socket.end('hello\r\n\r\n'))),
    );
    const probed =
      how === 'by name'
        ? await probeUrl(`http://127.0.0.1:${port}/`, isRefusal)
        : await probeAddress('127.0.0.1', { port });
    expect(probed).toMatchObject({ result: 'wrong' });
  });
});

describe('the description of the platform', () => {
  it.each<[string, () => Promise<number>, string]>([
    ['refuses', freePort, 'ECONNREFUSED'],
    ['drops', async () => await listen(createServer((socket) => socket.end())), 'connects, then closed'],
    ['is silent', async () => await listen(createServer(() => undefined)), 'connects, then no answer'],
    ['answers', async () => await listen(createServer((socket) => socket.write('x'))), 'answers'],
  ])('tells a port that %s', async (_, port, got) => {
    expect(await answerOf('127.0.0.1', await port(), 'hello')).toBe(got);
  });

  it('tells a datagram that is answered from one that nobody takes', async () => {
    const server = createSocket('udp4', (_, { port, address }) => server.send('x', port, address));
    await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
    const { port } = server.address();
    expect(await datagramAnswer('127.0.0.1', port)).toBe('answers');
    await new Promise<void>((resolve) => server.close(() => resolve()));
    expect(await datagramAnswer('127.0.0.1', port)).toBe('ECONNREFUSED');
    // Fails at once, as every address in a sandbox without a route.
    expect(await datagramAnswer('255.255.255.255', port)).toBe('EACCES');
  });

  it('looks for neighbours next to its own addresses, never at itself', () => {
    const [own] = networkInterfaces()['lo'] ?? [];
    if (own === undefined) throw new Error('no loopback interface');
    const bridge = { ...own, family: 'IPv4', internal: false } as const;
    const eth0 = [{ ...bridge, address: '172.17.0.2', cidr: null }];
    expect(neighbours({ eth0 })).toEqual(['172.17.0.1', '172.17.0.3', '172.17.0.4']);
    expect(neighbours({ lo: [{ ...bridge, address: '127.0.0.1', cidr: null, internal: true }] })).toEqual([]);
  });

  it('names the first process, its capabilities and port 853', async () => {
    const found = new Map((await describePlatform()).map(({ name, got }) => [name, got]));
    expect(found.get('CapEff of PID 1')).toMatch(/^[0-9a-f]{16}$/);
    expect([...found.keys()]).toEqual(expect.arrayContaining(['PID 1', 'TCP port 853']));
  });
});
