/** Attempts to leave plain HTTP/1.1: upgrades, HTTP/2, tunnels, expectations and unknown methods. */
import {
  but,
  decidedAs,
  denial,
  denied,
  get,
  head,
  packType,
  plain,
  refs,
  request,
  secure,
  workerdAnswers,
  workerdDecides,
  type Attack,
} from './attack.ts';
import { openai, sends, validRequest } from './openai-request.ts';

const stranger = 'attacker.example';
/** A request over TLS that has only these lines. */
const alone = (line: string, ...headers: string[]) => secure(head(line, ...headers));
const github = 'Host: github.com';
const socket = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];
const h2 = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const valid = { text: JSON.stringify(validRequest()) };
const unknownMethod = workerdAnswers(501);
const notGranted = denial('host.not-granted');

export const protocol: readonly Attack[] = [
  ...denied(
    'http.upgrade',
    {
      'a WebSocket to the model': get('/v1/responses', { ...openai, headers: socket }),
      'an upgrade at the open endpoint': get('/v1/responses', { ...openai, headers: ['Upgrade: websocket'] }),
    },
    { gateway: 'upgrade', reportedHost: 'api.openai.com' },
  ),
  ...denied(
    'http.upgrade',
    {
      'HTTP/2 by upgrade': get(refs, {
        headers: ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'],
      }),
      'an upgrade that its connection header does not name': get(refs, { headers: ['Upgrade: websocket'] }),
      'HTTP/2 by upgrade that its connection header does not name': get(refs, { headers: ['Upgrade: h2c'] }),
      'a WebSocket over plain HTTP': get('/', {
        scheme: 'http',
        headers: ['Connection: upgrade', 'Upgrade: websocket'],
      }),
      'HTTP/2 by upgrade over plain HTTP': get('/', { scheme: 'http', headers: ['Upgrade: h2c'] }),
    },
    { gateway: 'upgrade', reportedHost: 'github.com' },
  ),
  ...denied('http.upgrade', {
    'the settings of HTTP/2 alone': get(refs, { headers: ['HTTP2-Settings: AAMAAABk'] }),
  }),
  ...denied('http.expect', {
    // The gateway of one machine answers expectations itself and drops them.
    'an unknown expectation at the model': but(sends(valid, 'Expect: 200-ok'), { inside: ['200, open'] }),
    'two expectations at the model': but(sends(valid, 'Expect: 100-continue, x'), {
      inside: ['100, 200, open'],
    }),
    'an unknown expectation at git': but(
      request('POST', '/acme/split-bill/git-upload-pack', {
        headers: [packType, 'Content-Length: 0', 'Expect: 200-ok'],
      }),
      { inside: ['200, open'] },
    ),
  }),
  ...decidedAs([notGranted], {
    'an unknown expectation at another host': but(
      plain(head('GET / HTTP/1.1', `Host: ${stranger}`, 'Expect: 200-ok')),
      { workerd: workerdDecides(denial('http.expect')) },
    ),
    'an upload that expects 100-continue': but(
      plain([
        {
          send: head(
            'POST /upload HTTP/1.1',
            `Host: ${stranger}`,
            'Content-Length: 5',
            'Expect: 100-continue',
          ),
        },
        { waitMs: 200 },
        { send: 'loot!' },
      ]),
      { inside: ['100, 403 host.not-granted, open'] },
    ),
  }),

  ...decidedAs([], {
    CONNECT: but(plain(head(`CONNECT ${stranger}:443 HTTP/1.1`, `Host: ${stranger}:443`)), {
      gateway: 'connect',
      reportedHost: stranger,
      workerd: unknownMethod,
    }),
    'CONNECT to github.com': but(plain(head('CONNECT github.com:443 HTTP/1.1', 'Host: github.com:443')), {
      gateway: 'connect',
      reportedHost: 'github.com',
      workerd: unknownMethod,
    }),
    'CONNECT to the model, to speak TLS past the gateway': but(
      plain(head('CONNECT api.openai.com:443 HTTP/1.1', 'Host: api.openai.com:443')),
      { gateway: 'connect', reportedHost: 'api.openai.com', workerd: unknownMethod },
    ),
    'CONNECT within TLS': but(alone(`CONNECT ${stranger}:22 HTTP/1.1`, github), {
      gateway: 'connect',
      workerd: unknownMethod,
    }),
    'CONNECT within TLS with another Host': but(
      alone(`CONNECT ${stranger}:443 HTTP/1.1`, `Host: ${stranger}`),
      { gateway: 'connect', workerd: unknownMethod },
    ),
    'HTTP/2 with prior knowledge': but(plain(`${h2}\0\0\0\u0004\0\0\0\0\0`), {
      gateway: 'malformed',
      workerd: unknownMethod,
    }),
    'HTTP/2 with prior knowledge within TLS': but(secure(`${h2}\0\0\0\u0004\0\0\0\0\0`), {
      gateway: 'malformed',
      workerd: unknownMethod,
    }),
    'the first bytes of HTTP/2 alone': but(plain(h2), { gateway: 'malformed', workerd: unknownMethod }),
    'HTTP/3.0 as the version': but(alone('GET / HTTP/3.0', github), {
      gateway: 'malformed',
      workerd: workerdDecides(denial('github.path')),
    }),
    'an unknown method over plain HTTP': but(plain(head('FROBNICATE / HTTP/1.1', github)), {
      gateway: 'malformed',
      workerd: unknownMethod,
    }),
    'a method of forty letters': but(plain(head(`${'A'.repeat(40)} / HTTP/1.1`, github)), {
      gateway: 'malformed',
      workerd: unknownMethod,
    }),
    'DELETE at another port': but(plain(head('DELETE / HTTP/1.1', 'Host: github.com:99')), {
      gateway: 'host_port',
      reportedHost: 'github.com',
      workerd: workerdDecides(denial('url.port')),
    }),
  }),
];
