/**
 * Describes what the platform gives a sandbox, for the operator: a first deployment shows what no document
 * says. Nothing here ends a task. `open` is a door that only a local Docker engine leaves open.
 */
import { createSocket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';

export interface PlatformFinding {
  readonly name: string;
  readonly got: string;
  readonly open: boolean;
}

const silenceMs = 1_500;
/** The control port of the local engine's interceptor, which shares the container's network. */
const interceptorPort = 39_001;
/** `time.cloudflare.com`. */
const timeServer = '162.159.200.1';

export async function describePlatform(): Promise<PlatformFinding[]> {
  const status = await readFile('/proc/1/status', 'utf8').catch(() => '');
  const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? 'unknown';
  const seen = (name: string, got: string) => ({ name, got: got.slice(0, 200), open: false });
  return [
    seen('PID 1', field('Name')),
    seen('CapEff of PID 1', field('CapEff')),
    ...(await Promise.all([
      answerOf('1.1.1.1', 853, '').then((got) => seen('TCP port 853', got)),
      answerOf('127.0.0.1', interceptorPort, get).then((got) => door('the interceptor’s control port', got)),
      datagramAnswer(timeServer, 123).then((got) => door('UDP port 123', got)),
      ...neighbours().map(async (address) =>
        door(`port 3000 of ${address}`, await answerOf(address, 3000, get)),
      ),
    ])),
  ];
}

const get = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
const answered = 'answers';

const door = (name: string, got: string): PlatformFinding => ({ name, got, open: got === answered });

/** Whether a port connects, and whether something behind it answers a greeting. */
export async function answerOf(address: string, port: number, greeting: string): Promise<string> {
  return await new Promise((resolve) => {
    const socket = connect({ host: address, port });
    let connected = false;
    const end = (got: string) => {
      resolve(connected && got !== answered ? `connects, then ${got}` : got);
      socket.destroy();
    };
    const timer = setTimeout(() => setImmediate(end, 'no answer'), silenceMs);
    socket.once('connect', () => {
      connected = true;
      socket.write(greeting);
    });
    socket.once('data', () => end(answered));
    socket.once('error', (error) => end('code' in error ? String(error.code) : error.message));
    socket.once('close', () => {
      clearTimeout(timer);
      end('closed');
    });
  });
}

/** Sends a request for the time, the smallest that a public server answers. */
export async function datagramAnswer(address: string, port: number): Promise<string> {
  return await new Promise((resolve) => {
    const socket = createSocket('udp4');
    const end = (got: string) => {
      clearTimeout(timer);
      resolve(got);
      socket.close();
    };
    const timer = setTimeout(() => setImmediate(end, 'no answer'), silenceMs);
    socket.once('message', () => end(answered));
    socket.once('error', (error) => end('code' in error ? String(error.code) : error.message));
    const request = Buffer.alloc(48);
    request[0] = 0x1b;
    // Connected, so that a closed port is reported. A callback of `connect` would get its error, too.
    socket.once('connect', () => socket.send(request));
    socket.connect(port, address);
  });
}

/** The next addresses of the same network, where a local engine puts other sandboxes. */
export function neighbours(interfaces = networkInterfaces()): string[] {
  const own = Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address);
  const next = own.flatMap((address) => {
    const [, network = '', host = ''] = /^(.+\.)(\d+)$/.exec(address) ?? [];
    return [-2, -1, 1, 2].map((step) => Number(host) + step).map((number) => [network, number] as const);
  });
  return next
    .filter(([, number]) => number > 0 && number < 255)
    .map(([network, number]) => `${network}${number}`)
    .filter((address) => !own.includes(address))
    .slice(0, 8);
}
