/** A local sandbox host behind the Worker's adapter, with a fake of the Worker's egress socket. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSandboxHost, type SandboxEvent, type SandboxHost } from '../../host/sandbox/host.ts';
import { localSandboxes } from '../../src/sandbox/local.ts';
import type { Sandboxes } from '../../src/core/ports/sandbox-port.ts';

export interface SeenRequest {
  readonly method: string;
  /** The absolute URL of the request line. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface LocalSubject {
  readonly sandboxes: Sandboxes;
  readonly host: SandboxHost;
  readonly seen: SeenRequest[];
  readonly events: SandboxEvent[];
  readonly stateDir: string;
  /** Kills the sandbox's init from inside, which looks to the host like any other loss. */
  takeAway(sandboxId: string): Promise<void>;
  close(): Promise<void>;
}

/** The secret by which the gateway authenticates to the Worker. */
export const gatewayToken = 'gateway-token';

/** Answers every request with `upstream says <method> <url>`, unless `respond` is given. */
export async function localSubject(
  options: { respond?: RequestListener; maxSandboxes?: number; stateDir?: string } = {},
): Promise<LocalSubject> {
  const seen: SeenRequest[] = [];
  const egress = await listen((request, response) => {
    response.setHeader('x-airlock-handled', '1');
    if (options.respond !== undefined) {
      options.respond(request, response);
      return;
    }
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
    request.on('end', () => {
      seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
      response.end(`upstream says ${request.method} ${request.url}`);
    });
  });
  const stateDir = options.stateDir ?? (await mkdtemp(join(tmpdir(), 'airlock-test-')));
  const events: SandboxEvent[] = [];
  const host = await startSandboxHost({
    stateDir,
    egress: () => ({ origin: egress.origin, token: gatewayToken }),
    log: (event) => events.push(event),
    limits: { maxSandboxes: options.maxSandboxes ?? 8 },
  });
  const sandboxes = localSandboxes(
    { fetch: async (url, init) => await host.handle(new Request(url, init)) },
    (taskId) => createHash('sha256').update(taskId).digest('hex'),
  );
  return {
    host,
    seen,
    events,
    stateDir,
    sandboxes,
    async takeAway(sandboxId) {
      const command = { argv: ['/bin/sh', '-c', 'kill -9 $PPID; sleep 5'] };
      const limits = { timeoutMs: 10_000, maxOutputBytes: 0 };
      await sandboxes
        .get(sandboxId)
        .exec(command, limits)
        .catch(() => undefined);
    },
    async close() {
      await host.close();
      egress.close();
      if (options.stateDir === undefined) await rm(stateDir, { recursive: true, force: true });
    },
  };
}

export async function listen(
  listener: RequestListener,
): Promise<{ origin: string; port: number; close(): void }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
