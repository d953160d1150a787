/**
 * One request whose length or end could be read in two ways: conflicting lengths, odd codings, broken
 * headers.
 */
import {
  but,
  decidedAs,
  denial,
  denied,
  fetched,
  head,
  marker,
  packed,
  packType,
  plain,
  refs,
  secure,
  workerdAnswers,
  workerdDecides,
  type Attack,
  type BytePieces,
  type Expect,
} from './attack.ts';
import { sends, validRequest } from './openai-request.ts';

const github = 'Host: github.com';
const chunked = 'Transfer-Encoding: chunked';
const post = (...headers: string[]) => head('POST / HTTP/1.1', github, ...headers);
const pack = (...headers: string[]) =>
  head('POST /acme/split-bill/git-upload-pack HTTP/1.1', github, packType, ...headers);
const fetchRefs = (...headers: string[]) => head(`GET ${refs} HTTP/1.1`, github, ...headers);
/** What is smuggled: on GitHub's own connection, a push. */
const push = head(
  'POST /acme/split-bill.git/git-receive-pack HTTP/1.1',
  github,
  `X-Probe: ${marker}`,
  'Content-Length: 0',
);
const valid = { text: JSON.stringify(validRequest()) };
const gone = workerdAnswers(500);
const badRequest = workerdAnswers(400);
const tooLarge = workerdAnswers(431);
const unanswered = workerdAnswers();
const deniedPath = workerdDecides(denial('github.path'));
const malformed = (
  workerd: NonNullable<Expect['workerd']>,
  pieces: BytePieces,
  more: Pick<Expect, 'inside' | 'sdk'> = {},
) => but(pieces, { gateway: 'malformed', workerd, ...more });

