import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect as connectPlain, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCertificateAuthority, type CertificateAuthority } from './certificate-authority.ts';
import { createEgress } from './egress-forward.ts';
import { openGateway, type Gateway } from './gateway.ts';

const sandboxId = 'a'.repeat(64);
let folder: string;
let authority: CertificateAuthority;
let gateway: Gateway;
let egress: ReturnType<typeof createEgress>;
let worker: ReturnType<typeof createServer>;
/** Requests that the Worker received. */
let arrived: { line: string; headers: string[]; body: string }[];
let respond: (request: IncomingMessage, response: ServerResponse) => void;
let origin: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'airlock-gateway-'));
  arrived = [];
  respond = (_, response) => response.end('from the Worker');
  worker = createServer((request, response) => {
    const entry = { line: `${request.method} ${request.url}`, headers: request.rawHeaders, body: '' };
    arrived.push(entry);
    request.on('data', (chunk: Buffer) => (entry.body += chunk.toString('latin1')));
    respond(request, response);
  });
  await new Promise<void>((resolve) => worker.listen(0, '127.0.0.1', resolve));
  const address = worker.address();
  origin = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  authority = await createCertificateAuthority(Date.now());
  egress = createEgress(() => ({ origin, token: 'gateway-token' }));
  gateway = await openGateway({ sandboxId, folder, authority, egress });
});
afterEach(async () => {
  gateway.close();
  egress.close();
  worker.close();
  worker.closeAllConnections();
  await rm(folder, { recursive: true });
});

const plain = () => connectPlain(join(folder, 'http.sock'));
const secure = (servername: string | undefined) =>
  connectTls({
    path: join(folder, 'tls.sock'),
    ca: authority.certificatePem,
    ...(servername === undefined ? { rejectUnauthorized: false } : { servername }),
  });

/** Sends bytes and returns everything received until the peer closes. */
function exchange(socket: Socket, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
    socket.setTimeout(5_000, () => socket.destroy(new Error(`no end: ${answer}`)));
    socket.write(bytes);
  });
}

const valueOf = (headers: readonly string[] | undefined, name: string) =>
  headers?.find((_, at) => at % 2 === 1 && headers[at - 1]?.toLowerCase() === name);

