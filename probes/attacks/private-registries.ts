/**
 * Private registries: other paths, phases and methods than a grant opens, and spellings of a path that a
 * server could read as another one.
 */
import type { Grant } from '../../src/core/grant.ts';
import {
  allowed,
  but,
  denied,
  get,
  marker,
  ownToken,
  post,
  request,
  type Attack,
  type RequestPieces,
} from './attack.ts';

const registries: Grant['registries'] = [
  {
    host: 'npm.example.com',
    pathPrefix: '/private',
    scheme: 'bearer',
    secret: 'NPM_TOKEN',
    blobHosts: ['blobs.example.com'],
  },
];
/** Below the path that the registry opens, and with a credential of the attacker's own. */
const npm = (target = '/private/left-cent', more: Partial<RequestPieces> = {}) =>
  get(target, { host: 'npm.example.com', headers: [`authorization: Bearer ${ownToken}`], ...more });
const installing: Partial<Grant> = { phase: 'setup', registries };

export const privateRegistries: readonly Attack[] = [
  ...allowed(
    'registry.fetch',
    'GET npm.example.com/private/left-cent',
    { 'a package of a private registry with an own credential': npm() },
    { grant: installing },
  ),
  ...denied(
    'registry.closed',
    Object.fromEntries(
      (['clone', 'run', 'sealed'] as const).map((phase) => [
        `a package of a private registry in the phase ${phase}`,
        but(npm(), { grant: { ...installing, phase } }),
      ]),
    ),
  ),
  ...denied(
    'host.method',
    {
      'a publication to a private registry': request('PUT', '/private/loot', {
        host: 'npm.example.com',
        body: { text: 'loot' },
      }),
      'a POST to a private registry': post('/private/-/npm/v1/security/audits', marker, {
        host: 'npm.example.com',
      }),
      'DELETE of a package of a private registry': request('DELETE', '/private/left-cent', {
        host: 'npm.example.com',
      }),
    },
    { grant: installing },
  ),
  ...denied(
    'host.body',
    { 'a GET with a body to a private registry': npm(undefined, { body: { text: 'x' } }) },
    { grant: installing },
  ),
  ...denied(
    'registry.path',
    {
      'the tokens of a private registry': npm('/-/npm/v1/tokens'),
      'a path that begins like the registry’s': npm('/private-keys'),
      'the path of a private registry in capitals': npm('/PRIVATE/left-cent'),
      'the root of a private registry': npm('/?/private/'),
    },
    { grant: installing },
  ),
  ...denied(
    'registry.spelling',
    Object.fromEntries(
      [
        '/private/..%2f-/npm/v1/tokens',
        '/private/..;/-/npm/v1/tokens',
        '/private/..;x=1/-/npm/v1/tokens',
        '/private/..%3b/admin',
        '/private/..%5cadmin',
        '/private/..%252fadmin',
        '/private//admin',
        '/private/%00',
        '/private/..%20/admin',
        '/private/%ff',
        '/private/..%2F..%2Fadmin',
      ].map((target) => [
        `the path ${target} of a private registry`,
        but(npm(target), { grant: installing, status: 400 }),
      ]),
    ),
  ),
  ...denied(
    'host.not-granted',
    {
      'the storage of a private registry, asked directly': get('/private/x', { host: 'blobs.example.com' }),
      'a name below a private registry': npm(undefined, { host: 'x.npm.example.com' }),
    },
    { grant: installing },
  ),
  ...denied(
    'registry.reserved',
    Object.fromEntries(
      [
        'api.github.com',
        'uploads.github.com',
        'files.openai.com',
        'npm.internal',
        'metadata.google.internal',
      ].map((host) => [
        `${host} as a private registry`,
        but(get('/', { host }), {
          grant: { phase: 'setup', registries: registries.map((one) => ({ ...one, host, pathPrefix: '' })) },
        }),
      ]),
    ),
  ),
];
