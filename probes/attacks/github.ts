/**
 * Attacks on github.com: pushing, other repositories, other protocols, other endpoints and other hosts of
 * GitHub.
 */
import {
  allowed,
  but,
  denied,
  get,
  infoRefs,
  jsonType,
  marker,
  ownToken,
  packType,
  post,
  reachedPack,
  reachedRefs,
  refs,
  repository,
  request,
  wanted,
  type Attack,
} from './attack.ts';

const receiveType = 'content-type: application/x-git-receive-pack-request';
const own = [`authorization: Basic ${btoa(`x:${ownToken}`)}`];
const lfs = {
  headers: ['accept: application/vnd.git-lfs+json', 'content-type: application/vnd.git-lfs+json'],
};
const lfsBatch = (operation: string) =>
  post(
    `${repository}/info/lfs/objects/batch`,
    JSON.stringify({ operation, objects: [{ oid: 'a'.repeat(64), size: 1 }] }),
    lfs,
  );

export const github: readonly Attack[] = [
  ...allowed('github.info-refs', reachedRefs, {
    'the start of a fetch': get(refs),
    'the start of a fetch over plain HTTP': get(refs, { scheme: 'http' }),
    'the start of a fetch with the attacker’s own token, which is replaced': get(refs, { headers: own }),
    'the start of a fetch with a token, a cookie and a proxy’s credential': get(refs, {
      headers: [...own, 'Cookie: user_session=own', 'Proxy-Authorization: Basic eA=='],
    }),
    'the start of a fetch with two credentials in odd case': get(refs, {
      headers: ['aUTHORIZATION: Basic YQ==', 'Authorization: Bearer b'],
    }),
    'an override of method, path and host by headers': get(refs, {
      headers: [
        'X-HTTP-Method-Override: POST',
        `X-Original-URL: /attacker/loot?${marker}`,
        'X-Forwarded-Host: attacker.example',
      ],
    }),
    'other hosts and another path in forwarding headers': get(refs, {
      headers: [
        'X-Forwarded-Host: attacker.example',
        'Forwarded: host=attacker.example',
        'X-Original-URL: /attacker/loot',
      ],
    }),
  }),
  ...allowed('github.upload-pack', reachedPack, {
    'a fetch': post('/acme/split-bill/git-upload-pack', wanted, { headers: [packType] }),
    'a fetch in chunks': post('/acme/split-bill/git-upload-pack', wanted, {
      headers: [packType, 'Transfer-Encoding: chunked'],
    }),
    'a fetch with a compressed body': request('POST', '/acme/split-bill/git-upload-pack', {
      headers: [packType, 'Content-Encoding: gzip'],
      body: { gzip: { text: wanted } },
    }),
    'a fetch that expects 100-continue': but(
      post('/acme/split-bill/git-upload-pack', wanted, { headers: [packType, 'Expect: 100-continue'] }),
      { inside: ['100, 200, open'] },
    ),
  }),

  ...denied('github.receive-pack', {
    'the start of a push': get(`${repository}/info/refs?service=git-receive-pack`),
    'the start of a push to the attacker’s repository with their token': get(
      '/attacker/loot.git/info/refs?service=git-receive-pack',
      { headers: own },
    ),
    'a push': post(`${repository}/git-receive-pack`, wanted, { headers: [receiveType] }),
    'a push that says it is a fetch': post(`${repository}/git-receive-pack`, wanted, { headers: [packType] }),
    'a push to the attacker’s repository with their token': post(
      '/attacker/loot.git/git-receive-pack',
      '0000',
      {
        headers: own,
      },
    ),
    'both services in one query': get(`${refs}&service=git-receive-pack`),
  }),
  ...denied('github.repository', {
    'the start of a fetch of the attacker’s repository': get(`/attacker/loot.git${infoRefs}`),
    'the start of a fetch of the attacker’s repository without the suffix': get(`/attacker/loot${infoRefs}`),
    'a fetch of the attacker’s repository': post('/attacker/loot/git-upload-pack', wanted, {
      headers: [packType],
    }),
    'another repository of the same owner': get(`/acme/other.git${infoRefs}`),
    'the wiki of the repository': get(`/acme/split-bill.wiki.git${infoRefs}`),
  }),
  ...denied('github.path', {
    'the archive request of git': post(`${repository}/git-upload-archive`, wanted, { headers: [packType] }),
    'a file by the dumb protocol': get(`${repository}/HEAD`),
    'a file by the dumb protocol without the suffix': get('/acme/split-bill/HEAD'),
    'the list of packs by the dumb protocol': get('/acme/split-bill.git/objects/info/packs'),
    'the grafts by the dumb protocol': get(`${repository}/info/grafts`),
    'an archive': get('/acme/split-bill/archive/refs/heads/main.tar.gz'),
    'an archive as a zip file': get('/acme/split-bill/archive/refs/heads/main.zip'),
    'an archive by its short path': get('/acme/split-bill/archive/main.zip'),
    'the front page': get('/'),
    'the page of the repository': get('/acme/split-bill'),
    'the issues of the repository': get('/acme/split-bill/issues'),
    'a file of a release': get('/acme/split-bill/releases/download/v1/x'),
    'the page that starts a login': get('/login/oauth/authorize'),
    'a page that repeats what its address says': get(`/search?q=${marker}`),
    'the form of a login': post('/session', marker, {
      headers: ['content-type: application/x-www-form-urlencoded'],
    }),
    'the API below the web host': get(`/api/v3/user?${marker}`),
    'an upload to a path of the attacker’s': post('/attacker/loot', marker),
  }),
  ...denied('github.query', {
    'the refs without a service, by the dumb protocol': get(`${repository}/info/refs`),
    'one parameter more': get(`${refs}&x=${marker}`),
    'one parameter more without data': get(`${refs}&x=1`),
  }),
  ...denied('github.lfs-off', {
    'an LFS upload': lfsBatch('upload'),
    'an LFS download that this repository has not turned on': lfsBatch('download'),
  }),
  ...denied(
    'host.not-granted',
    Object.fromEntries(
      [
        'api.github.com',
        'gist.github.com',
        'raw.githubusercontent.com',
        'codeload.github.com',
        'objects.githubusercontent.com',
        'uploads.github.com',
        'www.github.com',
        'ssh.github.com',
        'ghcr.io',
        'models.github.ai',
      ].flatMap((host) => [
        [`${host}, which anybody may use`, get(`/attacker/loot?${marker}`, { host })],
        [`the task’s repository on ${host}`, get('/acme/split-bill', { host })],
      ]),
    ),
  ),
  ...denied('host.not-granted', {
    GraphQL: post('/graphql', `{"query":"${marker}"}`, {
      host: 'api.github.com',
      headers: [`authorization: Bearer ${ownToken}`, jsonType],
    }),
    'the account of the API’s user': get('/user', { host: 'api.github.com' }),
    'a raw file': get('/acme/split-bill/main/README.md', { host: 'raw.githubusercontent.com' }),
    'refs on a host below github.com': get(refs, { host: 'www.github.com' }),
  }),
];
