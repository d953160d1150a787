/**
 * Runs in one sandbox's outer namespaces: forwards ports 80 and 443 to the gateway's sockets, answers DNS,
 * and starts the inner namespaces. Arguments: their user id (`self`), then their command line. Writes `ready`
 * to descriptor 3.
 */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { openSync, writeSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { closeInheritedDescriptors } from './inherited-descriptors.ts';
import { answerQuery } from './sinkhole-dns.ts';

const [runAs, bwrap, ...args] = process.argv.slice(2);
if (runAs === undefined || bwrap === undefined) throw new Error('usage: supervisor RUN_AS BWRAP ARGUMENTS');

/** Per port, as in the gateway. */
const maxConnections = 256;
const readyDescriptor = 3;

// Whatever the program that started Airlock had open would otherwise reach every process of the sandbox.
closeInheritedDescriptors(readyDescriptor);

// Started first, because it takes longest. Nothing inside connects before the listeners are ready.
const inner = spawn(bwrap, args, {
  // Descriptor 3 is the seccomp filter, as the arguments in `layout.ts` say.
  stdio: ['inherit', 'inherit', 'inherit', openSync('/airlock/etc/seccomp.bpf', 'r')],
  env: {},
  ...(runAs === 'self' ? {} : { uid: Number(runAs), gid: Number(runAs) }),
});
inner.on('error', (error) => end(`cannot start the inner namespaces: ${error.message}`));
inner.on('exit', (code, signal) => end(`the inner namespaces ended: ${code ?? signal}`));

void Promise.all([
  forward(443, '/airlock/gateway/tls.sock'),
  forward(80, '/airlock/gateway/http.sock'),
  answerNames(),
]).then(() => writeSync(readyDescriptor, 'ready\n'));

function end(why: string): never {
  process.stderr.write(`${why}\n`);
  process.exit(1);
}

function forward(port: number, socketPath: string): Promise<void> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (inside) => {
    const gateway = connect({ path: socketPath, allowHalfOpen: true });
    inside.pipe(gateway);
    gateway.pipe(inside);
    inside.on('error', () => gateway.destroy());
    gateway.on('error', () => inside.destroy());
    inside.on('close', () => gateway.destroy());
    gateway.on('close', () => inside.destroy());
  });
  server.maxConnections = maxConnections;
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(port, '127.0.0.1', () => resolve());
  });
}

function answerNames(): Promise<void> {
  const socket = createSocket('udp4', (datagram, sender) => {
    const answer = answerQuery(datagram);
    // Errors are ignored: the resolver repeats a query that got no answer.
    if (answer !== null) socket.send(answer, sender.port, sender.address, () => undefined);
  });
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.bind(53, '127.0.0.1', () => resolve());
  });
}
