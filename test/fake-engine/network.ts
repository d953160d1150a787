/**
 * The network of a fake container: every name resolves, every connection is accepted, and dropped at once
 * unless it is to port 80 or 443. Usage:
 * node network.ts <interceptor's socket> <file to make when ready> <program> <arguments…>
 */
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { answerQuery } from '../../host/sandbox/sinkhole-dns.ts';

const [interceptor, readyFile, program, ...args] = process.argv.slice(2);
if (interceptor === undefined || readyFile === undefined || program === undefined)
  throw new Error('usage: network.ts SOCKET FILE PROGRAM ARGUMENTS');

/** The real one accepts on every port; these are those that programs and probes ask for. */
const droppedPorts = [
  21, 22, 23, 25, 53, 110, 143, 465, 587, 853, 993, 1080, 3128, 3306, 5432, 6379, 8080, 8443, 9418, 11_211,
];

// Makes every address local. Without the program, no address is reachable.
spawnSync('ip', ['route', 'add', 'local', '0.0.0.0/0', 'dev', 'lo']);
await Promise.all([
  intercept(80, interceptor),
  intercept(443, interceptor),
  ...droppedPorts.map(acceptAndDrop),
  answerNames(),
]);

writeFileSync(readyFile, '');
const child = spawn(program, args, { stdio: 'inherit' });
child.once('exit', (code) => process.exit(code ?? 137));

/** Listens in a namespace of its own, where every port is free unless it is the container's. */
function acceptAndDrop(port: number): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.destroy();
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '0.0.0.0', () => resolve());
  });
}

function intercept(port: number, socketPath: string): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, (inside) => {
    const outside = connect({ path: socketPath, allowHalfOpen: true });
    outside.write(`${inside.localAddress ?? ''}:${port}\n`);
    inside.pipe(outside);
    outside.pipe(inside);
    inside.on('error', () => outside.destroy());
    outside.on('error', () => inside.destroy());
    inside.on('close', () => outside.destroy());
    outside.on('close', () => inside.destroy());
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '0.0.0.0', () => resolve());
  });
}

function answerNames(): Promise<void> {
  const socket = createSocket('udp4', (datagram, sender) => {
    const answer = answerQuery(datagram);
    if (answer !== null) socket.send(answer, sender.port, sender.address, () => undefined);
  });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(53, '127.0.0.1', () => resolve());
  });
}
