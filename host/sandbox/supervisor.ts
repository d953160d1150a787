/**
 * Runs in the outer namespaces of one sandbox, beside an empty network: forwards ports 80 and 443 to the gateway's sockets, answers DNS,
 * and starts the inner namespaces, whose standard input and output are its own. It looks into no byte of what it forwards.
 *
 * Arguments: the user id to run the inner part as (`self` for its own), then the inner part's command line.
 * Descriptor 3: it writes `ready` there once it listens.
 */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { openSync, writeSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { answerQuery } from './sinkhole-dns.ts';

const [runAs, bwrap, ...args] = process.argv.slice(2);
if (runAs === undefined || bwrap === undefined) throw new Error('usage: supervisor RUN_AS BWRAP ARGUMENTS');

/** Per port. The gateway has the same bound. */
const maxConnections = 256;
const readyDescriptor = 3;

// First, because it takes longest; until the listeners stand nothing inside asks for them.
const inner = spawn(bwrap, args, {
  // The last is the filter of system calls, at the number that the arguments name.
  stdio: ['inherit', 'inherit', 'inherit', openSync('/airlock/etc/seccomp.bpf', 'r')],
  env: {},
  ...(runAs === 'self' ? {} : { uid: Number(runAs), gid: Number(runAs) }),
});
inner.on('error', (error) => end(`cannot start the inner namespaces: ${error.message}`));
inner.on('exit', (code, signal) => end(`the inner namespaces ended: ${code ?? signal}`));

await Promise.all([
  forward(443, '/airlock/gateway/tls.sock'),
  forward(80, '/airlock/gateway/http.sock'),
  answerNames(),
]);
writeSync(readyDescriptor, 'ready\n');

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
    // A lost answer is asked for again; there is nothing else to do about it.
    if (answer !== null) socket.send(answer, sender.port, sender.address, () => undefined);
  });
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.bind(53, '127.0.0.1', () => resolve());
  });
}