describe('forwarding by the gateway', () => {
  it('sends a request to the Worker in proxy form, with the sandbox id and the SNI', async () => {
    const answer = await exchange(
      secure('api.example.com'),
      'POST /v1/x?y=%2e HTTP/1.1\r\nHost: API.example.com:443\r\nContent-Length: 4\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nAuthorization: own\r\n\r\nbody',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*from the Worker/);
    expect(arrived).toHaveLength(1);
    expect(arrived[0]).toMatchObject({ line: 'POST https://api.example.com/v1/x?y=%2e', body: 'body' });
    const headers = arrived[0]?.headers;
    expect(
      ['host', 'x-airlock-sandbox', 'x-airlock-token', 'x-airlock-sni', 'authorization', 'x-hop'].map(
        (name) => valueOf(headers, name),
      ),
    ).toEqual(['api.example.com', sandboxId, 'gateway-token', 'api.example.com', 'own', undefined]);
  });

  it('removes x-airlock headers that a sandbox sends', async () => {
    await exchange(
      plain(),
      'GET / HTTP/1.1\r\nHost: a.example\r\nX-Airlock-Sandbox: other\r\nx-airlock-token: t\r\nX-AIRLOCK-REFUSED: no\r\nConnection: close\r\n\r\n',
    );
    const headers = arrived[0]?.headers.join('\n').toLowerCase() ?? '';
    expect(headers.match(/x-airlock-/g)).toHaveLength(2);
    expect(headers).not.toContain('other');
  });

  it('keeps content-length and host even if the Connection header names them', async () => {
    await exchange(
      plain(),
      'POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\nConnection: close, content-length, host, x-airlock-token\r\n\r\nok',
    );
    expect(arrived).toHaveLength(1);
    expect(arrived[0]?.body).toBe('ok');
    expect(valueOf(arrived[0]?.headers, 'x-airlock-token')).toBe('gateway-token');
  });

  it('accepts an absolute request target that agrees with Host', async () => {
    await exchange(
      plain(),
      'GET http://a.example/p HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n',
    );
    expect(arrived[0]?.line).toBe('GET http://a.example/p');
  });

  it('answers Expect itself and does not forward it', async () => {
    const answer = await exchange(
      plain(),
      'POST / HTTP/1.1\r\nHost: a.example\r\nExpect: 100-continue\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 100 Continue/);
    expect(valueOf(arrived[0]?.headers, 'expect')).toBeUndefined();
  });

  it('streams the answer', async () => {
    let finish = () => {};
    respond = (_, response) => {
      response.write('first');
      finish = () => response.end('last');
    };
    const socket = secure('a.example');
    const parts: string[] = [];
    const done = exchange(socket, 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n');
    socket.on('data', (chunk: Buffer) => parts.push(chunk.toString()));
    await expect.poll(() => parts.join('')).toContain('first');
    finish();
    expect(await done).toContain('last');
  });

  it('aborts the answer when the Worker aborts it, so that it does not look complete', async () => {
    respond = (_, response) => {
      response.write('part');
      setTimeout(() => response.destroy(), 50);
    };
    const answer = await exchange(plain(), 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
    expect(answer).toContain('part');
    expect(answer).not.toMatch(/0\r\n\r\n$/);
  });

  it('answers 503 with retry-after while there is no Worker', async () => {
    origin = 'http://127.0.0.1:9';
    const answer = await exchange(plain(), 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 503 [^]*retry-after: 1\r\n/);
    expect(answer).not.toMatch(/ECONN|127\.0\.0\.1/);
  });

  it('removes connection-specific headers from the answer of the Worker', async () => {
    respond = (_, response) =>
      response.writeHead(200, { 'x-airlock-token': 'gateway-token', upgrade: 'x', 'x-kept': '1' }).end();
    const answer = await exchange(plain(), 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n');
    expect(answer).toContain('x-kept: 1');
    expect(answer).not.toMatch(/x-airlock|upgrade/i);
  });
});

describe('refusals by the gateway', () => {
  const rows: [what: string, code: string, sni: string | undefined | null, request: string, host: string][] =
    [
      ['no Host', 'host_missing', 'a.example', 'GET / HTTP/1.1\r\n\r\n', 'a.example'],
      [
        'two Hosts',
        'host_repeated',
        'a.example',
        'GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n',
        'a.example',
      ],
      [
        'the same Host twice',
        'host_repeated',
        null,
        'GET / HTTP/1.1\r\nHost: a.example\r\nHost: a.example\r\n\r\n',
        'unknown.invalid',
      ],
      [
        'a Host that differs from the SNI',
        'sni_mismatch',
        'a.example',
        'GET / HTTP/1.1\r\nHost: b.example\r\n\r\n',
        'b.example',
      ],
      [
        'a handshake without SNI',
        'sni_missing',
        undefined,
        'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n',
        'a.example',
      ],
      ['another port', 'host_port', null, 'GET / HTTP/1.1\r\nHost: a.example:8080\r\n\r\n', 'a.example'],
      [
        'the port of the other scheme',
        'host_port',
        'a.example',
        'GET / HTTP/1.1\r\nHost: a.example:80\r\n\r\n',
        'a.example',
      ],
      ['an empty port', 'host_port', null, 'GET / HTTP/1.1\r\nHost: a.example:\r\n\r\n', 'a.example'],
      [
        'a trailing dot',
        'host_invalid',
        null,
        'GET / HTTP/1.1\r\nHost: a.example.\r\n\r\n',
        'unknown.invalid',
      ],
      [
        'userinfo in Host',
        'host_invalid',
        null,
        'GET / HTTP/1.1\r\nHost: user@a.example\r\n\r\n',
        'unknown.invalid',
      ],
      ['an IPv6 address', 'host_invalid', null, 'GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n', 'unknown.invalid'],
      [
        'an absolute target for another host',
        'target_mismatch',
        null,
        'GET http://b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n',
        'a.example',
      ],
      [
        'an absolute target with userinfo',
        'target_mismatch',
        null,
        'GET http://u@a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n',
        'a.example',
      ],
      [
        'an absolute target with another scheme',
        'target_mismatch',
        'a.example',
        'GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n',
        'a.example',
      ],
      [
        'an absolute target with another port',
        'target_mismatch',
        null,
        'GET http://a.example:81/ HTTP/1.1\r\nHost: a.example\r\n\r\n',
        'a.example',
      ],
      ['an asterisk', 'target_invalid', null, 'OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n', 'a.example'],
      ['a fragment', 'target_invalid', null, 'GET /a#b HTTP/1.1\r\nHost: a.example\r\n\r\n', 'a.example'],
      [
        'a tunnel',
        'connect',
        null,
        'CONNECT b.example:443 HTTP/1.1\r\nHost: b.example:443\r\n\r\n',
        'b.example',
      ],
      [
        'a tunnel inside TLS',
        'connect',
        'a.example',
        'CONNECT b.example:443 HTTP/1.1\r\nHost: b.example\r\n\r\n',
        'a.example',
      ],
      [
        'a WebSocket',
        'upgrade',
        null,
        'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
        'a.example',
      ],
      [
        'HTTP/2 by upgrade',
        'upgrade',
        null,
        'GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: h2c\r\n\r\n',
        'a.example',
      ],
      ['HTTP/2 by prior knowledge', 'malformed', null, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'unknown.invalid'],
      [
        'two lengths',
        'malformed',
        'a.example',
        'POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx',
        'a.example',
      ],
      [
        'length and chunks',
        'malformed',
        null,
        'POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        'unknown.invalid',
      ],
      [
        'an unknown transfer coding',
        'malformed',
        null,
        'POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked, x\r\n\r\n0\r\n\r\n',
        'unknown.invalid',
      ],
      ['bare line feeds', 'malformed', null, 'GET / HTTP/1.1\nHost: a.example\n\n', 'unknown.invalid'],
      [
        'a folded header',
        'malformed',
        null,
        'GET / HTTP/1.1\r\nHost: a.example\r\nX: a\r\n b\r\n\r\n',
        'unknown.invalid',
      ],
      [
        'a space before the colon',
        'malformed',
        null,
        'GET / HTTP/1.1\r\nHost : a.example\r\n\r\n',
        'unknown.invalid',
      ],
      ['something that is not HTTP', 'malformed', null, 'SSH-2.0-OpenSSH_9.9\r\n', 'unknown.invalid'],
    ];

  it.each(rows)('refuses and reports %s (%s)', async (_, code, sni, request, host) => {
    const answer = await exchange(sni === null ? plain() : secure(sni), request);
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    const body: unknown = JSON.parse(answer.slice(answer.lastIndexOf('\r\n{') + 2));
    expect(body).toEqual({
      error: { message: 'the request was refused at the gateway', type: 'airlock', code },
    });
    await expect.poll(() => arrived.length).toBe(1);
    const [report] = arrived;
    expect(report?.line).toMatch(new RegExp(`^[A-Z]+ https?://${host}/$`));
    expect(valueOf(report?.headers, 'x-airlock-refused')).toBe(code);
    expect(valueOf(report?.headers, 'x-airlock-sandbox')).toBe(sandboxId);
  });

  it.each([
    ['CONNECT', 'CONNECT b.example:443 HTTP/1.1\r\nHost: b.example\r\n\r\n'],
    ['DELETE', 'DELETE / HTTP/1.1\r\nHost: a.example:99\r\n\r\n'],
    ['FROBNICATE', 'FROBNICATE / HTTP/1.1\r\nHost: a.example\r\n\r\n'],
    ['UNKNOWN', `${'A'.repeat(40)} / HTTP/1.1\r\nHost: a.example\r\n\r\n`],
  ])('reports the method that the sandbox sent: %s', async (method, request) => {
    await exchange(plain(), request);
    await expect.poll(() => arrived.length).toBe(1);
    expect(valueOf(arrived[0]?.headers, 'x-airlock-method')).toBe(method);
  });

  it('reports refusals of one sandbox while another floods', async () => {
    respond = () => undefined;
    const about = { code: 'connect', method: 'CONNECT', url: 'https://a.example/', sni: null } as const;
    for (let n = 0; n < 100; n++) egress.report({ ...about, sandboxId });
    egress.report({ ...about, sandboxId: 'b'.repeat(64) });
    const by = (id: string) =>
      arrived.filter(({ headers }) => valueOf(headers, 'x-airlock-sandbox') === id).length;
    await expect.poll(() => [by(sandboxId), by('b'.repeat(64))]).toEqual([32, 1]);
  });

  it('reads no further request from a connection after a refusal', async () => {
    const smuggled = 'GET /second HTTP/1.1\r\nHost: a.example\r\n\r\n';
    await exchange(plain(), `GET / HTTP/1.1\r\nHost: a.example:99\r\n\r\n${smuggled}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(arrived.map(({ line }) => line)).not.toContain('GET http://a.example/second');
  });

  it.each(['bad_name', '-a.example', 'a..example', '1.2.3.4:443', `${'a'.repeat(64)}.example`])(
    'refuses a TLS handshake for %s',
    async (servername) => {
      await expect(
        exchange(connectTls({ path: join(folder, 'tls.sock'), servername, rejectUnauthorized: false }), 'x'),
      ).rejects.toThrow(/socket|SSL|TLS|alert|ECONNRESET|disconnected/i);
      expect(arrived.every(({ headers }) => valueOf(headers, 'x-airlock-refused') !== undefined)).toBe(true);
    },
  );
});

describe('certificates of the gateway', () => {
  it('match the SNI and are signed by the authority of this sandbox only', async () => {
    const other = await createCertificateAuthority(Date.now());
    const socket = connectTls({
      path: join(folder, 'tls.sock'),
      servername: 'a.example',
      ca: other.certificatePem,
    });
    await expect(exchange(socket, 'x')).rejects.toThrow(/certificate|signature/);
    const trusted = secure('a.example');
    await new Promise((resolve) => trusted.once('secureConnect', resolve));
    expect(trusted.getPeerCertificate().subjectaltname).toBe('DNS:a.example');
    trusted.destroy();
  });

  it('are cached for a hundred names, and the least recently used one is evicted', async () => {
    const first = authority.contextFor('n0.example');
    for (let n = 1; n < 100; n++) void authority.contextFor(`n${n}.example`);
    expect(authority.contextFor('n0.example')).toBe(first);
    const second = authority.contextFor('n1.example');
    void authority.contextFor('n100.example');
    void authority.contextFor('n101.example');
    expect(authority.contextFor('n1.example')).toBe(second);
    expect(authority.contextFor('n0.example')).toBe(first);
    await Promise.all([first, second]);
  });

  it('are offered with HTTP/1.1, even to clients that prefer HTTP/2', async () => {
    const socket = connectTls({
      path: join(folder, 'tls.sock'),
      servername: 'a.example',
      ca: authority.certificatePem,
      ALPNProtocols: ['h2', 'http/1.1'],
    });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    expect(socket.alpnProtocol).toBe('http/1.1');
    socket.destroy();
  });
});
