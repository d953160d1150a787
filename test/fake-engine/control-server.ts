/**
 * Stand-in for the server of the SDK's image: what the adapter uses of the `rpc` transport of
 * `@cloudflare/sandbox` 0.12.10, with real commands. Usage: node control-server.ts <socket>
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { constants } from 'node:os';
import { RpcSession, RpcTarget } from 'capnweb';
import { WebSocketServer } from 'ws';
import { maxMessageBytes, transportOver } from './rpc-transport.ts';

/** The SDK's value for “no session”, the only one with `enableDefaultSession: false`. */
const noSession = '__DISABLE_SESSION__';
const authority = '/etc/cloudflare/certs/cloudflare-containers-ca.crt';
const authorityVariables = [
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'CURL_CA_BUNDLE',
  'REQUESTS_CA_BUNDLE',
  'GIT_SSL_CAINFO',
];

/** Reports failures as the real server does: the SDK's client rebuilds its typed errors from the JSON. */
function refusal(code: string, message: string): Error {
  return new Error(JSON.stringify({ code, message, context: {} }));
}

function requireNoSession(sessionId: string): void {
  if (sessionId !== noSession) throw refusal('INTERNAL_ERROR', 'this stand-in knows no sessions');
}

interface ExecuteOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

class Commands extends RpcTarget {
  /** Ends with the shell and every holder of its outputs. Like the real one, kills nothing. */
  async execute(command: string, sessionId: string, options: ExecuteOptions = {}) {
    requireNoSession(sessionId);
    const child = spawn('/bin/bash', ['-c', command], {
      cwd: options.cwd ?? '/workspace',
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [stdout, stderr, exitCode] = await Promise.all([
      collected(child.stdout),
      collected(child.stderr),
      new Promise<number>((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code, signal) =>
          resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
        );
      }),
    ]);
    const timestamp = new Date().toISOString();
    return { success: exitCode === 0, exitCode, stdout, stderr, command, timestamp };
  }
}

class Files extends RpcTarget {
  async writeFile(path: string, content: string, sessionId: string, options: { encoding?: string } = {}) {
    requireNoSession(sessionId);
    try {
      await writeFile(path, content, options.encoding === 'base64' ? 'base64' : 'utf8');
    } catch (error) {
      throw refusal('FILESYSTEM_ERROR', String(error));
    }
    return { success: true, path, timestamp: new Date().toISOString() };
  }
}

class Utils extends RpcTarget {
  ping() {
    return 'pong';
  }
  getVersion() {
    return '0.12.10';
  }
}

class ControlServer extends RpcTarget {
  get commands() {
    return new Commands();
  }
  get files() {
    return new Files();
  }
  get utils() {
    return new Utils();
  }
}

async function collected(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Uint8Array[] = [];
  stream.on('data', (chunk: Uint8Array) => chunks.push(chunk));
  await new Promise((resolve) => stream.once('close', resolve));
  return Buffer.concat(chunks).toString();
}

/** Like the real one: after it listens; exits if there is no authority after five seconds. */
function watchForAuthority(): void {
  const last = setTimeout(() => process.exit(1), Number(process.env['AUTHORITY_MS'] ?? 5_000));
  const timer = setInterval(() => {
    if (!existsSync(authority)) return;
    for (const name of authorityVariables) process.env[name] = authority;
    clearInterval(timer);
    clearTimeout(last);
  }, 30);
}

const [socket] = process.argv.slice(2);
if (socket === undefined) throw new Error('usage: control-server.ts <socket>');
const sessions = new Set<RpcSession>();
const sockets = new WebSocketServer({ noServer: true, maxPayload: maxMessageBytes });
const server = createServer((_request, response) => response.end('ok'));
server.on('upgrade', (request, connection, head) => {
  if (request.url !== '/rpc') {
    connection.end('HTTP/1.1 404 Not Found\r\n\r\n');
    return;
  }
  sockets.handleUpgrade(request, connection, head, (webSocket) => {
    sessions.add(new RpcSession(transportOver(webSocket), new ControlServer()));
  });
});
server.listen(socket);
if (process.env['SANDBOX_INTERCEPT_HTTPS'] === '1') watchForAuthority();
