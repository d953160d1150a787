/**
 * Requests that the grant decides: closed phases, hosts of the configuration, LFS, the canary, budgets. They
 * need a grant of their own.
 */
import type { Grant } from '../../src/core/grant.ts';
import {
  allowed,
  but,
  denied,
  get,
  infoRefs,
  jsonType,
  post,
  refs,
  repository,
  request,
  workerdAnswers,
  type Attack,
  type RequestPieces,
} from './attack.ts';
import { openai, sends, validRequest } from './openai-request.ts';

const oid = 'ab12'.repeat(16);
const lfsType = 'content-type: application/vnd.git-lfs+json';
const batch = `${repository}/info/lfs/objects/batch`;
const lfs = (target: string, headers: string[] = [lfsType]) =>
  request('POST', target, { headers, body: { text: '{"operation":"download","objects":[]}' } });
const cloning: Partial<Grant> = { phase: 'clone', lfs: true };
const setup: Partial<Grant> = {
  phase: 'setup',
  setupHosts: ['registry.example.com', 'both.example.com'],
  extraHosts: ['docs.example.com', 'both.example.com'],
};
const during = (phase: Grant['phase']): Partial<Grant> => ({ ...setup, phase });
const registry = (target = '/', more: Partial<RequestPieces> = {}) =>
  get(target, { host: 'registry.example.com', ...more });
const docs = (more: Partial<RequestPieces> = {}) => get('/', { host: 'docs.example.com', ...more });
const canary = (target: string, more: Partial<RequestPieces> = {}) =>
  get(target, { host: 'canary.airlock.invalid', ...more });
const asks = sends({ text: JSON.stringify(validRequest()) });
const unused: Grant['used'] = { requests: 0, tokens: 0, bytesUp: 0, bytesDown: 0 };
const used = (change: Partial<Grant['used']>): Partial<Grant> => ({
  ...during('run'),
  used: { ...unused, ...change },
});

