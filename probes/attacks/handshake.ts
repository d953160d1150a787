/**
 * `Host` headers and TLS handshakes, byte for byte: missing, repeated, odd, or in disagreement with each
 * other.
 */
import {
  allowance,
  but,
  decidedAs,
  denial,
  denied,
  fetched,
  get,
  head,
  plain,
  refs,
  secure,
  workerdAnswers,
  workerdDecides,
  type Attack,
} from './attack.ts';

const stranger = 'attacker.example';
const alone = (line: string, ...headers: string[]) => secure(head(line, ...headers));
const github = 'Host: github.com';
const h2 = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const unanswered = workerdAnswers();
const refused = workerdDecides(denial('url.characters'));
/** The SDK's proxy makes a URL of it, and fails. */
const gone = workerdAnswers(500);
const notGranted = denial('host.not-granted');
const mismatch = denial('url.host-mismatch');

export const handshake: readonly Attack[] = [
  ...decidedAs([], {
    'two Host headers': but(alone('GET / HTTP/1.1', github, `Host: ${stranger}`), {
      gateway: 'host_repeated',
      workerd: refused,
      sdk: gone,
    }),
    'two Host headers at the start of a fetch': but(
      alone(`GET ${refs} HTTP/1.1`, github, `Host: ${stranger}`),
      { gateway: 'host_repeated', workerd: refused, sdk: gone },
    ),
    'the same Host twice': but(alone(`GET ${refs} HTTP/1.1`, github, github), {
      gateway: 'host_repeated',
      workerd: refused,
      sdk: gone,
    }),
    'the same Host twice over plain HTTP': but(plain(head('GET / HTTP/1.1', github, github)), {
      gateway: 'host_repeated',
      workerd: refused,
      sdk: gone,
    }),
    'no Host': but(alone('GET / HTTP/1.1'), {
      gateway: 'host_missing',
      workerd: workerdDecides(notGranted),
    }),
    'no Host at the start of a fetch': but(alone(`GET ${refs} HTTP/1.1`), {
      gateway: 'host_missing',
      workerd: workerdDecides(notGranted),
    }),
    'an empty Host': but(alone(`GET ${refs} HTTP/1.1`, 'Host:'), {
      gateway: 'host_invalid',
      workerd: workerdDecides(notGranted),
    }),
    'HTTP/1.0 without a Host': but(alone('GET / HTTP/1.0'), {
      gateway: 'host_missing',
      workerd: workerdDecides(notGranted),
    }),
    'HTTP/1.0 without a Host at the start of a fetch': but(alone(`GET ${refs} HTTP/1.0`), {
      gateway: 'host_missing',
      workerd: workerdDecides(notGranted),
    }),
    'HTTP/0.9': but(plain('GET /\r\n\r\n'), {
      gateway: 'host_missing',
      inside: ['400 malformed, closed', '400 host_missing, closed'],
      workerd: workerdDecides(denial('host.not-granted')),
    }),
    'a user in Host': but(alone('GET / HTTP/1.1', `Host: github.com@${stranger}`), {
      gateway: 'host_invalid',
      workerd: workerdDecides(denial('url.userinfo')),
    }),
    'two names in Host': but(alone('GET / HTTP/1.1', `Host: github.com, ${stranger}`), {
      gateway: 'host_invalid',
      workerd: refused,
      sdk: gone,
    }),
    'a path in Host': but(alone(`GET ${refs} HTTP/1.1`, `Host: github.com/../${stranger}`), {
      gateway: 'host_invalid',
      workerd: workerdDecides(mismatch),
    }),
    'a byte beyond ASCII in Host': but(alone('GET / HTTP/1.1', 'Host: g\u00ecthub.com'), {
      gateway: 'host_invalid',
      workerd: refused,
      sdk: gone,
    }),
    'another sandbox’s loopback service in Host': but(plain(head('GET / HTTP/1.1', 'Host: localhost:3000')), {
      gateway: 'host_port',
      reportedHost: 'localhost',
      workerd: workerdDecides(denial('url.port')),
    }),
  }),

  ...decidedAs([], {
    'a handshake for github.com and a request for another host': but(
      alone('GET / HTTP/1.1', `Host: ${stranger}`),
      {
        gateway: 'sni_mismatch',
        reportedHost: stranger,
        workerd: workerdDecides(notGranted),
      },
    ),
    'a handshake for another host and a request for OpenAI': but(
      secure(head('GET /v1/models HTTP/1.1', 'Host: api.openai.com'), { servername: stranger }),
      {
        gateway: 'sni_mismatch',
        reportedHost: 'api.openai.com',
        workerd: workerdDecides(allowance('openai.models', '')),
      },
    ),
    'a handshake for another host and a request for github.com': but(
      secure(head(`GET ${refs} HTTP/1.1`, github), { servername: stranger }),
      {
        gateway: 'sni_mismatch',
        reportedHost: 'github.com',
        workerd: workerdDecides(fetched),
      },
    ),
    'no name in the handshake': but(secure(head(`GET ${refs} HTTP/1.1`, github), { servername: null }), {
      gateway: 'sni_missing',
      reportedHost: 'github.com',
      only: ['gateway', 'inside'],
    }),
    'TLS 1.1': but(
      secure(head('GET / HTTP/1.1', github), { servername: 'github.com', maxVersion: 'TLSv1.1' }),
      {
        only: ['inside'],
        inside: ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'ECONNRESET', 'ERR_SSL_UNSUPPORTED_PROTOCOL'],
      },
    ),
    'a handshake for HTTP/2 alone': but(secure(h2, { servername: 'github.com', alpn: ['h2'] }), {
      only: ['inside'],
      inside: ['ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL', 'ECONNRESET'],
    }),
    ...Object.fromEntries(
      ['bad_name', '-a.example', 'a..example', '1.2.3.4:443', `${'a'.repeat(64)}.example`].map(
        (servername) => [
          `a handshake for ${servername}`,
          but(secure('x', { servername }), { only: ['gateway'] }),
        ],
      ),
    ),
    'a connection to an address and a request for github.com': but(
      { ...secure(head(`GET ${refs} HTTP/1.1`, github)), destination: '198.51.100.9:443' },
      { workerd: workerdDecides(fetched) },
    ),
    ...Object.fromEntries(
      [22, 53, 853, 3000, 8080, 8443].map((port) => [
        `a connection to port ${port}`,
        but(
          { ...plain(head(`GET ${refs} HTTP/1.1`, github)), destination: `203.0.113.7:${port}` },
          {
            workerd: unanswered,
          },
        ),
      ]),
    ),
  }),
  ...denied('url.sni-mismatch', {
    // Only the gateway of one machine may set it. It drops what the sandbox wrote.
    'the gateway’s word about the handshake, forged': but(
      get(refs, { headers: ['X-Airlock-Sni: attacker.example'] }),
      { only: ['decision', 'workerd'] },
    ),
  }),
];