export const framing: readonly Attack[] = [
  ...denied(
    'http.content-length',
    {
      'two lengths in one header': but(sends(valid, 'Content-Length: 5, 6'), {
        workerd: workerdAnswers(500),
      }),
      'a length and chunks at the model': sends(valid, 'Content-Length: 5', chunked),
      'a length with a sign at the model': but(sends(valid, 'Content-Length: +5'), {
        workerd: workerdAnswers(500),
      }),
      'a length in hexadecimal at the model': but(sends(valid, 'Content-Length: 0x5'), {
        workerd: workerdAnswers(500),
      }),
      'an empty length': but(sends(valid, 'Content-Length: '), {
        workerd: workerdDecides(denial('openai.json')),
      }),
    },
    { gateway: 'malformed' },
  ),
  ...denied(
    'http.transfer-encoding',
    {
      'gzip and chunked': but(sends(valid, 'Transfer-Encoding: gzip, chunked'), {
        workerd: workerdAnswers(500),
      }),
      'chunked twice': sends(valid, 'Transfer-Encoding: chunked, chunked'),
      'identity as the coding': but(sends(valid, 'Transfer-Encoding: identity'), {
        workerd: workerdAnswers(500),
      }),
    },
    { gateway: 'malformed' },
  ),

  ...decidedAs([], {
    'two lengths': malformed(
      gone,
      secure(post('Content-Length: 0', `Content-Length: ${push.length}`) + push),
    ),
    'two lengths and a body': malformed(gone, secure(`${post('Content-Length: 1', 'Content-Length: 2')}xx`)),
    'two lengths of a pack': malformed(
      gone,
      secure(`${pack('Content-Length: 5', 'Content-Length: 6')}secret`),
    ),
    'the same length twice': malformed(gone, secure(`${post('Content-Length: 1', 'Content-Length: 1')}x`)),
    'the same length twice in one header': malformed(gone, secure(`${pack('Content-Length: 6, 6')}secret`)),
    'a length and chunks (CL.TE)': malformed(
      workerdDecides(denial('http.content-length'), denial('github.receive-pack')),
      secure(`${post('Content-Length: 5', chunked)}0\r\n\r\n${push}`),
    ),
    'chunks and a length (TE.CL)': malformed(
      workerdDecides(denial('http.content-length'), denial('github.receive-pack')),
      secure(`${post(chunked, 'Content-Length: 5')}0\r\n\r\n${push}`),
    ),
    'a length and chunks over plain HTTP': malformed(
      workerdDecides(denial('http.content-length')),
      plain(`${post('Content-Length: 4', chunked)}0\r\n\r\n`),
    ),
    'a length and chunks of a pack, and a request behind them': malformed(
      workerdDecides(denial('http.content-length'), denial('github.path')),
      secure(`${pack('Content-Length: 4', chunked)}0\r\n\r\n${head('GET /attacker/loot HTTP/1.1', github)}`),
    ),
    'a length with a sign': malformed(gone, secure(post('Content-Length: +0'))),
    'a length with a sign of a pack': malformed(gone, secure(`${pack('Content-Length: +6')}secret`)),
    'a length in hexadecimal': malformed(gone, secure(post('Content-Length: 0x5'))),
    'a length with a letter': malformed(gone, secure(`${pack('Content-Length: 6x')}secret`)),
    'a negative length': malformed(gone, secure(`${pack('Content-Length: -1')}secret`)),
    'a coding behind chunked': malformed(
      gone,
      secure(`${post('Transfer-Encoding: chunked, identity')}0\r\n\r\n`),
    ),
    'an unknown coding behind chunked': malformed(
      gone,
      plain(`${post('Transfer-Encoding: chunked, x')}0\r\n\r\n`),
    ),
    'a coding that looks like chunked': malformed(
      gone,
      secure(`${post('Transfer-Encoding: xchunked')}0\r\n\r\n`),
    ),
    'a coding that looks like chunked of a pack': malformed(
      gone,
      secure(`${pack('Transfer-Encoding: xchunked')}6\r\nsecret\r\n0\r\n\r\n`),
    ),
    'two headers with codings': malformed(
      gone,
      secure(`${pack(chunked, 'Transfer-Encoding: identity')}6\r\nsecret\r\n0\r\n\r\n`),
    ),
    'a space before the colon of the coding': malformed(
      badRequest,
      secure(`${post('Transfer-Encoding : chunked')}0\r\n\r\n`),
    ),
    'a space before the colon of the coding, and a length': malformed(
      badRequest,
      secure(`${pack('Transfer-Encoding : chunked', 'Content-Length: 3')}0\r\n`),
    ),
    'a space before the colon of Host': malformed(
      badRequest,
      plain('GET / HTTP/1.1\r\nHost : github.com\r\n\r\n'),
    ),
    'chunks in HTTP/1.0': malformed(
      workerdDecides(denial('github.path'), denial('github.receive-pack')),
      secure(`${head('POST / HTTP/1.0', github, chunked)}0\r\n\r\n${push}`),
      {
        inside: [
          '400 malformed, closed',
          '403 github.path, closed',
          '403 github.path, 400 malformed, closed',
        ],
      },
    ),
    'a chunk size that overflows': malformed(
      deniedPath,
      secure(`${post(chunked)}fffffffffffffffff\r\n\r\n`),
      {
        inside: [
          '400 malformed, closed',
          '403 github.path, 400 malformed, closed',
          '403 github.path, closed',
          '502 internal, closed',
        ],
      },
    ),
    'chunks ended by bare line feeds': malformed(deniedPath, secure(`${post(chunked)}0\n\n`), {
      inside: ['400 malformed, closed', '403 github.path, 400 malformed, closed', '403 github.path, closed'],
    }),
    'chunks whose size is no number': malformed(
      { statuses: [200], decisions: [packed], body: 0 },
      secure(`${pack(chunked)}zz\r\nsecret\r\n0\r\n\r\n`),
    ),
    'lines ended by bare line feeds': malformed(deniedPath, secure('GET / HTTP/1.1\nHost: github.com\n\n')),
    'lines ended by bare line feeds over plain HTTP': malformed(
      deniedPath,
      plain('GET / HTTP/1.1\nHost: github.com\n\n'),
    ),
    'a bare carriage return in a value': malformed(
      workerdDecides(denial('url.characters')),
      secure(head('GET / HTTP/1.1', github, 'X: a\rHost: attacker.example')),
      { sdk: gone },
    ),
    'a bare carriage return that would start a credential': malformed(
      workerdDecides(fetched),
      secure(fetchRefs('User-Agent: a\rAuthorization: Basic eA==')),
    ),
    'a bare line feed that would start a header': malformed(
      workerdDecides(fetched),
      secure(fetchRefs('User-Agent: a\nX-Injected: b')),
    ),
    'a NUL in a value': malformed(badRequest, secure(head('GET / HTTP/1.1', github, 'X: a\0b'))),
    'a NUL in a value at the start of a fetch': malformed(badRequest, secure(fetchRefs('User-Agent: a\0b'))),
    'a folded line that hides a header': malformed(
      badRequest,
      secure(head('GET / HTTP/1.1', github, 'X: a', ' Host: attacker.example')),
    ),
    'a folded line that hides a credential': malformed(
      badRequest,
      secure(fetchRefs('X-A: b', '\tAuthorization: Basic eA==')),
    ),
    'a folded line over plain HTTP': malformed(
      badRequest,
      plain(head('GET / HTTP/1.1', github, 'X: a', ' b')),
    ),
    'a header without a name': malformed(badRequest, secure(fetchRefs(': x'))),
    'a header in the path': but(
      secure(`GET ${refs} HTTP/1.1\r\nX: y HTTP/1.1\r\nHost: github.com\r\nHost: attacker.example\r\n\r\n`),
      { gateway: 'host_repeated', workerd: workerdDecides(denial('url.characters')), sdk: gone },
    ),
    'a header of 100 KB': malformed(
      workerdDecides(denial('github.path')),
      secure([
        { send: 'GET / HTTP/1.1\r\nHost: github.com\r\nX: ' },
        { sendRepeated: 'a', times: 100_000 },
        { send: '\r\n\r\n' },
      ]),
      { inside: ['400 malformed, closed', 'closed'] },
    ),
    'a header of 300 KB without an end': malformed(
      tooLarge,
      secure([{ send: `GET ${refs} HTTP/1.1\r\nX: ` }, { sendRepeated: 'x', times: 300_000 }]),
      { inside: ['400 malformed, closed', 'closed'] },
    ),
    'twenty thousand headers': malformed(
      workerdDecides(denial('github.path')),
      secure([
        { send: 'GET / HTTP/1.1\r\nHost: github.com\r\n' },
        { sendRepeated: 'X: y\r\n', times: 20_000 },
        { send: '\r\n' },
      ]),
      { inside: ['400 malformed, closed', 'closed'] },
    ),
    'bytes that are no HTTP': malformed(
      unanswered,
      plain('\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u00fc\u0003\u0003'),
    ),
    'the greeting of SSH': malformed(unanswered, plain('SSH-2.0-OpenSSH_9.9\r\n'), {
      inside: ['closed', 'ECONNRESET', '400 malformed, closed'],
    }),
    'a request that ends in its head': but(
      secure([{ send: 'GET /acme/split-bill.git/info/re' }, { end: true }]),
      { workerd: unanswered, inside: ['closed'] },
    ),
    'bytes that are no HTTP, and then the end': but(
      secure([{ send: '\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u00fc\u0003\u0003' }, { end: true }]),
      { workerd: unanswered, inside: ['400 malformed, closed', 'closed'] },
    ),
  }),
];
