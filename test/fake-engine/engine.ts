/**
 * A fake container engine: the part of Docker's HTTP API that workerd uses. A container is real processes
 * (`container.ts`). Keeps any other request in `unknown`, so that a test fails with a reason.
 */
import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { z } from 'zod';
import type { CertificateAuthority } from '../../host/sandbox/certificate-authority.ts';
import { createContainer, type FakeContainer, type FakeNetwork } from './container.ts';
import { createExecutions } from './exec.ts';
import { readBody } from './http-parts.ts';
import { startSidecar, type FakeSidecar } from './sidecar.ts';

const creation = z.looseObject({ Image: z.string(), Env: z.array(z.string()).nullish() });

interface Entry {
  readonly name: string;
  readonly image: string;
  status: 'created' | 'running' | 'exited';
  exitCode: number;
  readonly container: FakeContainer | null;
  sidecar: FakeSidecar | null;
  readonly waiting: Set<() => void>;
}

export interface FakeEngine {
  /** For miniflare's `containerEngine`. */
  readonly socketPath: string;
  /** Requests that the fake does not implement. */
  readonly unknown: readonly string[];
  /** The running container of a Durable Object, by the object's id. */
  container(objectId: string): FakeContainer | null;
  /** The port on which workerd takes that container's traffic. */
  egressPort(objectId: string): number | null;
  /** Names of the existing containers. */
  containers(): readonly string[];
  /** Names of those that run: one that has ended is the platform’s to remove. */
  running(): readonly string[];
  /** Containers started for that object so far. */
  starts(objectId: string): number;
  /** Programs started in containers through the engine so far. */
  programs(): number;
  /** Drops the next request to end it without an answer; later ones work. Resolves when it came. */
  hangNextEnd(objectId: string): Promise<void>;
  /** Refuses the next start of a container; later ones work. */
  refuseNextStart(): void;
  /** Later containers get no authority, as without interception; servers wait for `waitMs`. */
  stopIntercepting(waitMs: number): void;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly json?: unknown;
  readonly bytes?: Buffer;
}

const sidecarSuffix = '-proxy';

/** The containers of `TaskSandbox` for Miniflare: an image with the SDK's server, or one without. */
export const fakeContainers = {
  sdk: { imageName: 'airlock/sandbox:test' },
  native: { images: [{ name: 'base', image: 'airlock/base:test' }] },
};

export interface EngineOptions {
  /** Each request and its body, for debugging. */
  readonly log?: (line: string) => void;
  /** Gives the containers a network and the product's image; this authority intercepts their traffic. */
  readonly authority?: CertificateAuthority;
}

