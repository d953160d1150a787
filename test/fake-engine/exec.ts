/**
 * The part of Docker's HTTP API that starts programs in containers, `exec`, for `engine.ts`: a program's
 * streams are one connection, its outputs frames of a type, three zeros and a length.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { constants } from 'node:os';
import { PassThrough, type Duplex } from 'node:stream';
import { setTimeout as later } from 'node:timers/promises';
import { z } from 'zod';
import type { FakeContainer } from './container.ts';
import { NotStarted, type Execution, type Inside } from './enter.ts';

const creation = z.looseObject({
  Cmd: z.array(z.string()).min(1),
  Env: z.array(z.string()).nullish(),
  WorkingDir: z.string().nullish(),
  User: z.string().nullish(),
});

interface Started {
  readonly child: Inside;
  /** Buffered from the start: Node drops what a program wrote and nobody read when it exits. */
  readonly outputs: readonly [PassThrough, PassThrough];
  exitCode: number | null;
}

interface Answer {
  readonly status: number;
  readonly json?: unknown;
}

/** Docker waits that long for programs that still hold the outputs of one that has ended. */
const heldMs = 2_000;

export interface Executions {
  count(): number;
  create(container: FakeContainer, body: string): Promise<Answer>;
  /** null: not a route of an execution. */
  answer(method: string, path: string): Answer | null;
  /** Connects the streams of a started program with a connection that asked for an upgrade. */
  upgrade(request: IncomingMessage, client: Duplex, head: Buffer): void;
}

export function createExecutions(): Executions {
  const all = new Map<string, Started>();
  const find = (path: string) => {
    const [, id = '', action = ''] = /^\/exec\/([^/]+)\/(\w+)$/.exec(path) ?? [];
    return { started: all.get(id), action };
  };
  return {
    count: () => all.size,

    async create(container, body) {
      try {
        const child = await container.enter(executionOf(creation.parse(JSON.parse(body))));
        const outputs = [child.stdout.pipe(new PassThrough()), child.stderr.pipe(new PassThrough())] as const;
        const started: Started = { child, outputs, exitCode: null };
        // Docker starts a program with its first connection; nothing can tell the difference.
        void exitCodeOf(child).then((exitCode) => (started.exitCode = exitCode));
        const id = Math.random().toString(36).slice(2);
        all.set(id, started);
        return { status: 201, json: { Id: id } };
      } catch (error) {
        if (!(error instanceof NotStarted)) throw error;
        return { status: 400, json: { message: error.message } };
      }
    },

    answer(method, path) {
      const { started, action } = find(path);
      if (started === undefined) return null;
      if (`${method} ${action}` === 'GET json') {
        const Running = started.exitCode === null;
        return {
          status: 200,
          json: { Running, ExitCode: started.exitCode, Pid: Running ? started.child.pid : 0 },
        };
      }
      if (`${method} ${action}` !== 'POST start') return null;
      // Without an upgrade: detached.
      started.child.stdin.end();
      for (const output of started.outputs) output.resume();
      return { status: 200 };
    },

    upgrade(request, client, head) {
      const { started, action } = find(request.url ?? '');
      client.on('error', () => client.destroy());
      if (started === undefined || action !== 'start')
        client.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
      else void connectStreams(started, request, client, head);
    },
  };
}

/** workerd starts each program through a shell that keeps its process id in a file. */
function executionOf({ Cmd, Env, WorkingDir, User }: z.infer<typeof creation>): Execution {
  const env = (Env ?? []).map((pair) => {
    const at = pair.indexOf('=');
    return [pair.slice(0, at), pair.slice(at + 1)] as const;
  });
  const isWrapped = Cmd[0] === '/bin/sh' && Cmd[2]?.includes('/tmp/.workerd-exec-') === true;
  const needs = isWrapped ? Cmd[4] : undefined;
  return {
    argv: Cmd,
    env: Object.fromEntries(env),
    ...(needs === undefined ? {} : { needs }),
    ...(WorkingDir ? { cwd: WorkingDir } : {}),
    ...(User ? { user: User } : {}),
  };
}

async function connectStreams(
  { child, outputs }: Started,
  request: IncomingMessage,
  client: Duplex,
  head: Buffer,
): Promise<void> {
  await skipBody(request, client, head);
  client.write(
    'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n',
  );
  client.pipe(child.stdin);
  for (const [at, output] of outputs.entries())
    output.on('data', (chunk: Buffer) => {
      const frame = Buffer.alloc(8);
      frame[0] = at + 1;
      frame.writeUInt32BE(chunk.length, 4);
      if (client.write(Buffer.concat([frame, chunk]))) return;
      output.pause();
      client.once('drain', () => output.resume());
    });
  const ended = Promise.all(outputs.map(async (output) => void (await once(output, 'end'))));
  await exitCodeOf(child);
  await Promise.race([ended, later(heldMs, undefined, { ref: false })]);
  client.end();
}

/** The request's body says how to connect. Node delivers it as such, or before the upgraded bytes. */
async function skipBody(request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
  const length = Number(request.headers['content-length'] ?? 0);
  let received = head;
  await new Promise<void>((resolve) => {
    const more = (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length >= length) resolve();
    };
    client.on('data', more);
    request.on('data', more);
    more(Buffer.alloc(0));
    client.once('close', resolve);
  });
  client.pause();
  client.removeAllListeners('data');
  if (received.length > length) client.unshift(received.subarray(length));
}

/** 128 + signal when killed. */
export async function exitCodeOf(child: ChildProcess): Promise<number> {
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
  if (child.exitCode === null && child.signalCode === null) await ended;
  const { exitCode, signalCode } = child;
  return exitCode ?? (signalCode === null ? 126 : 128 + constants.signals[signalCode]);
}
