/**
 * Attacks on what is ours in a container: the processes of root above each command, the exit status of a run,
 * the script that performs our calls, open ports and sockets. Only for a sandbox in a container.
 */
import { insideWork } from '../inside/plan.mts';
import { script, type Group, type Place, type Probe } from '../probe.ts';

const ptrace = { x64: 101, arm64: 117 } as const;
/** Lists the processes of other users; fails if there is none, as nothing was attacked then. */
const ofOthers = `mapfile -t others < <(for p in /proc/[0-9]*; do [[ -O $p ]] || echo "\${p#/proc/}"; done)
((\${#others[@]})) || exit 1`;

export const container: Group = {
  name: 'container',
  about: 'the container: what of ours runs in it, and what is kept there (only --sandbox sdk and native)',
  probes: (place: Place): readonly Probe[] => {
    if (place.sandbox === 'local') return [];
    const bash = (id: string, attack: string, source: string, expected: readonly string[] = ['refused']) =>
      script(id, attack, 'bash', source, expected);
    return [
      script(
        'port',
        'a port of ours that answers',
        'node',
        // The platform's ports accept and drop; 80 and 443 lead to the handler. Its own must be found.
        `import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
const rows = ['tcp', 'tcp6'].flatMap((name) => readFileSync('/proc/net/' + name, 'utf8').trim().split('\\n').slice(1))
  .map((line) => line.trim().split(/\\s+/)).filter((fields) => fields[3] === '0A')
  .map((fields) => ({ port: parseInt(fields[1].split(':').at(-1), 16), isOwn: Number(fields[7]) === process.getuid() }));
if (!rows.some(({ isOwn }) => isOwn)) process.exit(1);
const answers = (port) => new Promise((resolve) => {
  let got = false;
  const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.0\\r\\nhost: localhost\\r\\n\\r\\n'));
  socket.on('data', () => { got = true; socket.destroy(); }).on('error', () => undefined).on('close', () => resolve(got));
  socket.setTimeout(10_000, () => { got = true; socket.destroy(); });
});
const found = [];
for (const { port, isOwn } of rows)
  if (!isOwn && port !== 80 && port !== 443 && (await answers(port))) found.push(port);
console.log(found.join(' ') || 'none');`,
        ['none'],
      ),
      script(
        'socket',
        'a Unix socket of ours that it may connect to',
        'node',
        `import { execFileSync } from 'node:child_process';
import { connect } from 'node:net';
const found = execFileSync('bash', ['-c', 'find / -path /proc -prune -o -type s -not -path "/tmp/codex*" -print 2>/dev/null; true'], { encoding: 'utf8' });
const opens = (path) => new Promise((resolve) => connect(path, () => resolve(true)).on('error', () => resolve(false)));
const open = [];
for (const path of found.trim().split('\\n')) if (await opens(path)) open.push(path);
console.log(open.sort().join(' '));
process.exit();`,
        // The runner's own must be found.
        [`${insideWork}/own.sock`],
        { lane: 'disk', timeoutMs: 120_000 },
      ),
      bash(
        'processes',
        'a signal to a process of root, the first one included',
        `sleep 60 & kill -STOP $! && kill -KILL $! || exit 1
${ofOthers}
for pid in "\${others[@]}"; do for s in STOP KILL; do kill -$s $pid 2>/dev/null && done+=" $pid"; done; done; echo "\${done:-refused}"`,
      ),
      bash(
        'ptrace',
        'control over a process of root',
        `${ofOthers}
for pid in "\${others[@]}"; do perl -e 'exit(syscall(${ptrace[place.architecture]}, 16, shift) == 0 ? 0 : 1)' $pid && done+=" $pid"; done; echo "\${done:-refused}"`,
      ),
      bash(
        'process-files',
        'memory, environment, folder and files of a process of root',
        `test -r /proc/$$/environ && test -r /proc/$$/mem || exit 1
${ofOthers}
for pid in "\${others[@]}"; do
  for name in environ mem maps root/ cwd/ fd/0 fd/1; do head -c 1 /proc/$pid/$name >/dev/null 2>&1 && done+=" $name"; ls /proc/$pid/$name >/dev/null 2>&1 && [[ $name == */* ]] && done+=" $name"; done
done; echo "\${done:-refused}"`,
      ),
      bash(
        'exit-status',
        'the exit status of a run, its output and the script of our calls',
        // Writes another file, because a written status would end the run of the probes.
        `test -d /var/lib/airlock && touch /tmp/own || exit 1
cd /var/lib/airlock 2>/dev/null && done+=' entered'; ls /var/lib/airlock/ >/dev/null 2>&1 && done+=' listed'
for f in /var/lib/ /var/lib/airlock/ /var/lib/airlock/*/ /var/lib/airlock/*/runs/*/; do touch "\${f}exit-probe" 2>/dev/null && done+=" $f"; done
echo "\${done:-refused}"`,
      ),
      bash(
        'programs',
        'the programs of the image: Airlock’s scripts, Node, Codex, the shell, the authority',
        `for f in /opt/airlock/collect.js /opt/airlock /opt/node/bin/node /opt/codex/bin/codex /bin/bash /usr/bin/setpriv /etc/passwd /etc/ld.so.preload /etc/cloudflare/certs/cloudflare-containers-ca.crt; do
  if [[ -d $f ]]; then (: >"$f/x") 2>/dev/null && done+=" $f"; else (: >>"$f") 2>/dev/null && done+=" $f"; fi
done; echo "\${done:-refused}"`,
      ),
      bash(
        'setuid-programs',
        'a program with the set-user-id bit that is somebody else',
        // The loader prints what it got from the kernel, unless the program got rights.
        `mapfile -t found < <(find / \\( -path /proc -o -path /sys -o -path /dev \\) -prune -o -perm /6000 -type f -print 2>/dev/null)
LD_SHOW_AUXV=1 /bin/true | grep -q AT_SECURE || exit 1
((\${#found[@]})) || exit 1
for f in "\${found[@]}"; do [[ -x $f ]] || continue; LD_SHOW_AUXV=1 timeout 5 "$f" --help </dev/null 2>/dev/null | grep -q 'AT_SECURE: *0' || done+=" $f"; done; echo "\${done:-none}"`,
        ['none'],
      ),
      bash(
        'writable',
        'a folder or file that it may write, apart from its own',
        `mapfile -t found < <(find / \\( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /workspace -o -path /home/codex -o -path /run/airlock \\) -prune -o -writable -not -type l -print 2>/dev/null)
[[ -w /tmp ]] || exit 1; echo "\${found[*]:-none}"`,
        ['none'],
      ),
    ];
  },
};