export async function startEngine({ log, authority }: EngineOptions = {}): Promise<FakeEngine> {
  const entries = new Map<string, Entry>();
  const unknown: string[] = [];
  const socket = join(tmpdir(), `airlock-engine-${process.pid}-${Math.random().toString(36).slice(2)}.sock`);
  const executions = createExecutions();
  const started: string[] = [];
  let isRefusing = false;
  let authorityMs: number | null = null;
  /** Called when it arrived, by the name of the container. */
  const hanging = new Map<string, () => void>();

  const partner = (name: string) => entries.get(name.slice(0, -sidecarSuffix.length));
  const find = (objectId: string, sidecar: boolean) =>
    [...entries.values()].find(
      ({ name }) => name.includes(objectId) && name.endsWith(sidecarSuffix) === sidecar,
    );

  async function start(entry: Entry): Promise<Answer> {
    if (entry.name.endsWith(sidecarSuffix)) {
      const control = () => partner(entry.name)?.container?.controlSocket ?? null;
      entry.sidecar ??= await startSidecar(control, authority?.certificatePem);
      entry.status = 'running';
      return { status: 204 };
    }
    if (isRefusing) {
      isRefusing = false;
      return { status: 500, json: { message: 'the container cannot be started' } };
    }
    started.push(entry.name);
    entry.status = 'running';
    entry.container?.start((exitCode) => {
      entry.exitCode = exitCode;
      stopped(entry);
    });
    return { status: 204 };
  }

  function stopped(entry: Entry): void {
    entry.status = 'exited';
    for (const done of entry.waiting) done();
    entry.waiting.clear();
  }

  async function remove(entry: Entry): Promise<void> {
    entries.delete(entry.name);
    entry.sidecar?.close();
    await entry.container?.remove();
    stopped(entry);
  }

  async function answer(request: IncomingMessage): Promise<Answer> {
    const body = await readBody(request);
    const url = new URL(request.url ?? '/', 'http://engine');
    const route = `${request.method} ${url.pathname}`;
    log?.(`${request.method} ${request.url} ${body.length < 2000 ? body.toString('latin1') : body.length}`);
    if (route === 'GET /networks/bridge')
      return {
        status: 200,
        json: { Name: 'bridge', IPAM: { Config: [{ Subnet: '127.0.0.0/8', Gateway: '127.0.0.1' }] } },
      };
    if (route === 'GET /volumes') return { status: 200, json: { Volumes: [] } };
    if (route === 'POST /containers/create') {
      const name = url.searchParams.get('name') ?? '';
      if (entries.has(name)) return { status: 409, json: { message: 'the name is taken' } };
      const egressPort = () => entries.get(`${name}${sidecarSuffix}`)?.sidecar?.egressPort() ?? null;
      const network = authority === undefined ? null : { authority, egressPort };
      const { Image, Env } = creation.parse(JSON.parse(body.toString()));
      const env = [...(Env ?? []), ...(authorityMs === null ? [] : [`AUTHORITY_MS=${authorityMs}`])];
      entries.set(name, await entryOf(name, { Image, Env: env }, network));
      return { status: 201, json: { Id: name } };
    }
    const executed = executions.answer(request.method ?? '', url.pathname);
    if (executed !== null) return executed;
    const [, name = '', action = ''] = /^\/containers\/([^/]+)(?:\/(\w+))?$/.exec(url.pathname) ?? [];
    const entry = entries.get(name);
    const hang = endsContainer(request.method, action) ? hanging.get(name) : undefined;
    if (hang !== undefined) {
      hanging.delete(name);
      hang();
      return await new Promise<never>(() => undefined);
    }
    if (name !== '' && entry === undefined) return { status: 404, json: { message: 'no such container' } };
    if (entry !== undefined)
      switch (`${request.method} ${action}`) {
        case 'GET json':
          return { status: 200, json: description(entry) };
        case 'POST start':
          return await start(entry);
        case 'POST wait':
          if (entry.status !== 'exited') await new Promise<void>((resolve) => entry.waiting.add(resolve));
          return { status: 200, json: { StatusCode: entry.exitCode } };
        case 'POST kill':
        case 'POST stop':
          await entry.container?.kill();
          if (entry.container === null) stopped(entry);
          return { status: 204 };
        case 'PUT archive':
          if (url.searchParams.get('path') !== '/etc' || entry.container === null) break;
          if (authorityMs === null) await extract(body, entry.container.etc);
          return { status: 200 };
        case 'POST exec':
          if (entry.container === null || entry.status !== 'running')
            return { status: 409, json: { message: `container ${name} is not running` } };
          return await executions.create(entry.container, body.toString());
        case 'DELETE ':
          await remove(entry);
          return { status: 204 };
        default:
      }
    unknown.push(route);
    return { status: 404, json: { message: 'this engine does not know that' } };
  }

  const server = createServer((request, response) => {
    void answer(request).then(
      ({ status, json, bytes }) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(bytes ?? (json === undefined ? '' : JSON.stringify(json)));
      },
      (error: unknown) => {
        unknown.push(`${request.method} ${request.url}: ${String(error)}`);
        response.writeHead(500).end('{}');
      },
    );
  });
  server.on('upgrade', (request: IncomingMessage, client: Duplex, head: Buffer) => {
    log?.(`UPGRADE ${request.method} ${request.url}`);
    executions.upgrade(request, client, head);
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    socketPath: `unix:${socket}`,
    unknown,
    container: (objectId) => find(objectId, false)?.container ?? null,
    egressPort: (objectId) => find(objectId, true)?.sidecar?.egressPort() ?? null,
    containers: () => [...entries.keys()].filter((name) => !name.endsWith(sidecarSuffix)),
    running: () =>
      [...entries.values()].flatMap(({ name, status }) =>
        status === 'running' && !name.endsWith(sidecarSuffix) ? [name] : [],
      ),
    async hangNextEnd(objectId) {
      const entry = find(objectId, false);
      if (entry === undefined) throw new Error('there is no such container');
      await new Promise<void>((resolve) => hanging.set(entry.name, resolve));
    },
    programs: () => executions.count(),
    refuseNextStart() {
      isRefusing = true;
    },
    stopIntercepting(waitMs) {
      authorityMs = waitMs;
    },
    starts: (objectId) => started.filter((name) => name.includes(objectId)).length,
    async close() {
      await Promise.all([...entries.values()].map(async (entry) => await remove(entry)));
      server.close();
      server.closeAllConnections();
      await rm(socket, { force: true });
    },
  };
}

const endsContainer = (method = '', action: string): boolean =>
  ['POST kill', 'POST stop', 'DELETE '].includes(`${method} ${action}`);

async function entryOf(
  name: string,
  { Image, Env }: z.infer<typeof creation>,
  network: FakeNetwork | null,
): Promise<Entry> {
  const env = Object.fromEntries(
    (Env ?? []).map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
  const container = name.endsWith(sidecarSuffix)
    ? null
    : await createContainer(env, Image.startsWith('airlock/base:') ? 'plain' : 'sdk', network);
  return { name, image: Image, status: 'created', exitCode: 0, container, sidecar: null, waiting: new Set() };
}

function description({ image, status, exitCode, sidecar }: Entry) {
  const ports =
    sidecar === null ? {} : { '39001/tcp': [{ HostIp: '127.0.0.1', HostPort: String(sidecar.ingressPort) }] };
  return {
    State: { Status: status, Running: status === 'running', ExitCode: exitCode },
    Config: { Image: image },
    NetworkSettings: { Ports: ports },
  };
}

/** workerd writes only the interceptor's authority into a container: `cloudflare/certs/…`. */
async function extract(archive: Buffer, folder: string): Promise<void> {
  const tar = spawn('tar', ['-x', '-C', folder, 'cloudflare'], { stdio: ['pipe', 'ignore', 'inherit'] });
  tar.stdin.end(archive);
  await new Promise((resolve) => tar.once('close', resolve));
}