export const grants: readonly Attack[] = [
  ...denied('phase.closed', {
    'a fetch during setup': but(get(refs), { grant: during('setup') }),
    'a fetch from a sealed sandbox': but(get(refs), { grant: during('sealed') }),
    'an LFS batch during the run': but(lfs(batch), { grant: { lfs: true } }),
    'an LFS object during the run': but(get(`${repository}/info/lfs/objects/${oid}/12`), {
      grant: { lfs: true },
    }),
    'a request to the model during the clone': but(asks, { grant: during('clone'), status: 400 }),
    'a request to the model during setup': but(asks, { grant: during('setup'), status: 400 }),
    'a request to the model from a sealed sandbox': but(asks, { grant: during('sealed'), status: 400 }),
    'the models during setup': but(get('/v1/models', openai), { grant: during('setup'), status: 400 }),
    'a host of setup during the run': but(registry(), { grant: during('run') }),
    'a host of setup during the clone': but(registry(), { grant: during('clone') }),
    'a host of setup from a sealed sandbox': but(registry(), { grant: during('sealed') }),
    'a host of the run during setup': but(docs(), { grant: during('setup') }),
    'a host of the run during the clone': but(docs(), { grant: during('clone') }),
    'a host of the run from a sealed sandbox': but(docs(), { grant: during('sealed') }),
  }),
  ...denied('github.lfs-off', {
    'an LFS batch without LFS in the grant': but(lfs(batch), { grant: { phase: 'clone' } }),
    'an LFS object without LFS in the grant': but(get(`${repository}/info/lfs/objects/${oid}/12`), {
      grant: { phase: 'clone' },
    }),
  }),
  ...denied('github.repository', {
    'an LFS batch of a repository that may only be read': but(
      lfs('/acme/shared.css/info/lfs/objects/batch'),
      {
        grant: {
          ...cloning,
          alsoRead: [{ owner: 'acme', name: 'shared.css', installationId: 1, repositoryId: 3 }],
        },
      },
    ),
  }),
  ...denied('github.query', { 'an LFS batch with a query': lfs(`${batch}?x`) }, { grant: cloning }),
  ...denied('github.content-type', { 'an LFS batch as JSON': lfs(batch, [jsonType]) }, { grant: cloning }),
  ...denied(
    'github.encoding',
    { 'a compressed LFS batch': lfs(batch, [lfsType, 'content-encoding: gzip']) },
    { grant: cloning },
  ),
  ...denied(
    'github.method',
    {
      'GET of an LFS batch': get(batch),
      'PUT of an LFS object': request('PUT', `${repository}/info/lfs/objects/${oid}/12`),
    },
    { grant: cloning },
  ),
  ...denied(
    'http.body',
    {
      'a body of an LFS object': get(`${repository}/info/lfs/objects/${oid}/12`, {
        body: { text: 'secret' },
      }),
    },
    { grant: cloning },
  ),
  ...denied(
    'github.lfs',
    {
      'the locks of LFS': lfs(`${repository}/info/lfs/locks`),
      'an LFS object in capitals': get(`${repository}/info/lfs/objects/${oid.toUpperCase()}/12`),
      'an LFS object of a negative size': get(`${repository}/info/lfs/objects/${oid}/-1`),
    },
    { grant: cloning },
  ),

  ...denied(
    'host.method',
    {
      'an upload to a host of setup': post('/', 'loot', { host: 'registry.example.com' }),
      'OPTIONS of a host of setup': request('OPTIONS', '/', { host: 'registry.example.com' }),
    },
    { grant: setup },
  ),
  ...denied(
    'host.body',
    {
      'a GET with a length to a host of setup': registry('/', {
        headers: ['content-length: 1'],
        body: { text: 'x' },
      }),
      'a GET in chunks to a host of setup': registry('/', {
        headers: ['transfer-encoding: chunked'],
        body: { text: 'x' },
      }),
    },
    { grant: setup },
  ),
  ...denied(
    'host.not-granted',
    {
      'a name below a host of setup': registry('/', { host: 'sub.registry.example.com' }),
      'a host of setup with a dot at the end': registry('/', { host: 'registry.example.com.' }),
    },
    { grant: setup },
  ),
  ...denied(
    'url.port',
    { 'another port of a host of setup': registry('/', { host: 'registry.example.com:8443' }) },
    {
      grant: setup,
    },
  ),
  ...denied(
    'host.method',
    Object.fromEntries(
      ['PUT', 'CONNECT', 'TRACE', 'PROPFIND', 'PATCH', 'get', 'G E T', ''].map((method) => [
        `the method “${method}” at a host of the run`,
        but(request(method, '/', { host: 'docs.example.com' }), {
          grant: during('run'),
          ...(/^(?:PUT|TRACE|PROPFIND|PATCH)$/.test(method) ? {} : { only: ['decision'] as const }),
        }),
      ]),
    ),
  ),
  ...denied(
    'host.reserved',
    Object.fromEntries(
      [
        'api.github.com',
        'gist.github.com',
        'raw.githubusercontent.com',
        'api.openai.com.',
        'files.openai.com',
        'chatgpt.com',
        'ghe.example.com',
        'api.ghe.example.com',
        'localhost',
        '127.0.0.1',
        '[::1]',
      ].map((host) => [
        `${host} in a list of hosts`,
        but(get('/', { host }), {
          grant: { extraHosts: [host] },
          // Only the pure decision of the tests knows an enterprise's upstreams.
          ...(host.includes('ghe.') ? { only: ['decision'] as const } : {}),
          // Clients name no address in a handshake.
          ...(host === '127.0.0.1' ? { workerd: workerdAnswers() } : {}),
        }),
      ]),
    ),
  ),
  ...denied('url.invalid', {
    'metadata.7 in a list of hosts': but(get('/', { host: 'metadata.7' }), {
      grant: { extraHosts: ['metadata.7'] },
      workerd: workerdAnswers(),
    }),
  }),

  ...allowed(
    'canary',
    '',
    { 'the canary with the nonce of the grant': canary('/d2f1c0ffee') },
    { grant: { canaryNonce: 'd2f1c0ffee' } },
  ),
  ...denied(
    'canary.mismatch',
    {
      'the canary with its nonce and a query': canary('/d2f1c0ffee?x'),
      'a POST of the canary’s nonce': post('/d2f1c0ffee', 'x', { host: 'canary.airlock.invalid' }),
      'the canary with another nonce': canary('/another'),
      'the nonce at a name below the canary’s': canary('/d2f1c0ffee', {
        host: 'forbidden.canary.airlock.invalid',
      }),
    },
    { grant: { canaryNonce: 'd2f1c0ffee' } },
  ),
  ...allowed(
    'github.info-refs',
    'GET github.com/acme/shared.css.git/info/refs?service=git-upload-pack',
    { 'a fetch of a repository that may be read': get(`/acme/shared.css.git${infoRefs}`) },
    { grant: { alsoRead: [{ owner: 'acme', name: 'shared.css', installationId: 1, repositoryId: 3 }] } },
  ),

  ...denied('budget.requests', {
    'one request more than the budget': but(docs(), { grant: used({ requests: 100 }) }),
  }),
  ...denied('budget.tokens', {
    'a request to the model without tokens left': but(asks, { grant: used({ tokens: 1_000 }) }),
  }),
  ...denied('budget.bytes-up', {
    'a fetch without bytes left to send': but(get(refs), { grant: used({ bytesUp: 10_000_000 }) }),
  }),
  ...denied('budget.bytes-down', {
    'a request to the model without bytes left to receive': but(asks, {
      grant: used({ bytesDown: 100_000 }),
    }),
  }),
];
