import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openGatewayBench, valueOf, type GatewayBench } from '../../test/sandbox/gateway-bench.ts';
import { createCertificateAuthority } from './certificate-authority.ts';

let bench: GatewayBench;
let sandboxId: string;
/** Requests that the Worker received. */
let arrived: GatewayBench['arrived'];
beforeEach(async () => {
  bench = await openGatewayBench();
  ({ sandboxId, arrived } = bench);
});
afterEach(async () => await bench.close());

const plain = () => bench.plain();
const secure = (servername: string) => bench.secure(servername);

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
    bench.respond = (_, response) => {
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
    bench.respond = (_, response) => {
      response.write('part');
      setTimeout(() => response.destroy(), 50);
    };
    const answer = await exchange(plain(), 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
    expect(answer).toContain('part');
    expect(answer).not.toMatch(/0\r\n\r\n$/);
  });

  it('answers 503 with retry-after while there is no Worker', async () => {
    bench.origin = 'http://127.0.0.1:9';
    const answer = await exchange(plain(), 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 503 [^]*retry-after: 1\r\n/);
    expect(answer).not.toMatch(/ECONN|127\.0\.0\.1/);
  });

  it.each([400, 501, 500])(
    'passes on no answer %s that workerd gave by itself, and reports it',
    async (status) => {
      bench.respond = (request, response) => {
        if (valueOf(request.rawHeaders, 'x-airlock-refused') === undefined)
          response.removeHeader('x-airlock-handled');
        response.writeHead(status).end('of workerd');
      };
      const answer = await exchange(
        plain(),
        'GET /p HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n',
      );
      expect(answer).toMatch(/^HTTP\/1\.1 503 /);
      expect(answer).not.toContain('of workerd');
      await expect
        .poll(() => arrived.map(({ line }) => line))
        .toEqual(['GET http://a.example/p', 'GET http://a.example/']);
      expect(valueOf(arrived[1]?.headers, 'x-airlock-refused')).toBe('unhandled');
    },
  );

  it('removes connection-specific headers from the answer of the Worker', async () => {
    bench.respond = (_, response) =>
      response.writeHead(200, { 'x-airlock-token': 'gateway-token', upgrade: 'x', 'x-kept': '1' }).end();
    const answer = await exchange(plain(), 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n');
    expect(answer).toContain('x-kept: 1');
    expect(answer).not.toMatch(/x-airlock|upgrade/i);
  });
});

describe('refusals by the gateway', () => {
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
    const held: (() => void)[] = [];
    bench.respond = (_, answer) => void held.push(() => answer.end());
    const about = { code: 'connect', method: 'CONNECT', url: 'https://a.example/', sni: null } as const;
    for (let n = 0; n < 100; n++) bench.egress.report({ ...about, sandboxId });
    bench.egress.report({ ...about, sandboxId: 'b'.repeat(64) });
    const by = (id: string) =>
      arrived.filter(({ headers }) => valueOf(headers, 'x-airlock-sandbox') === id).length;
    await expect.poll(() => [by(sandboxId), by('b'.repeat(64))]).toEqual([32, 1]);
    // What was not reported is counted by the next report.
    bench.respond = (_, answer) => void answer.end();
    for (const answer of held) answer();
    const counted = () =>
      arrived
        .filter(({ headers }) => valueOf(headers, 'x-airlock-sandbox') === sandboxId)
        .reduce((sum, { headers }) => sum + 1 + Number(valueOf(headers, 'x-airlock-more') ?? 0), 0);
    await expect.poll(counted).toBe(100);
  });

  it('reads no further request from a connection after a refusal', async () => {
    const smuggled = 'GET /second HTTP/1.1\r\nHost: a.example\r\n\r\n';
    await exchange(plain(), `GET / HTTP/1.1\r\nHost: a.example:99\r\n\r\n${smuggled}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(arrived.map(({ line }) => line)).not.toContain('GET http://a.example/second');
  });
});

describe('certificates of the gateway', () => {
  it('match the SNI and are signed by the authority of this sandbox only', async () => {
    const other = await createCertificateAuthority(Date.now());
    const socket = connectTls({
      path: bench.tlsPath,
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
    const first = bench.authority.contextFor('n0.example');
    for (let n = 1; n < 100; n++) void bench.authority.contextFor(`n${n}.example`);
    expect(bench.authority.contextFor('n0.example')).toBe(first);
    const second = bench.authority.contextFor('n1.example');
    void bench.authority.contextFor('n100.example');
    void bench.authority.contextFor('n101.example');
    expect(bench.authority.contextFor('n1.example')).toBe(second);
    expect(bench.authority.contextFor('n0.example')).toBe(first);
    await Promise.all([first, second]);
  });

  it('are offered with HTTP/1.1, even to clients that prefer HTTP/2', async () => {
    const socket = connectTls({
      path: bench.tlsPath,
      servername: 'a.example',
      ca: bench.authority.certificatePem,
      ALPNProtocols: ['h2', 'http/1.1'],
    });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    expect(socket.alpnProtocol).toBe('http/1.1');
    socket.destroy();
  });
});
