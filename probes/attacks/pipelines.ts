/** Several requests on one connection, and requests hidden in the body of another (smuggling). */
import {
  allowed,
  but,
  decidedAs,
  denial,
  fetched,
  get,
  head,
  marker,
  packed,
  packType,
  plain,
  reachedRefs,
  refs,
  secure,
  wanted,
  workerdDecides,
  type Attack,
} from './attack.ts';

const github = 'Host: github.com';
const chunked = 'Transfer-Encoding: chunked';
const pack = (...headers: string[]) =>
  head('POST /acme/split-bill/git-upload-pack HTTP/1.1', github, packType, ...headers);
const fetchRefs = (...headers: string[]) => head(`GET ${refs} HTTP/1.1`, github, ...headers);
const strangerGet = head('GET / HTTP/1.1', 'Host: attacker.example');
/** What is smuggled: on GitHub's own connection, a push. */
const push = head(
  'POST /acme/split-bill.git/git-receive-pack HTTP/1.1',
  github,
  `X-Probe: ${marker}`,
  'Content-Length: 0',
);

export const pipelines: readonly Attack[] = [
  ...allowed('github.info-refs', reachedRefs, {
    'a Connection header that names the credential': but(
      get(refs, { headers: ['Connection: close, Authorization', 'Keep-Alive: x'] }),
      { inside: ['200, closed'] },
    ),
  }),
  ...decidedAs([fetched], {
    'a fetch in pieces of a few bytes': secure(
      (fetchRefs().match(/[^]{1,7}/g) ?? []).map((send) => ({ send })),
    ),
  }),
  ...decidedAs([fetched, fetched], {
    'two fetches down one connection': secure(fetchRefs() + fetchRefs()),
  }),
  ...decidedAs([fetched, denial('github.receive-pack')], {
    'a push behind a fetch on one connection': but(secure(fetchRefs() + push), {
      inside: ['200, 403 github.receive-pack, open', '200, 403 github.receive-pack, closed'],
    }),
  }),
  ...decidedAs([fetched, denial('host.not-granted')], {
    'another host behind a fetch over plain HTTP': plain(fetchRefs() + strangerGet),
  }),
  ...decidedAs([fetched], {
    'another host behind a fetch within TLS': but(secure(fetchRefs() + strangerGet), {
      gateway: 'sni_mismatch',
      reportedHost: 'attacker.example',
      workerd: workerdDecides(fetched, denial('host.not-granted')),
    }),
    'another host’s path behind a fetch within TLS': but(
      secure(fetchRefs() + head('GET /secret HTTP/1.1', 'Host: attacker.example')),
      {
        gateway: 'sni_mismatch',
        reportedHost: 'attacker.example',
        workerd: workerdDecides(fetched, denial('host.not-granted')),
      },
    ),
  }),
  ...decidedAs([packed, denial('github.repository')], {
    'a fetch of another repository behind the body of an allowed one': secure(
      `${pack(`Content-Length: ${wanted.length}`)}${wanted}${head(
        'GET /attacker/loot.git/info/refs?service=git-upload-pack HTTP/1.1',
        github,
      )}`,
    ),
  }),
  // The body must never become a request.
  ...decidedAs([denial('http.body')], {
    'a push in the body of an allowed GET': secure(fetchRefs(`Content-Length: ${push.length}`) + push),
    'a push in the chunks of an allowed GET': secure(
      `${fetchRefs(chunked)}${push.length.toString(16)}\r\n${push}\r\n0\r\n\r\n`,
    ),
    'a Connection header that names Content-Length': secure(
      fetchRefs('Connection: content-length, host', `Content-Length: ${push.length}`) + push,
    ),
    'a GET with a body': secure(`${fetchRefs('Content-Length: 6')}secret`),
  }),
  ...decidedAs([denial('github.path'), fetched], {
    'a push in the body of a denied request': secure(
      `${head('POST /attacker/loot HTTP/1.1', github, `Content-Length: ${push.length}`)}${push}${fetchRefs()}`,
    ),
    'a fetch behind a denied upload': secure(
      `${head('POST /attacker/loot HTTP/1.1', github, 'Content-Length: 6')}secret${fetchRefs()}`,
    ),
  }),
  ...decidedAs([denial('github.receive-pack')], {
    'another host in the trailers of a push': but(
      secure(
        `${head(
          'POST /acme/split-bill.git/git-receive-pack HTTP/1.1',
          github,
          chunked,
          'Trailer: Host',
        )}0\r\nHost: attacker.example\r\n\r\n`,
      ),
      { workerd: { statuses: [403, 501] } },
    ),
  }),
  ...decidedAs([packed], {
    'a credential in the trailers, which workerd reads as another request': but(
      secure(`${pack(chunked)}4\r\n0000\r\n0\r\nAuthorization: Basic eA==\r\n\r\n`),
      { workerd: { statuses: [200, 501], decisions: [packed], body: 4 } },
    ),
  }),
];
