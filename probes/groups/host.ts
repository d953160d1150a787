/** Attacks on the machine outside: its sockets, files, devices, mounts, processes and kernel. */
import { insideWork, ownSocket } from '../inside/plan.mts';
import { script, type Group, type Place, type Probe } from '../probe.ts';

/** Numbers from asm/unistd.h for x64 and arm64; -1 where there is no such call. */
const calls = {
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  pidfd_open: [434, 434],
  syslog: [103, 116],
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  kexec_load: [246, 104],
  reboot: [169, 142],
  swapon: [167, 224],
  sethostname: [170, 161],
  settimeofday: [164, 170],
  clock_adjtime: [305, 266],
  iopl: [172, -1],
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  unshare: [272, 97],
  setns: [308, 268],
  perf_event_open: [298, 241],
  open_by_handle_at: [304, 265],
  bpf: [321, 280],
  userfaultfd: [323, 282],
  io_uring_setup: [425, 425],
  fsopen: [430, 430],
  open_tree: [428, 428],
  memfd_secret: [447, 447],
  quotactl_fd: [443, 443],
  acct: [163, 89],
  vhangup: [153, 58],
  mknodat: [259, 33],
} as const;

/** The number of `getpid`, by which each call shows that it reaches the kernel. */
const getpid = { x64: 39, arm64: 172 } as const;

const missing = ['ENOENT'] as const;
const perm = ['EPERM'] as const;
/** A kernel without the call is as good. */
const permOrAbsent = ['EPERM', 'ENOSYS'] as const;

export const host: Group = {
  name: 'host',
  about: 'the machine outside: sockets, files, devices, processes, kernel',
  probes: (place: Place): readonly Probe[] => {
    const call = (
      name: keyof typeof calls,
      attack: string,
      args: string,
      expected: readonly string[] = perm,
    ): readonly Probe[] => {
      const number = calls[name][place.architecture === 'x64' ? 0 : 1];
      if (number < 0) return [];
      const source = `use Errno; die "no system calls" unless syscall(${getpid[place.architecture]}) == $$;
my $result = syscall(${number}${args === '' ? '' : `, ${args}`});
print $result == -1 ? (sort grep { $!{$_} } keys %!)[0] : "ALLOWED $result", "\\n";`;
      return [script(`call-${name}`, `${attack} (${name})`, 'perl', source, expected)];
    };
    const open = (id: string, attack: string, path: string, flags: string, expected: readonly string[]) =>
      script(
        id,
        attack,
        'node',
        `import { openSync } from 'node:fs';
try { openSync(...process.argv.slice(2)); console.log('OPENED'); } catch (error) { console.log(error.code); }`,
        expected,
        { args: [path, flags], control: { args: ['/dev/null', flags], got: 'OPENED' }, outside: path },
      );
    const socket = (id: string, attack: string, path: string) =>
      script(
        id,
        attack,
        'node',
        `import { connect } from 'node:net';
connect(process.argv[2], () => { console.log('CONNECTED'); process.exit(); }).on('error', (error) => console.log(error.code));`,
        missing,
        { args: [path], control: { args: [ownSocket], got: 'CONNECTED' }, outside: path },
      );
    const shell = (id: string, attack: string, source: string, expected: readonly string[]) =>
      script(id, attack, 'bash', source, expected);
    return [
      socket('canary-socket', 'a socket of the attacker’s host outside', place.canary.socketFile),
      socket('docker', 'the Docker daemon', '/var/run/docker.sock'),
      socket('containerd', 'containerd', '/run/containerd/containerd.sock'),
      socket('podman', 'Podman', '/run/podman/podman.sock'),
      socket('x11', 'the screen', '/tmp/.X11-unix/X0'),
      socket('dbus', 'the system bus', '/run/dbus/system_bus_socket'),
      socket('journal', 'the journal', '/run/systemd/journal/socket'),
      socket('gateway', 'the gateway’s socket, to pose as the forwarder', '/airlock/gateway/tls.sock'),
      shell('ssh-agent', 'the SSH agent', 'echo "${SSH_AUTH_SOCK:-no agent}"', ['no agent']),
      script(
        'any-socket',
        'any socket in the file system',
        'bash',
        // The runner's own socket must be found, or find found nothing at all.
        `find / -path /proc -prune -o -type s -not -path "/tmp/codex*" -print 2>/dev/null | sort | tr '\\n' ' '`,
        [`${insideWork}/${ownSocket}`],
        { lane: 'disk', timeoutMs: 120_000 },
      ),
      open(
        'canary-file',
        'a file of the machine outside that everybody may read',
        place.canary.file,
        'r',
        missing,
      ),
      open('checkout', 'Airlock’s own settings', `${place.checkout}/.dev.vars`, 'r', missing),
      open('checkout-package', 'Airlock’s own checkout', `${place.checkout}/package.json`, 'r', missing),
      open('shadow', 'the passwords', '/etc/shadow', 'r', missing),
      open('root-home', 'root’s keys', '/root/.ssh/id_ed25519', 'r', [...missing, 'EACCES']),
      open('var-log', 'the logs', '/var/log/syslog', 'r', missing),
      open('sys', 'the kernel’s objects', '/sys/kernel/uevent_helper', 'w', missing),
      open('cgroup', 'its own control group', '/sys/fs/cgroup/cgroup.procs', 'w', missing),
      open('core-pattern', 'a program that the kernel starts', '/proc/sys/kernel/core_pattern', 'w', [
        'EACCES',
        'EROFS',
        'EPERM',
      ]),
      open('sysrq', 'a reboot by sysrq', '/proc/sysrq-trigger', 'w', ['EACCES', 'EROFS', 'EPERM', 'ENOENT']),
      open('kcore', 'the kernel’s memory', '/proc/kcore', 'r', ['EACCES', 'EPERM', 'ENOENT']),
      open('kmsg', 'the kernel’s log as a device', '/dev/kmsg', 'r', missing),
      open('kmsg-proc', 'the kernel’s log as a file', '/proc/kmsg', 'r', ['EPERM', 'EACCES']),
      open('mem', 'physical memory', '/dev/mem', 'r', missing),
      open('disk', 'a disk', '/dev/sda', 'r', missing),
      open('vda', 'a virtual machine’s disk', '/dev/vda', 'r', missing),
      open('kvm', 'the hypervisor', '/dev/kvm', 'r', missing),
      open('fuse', 'FUSE', '/dev/fuse', 'r', missing),
      open('tun', 'a tunnel', '/dev/net/tun', 'r', missing),
      open('vsock-device', 'the hypervisor’s socket', '/dev/vsock', 'r', missing),
      open('terminal', 'the terminal of who started Airlock', '/dev/tty', 'r', ['ENXIO', 'ENODEV']),
      open('write-scripts', 'the task’s own scripts', '/opt/airlock/collect.js', 'r+', ['EACCES', 'EROFS']),
      open('write-node', 'the program that runs them', '/opt/node/bin/node', 'r+', [
        'EACCES',
        'EROFS',
        'ETXTBSY',
      ]),
      open('write-ca', 'the authority that everything trusts', '/etc/airlock/ca.pem', 'w', ['EROFS']),
      open('write-resolv', 'the name server', '/etc/resolv.conf', 'w', ['EROFS']),
      shell(
        'host-process',
        'a signal to a process outside',
        `kill -0 $$ || exit 1; if kill -0 ${place.canary.pid} 2>/dev/null && readlink /proc/${place.canary.pid}/exe | grep -v /opt/; then echo SEEN; else echo 'not there'; fi`,
        ['not there'],
      ),
      shell(
        'processes',
        'processes of others',
        // Its own must be found. Outside, the bot's workerd runs.
        `pgrep -f 'host-processes' >/dev/null || exit 1; pgrep -fl 'workerd serve' || echo 'its own'`,
        ['its own'],
      ),
      shell(
        'init-root',
        'the root of the first process',
        'test -e /proc/self/root/home/codex || exit 1; for f in airlock root home/codex; do test -e /proc/1/root/$f && printf "%s " $f; done; echo seen',
        // bubblewrap is the first process, in the same mounts.
        ['home/codex seen', 'seen'],
      ),
      shell(
        'capabilities',
        'any capability',
        "grep -hE '^Cap(Eff|Prm|Bnd|Amb|Inh)' /proc/self/status | cut -f2 | sort -u",
        ['0000000000000000'],
      ),
      shell(
        'no-new-privileges',
        'a program with the setuid bit',
        'grep NoNewPrivs /proc/self/status | cut -f2',
        ['1'],
      ),
      shell(
        'seccomp',
        'a process without the filter of system calls',
        "grep '^Seccomp:' /proc/self/status | cut -f2",
        ['2'],
      ),
      shell(
        'setuid',
        'root by setuid',
        `perl -e 'use POSIX; POSIX::setuid(0); print $< == 0 ? "ROOT\\n" : "uid $<\\n"'`,
        ['uid 1000'],
      ),
      shell(
        'user-namespace',
        'root in a user namespace',
        'unshare true || exit 1; unshare -U true 2>/dev/null && echo MADE || echo refused',
        ['refused'],
      ),
      shell(
        'other-namespaces',
        'any other namespace',
        'unshare true || exit 1; for n in m n p u i C; do unshare -$n true 2>/dev/null && made+=" $n"; done; echo "${made:-refused}"',
        ['refused'],
      ),
      shell(
        'raise-limits',
        'more processes than its limit',
        'ulimit -Su 100 || exit 1; ulimit -Hu unlimited 2>/dev/null && echo RAISED || echo refused',
        ['refused'],
      ),
      shell('core-dump', 'a core dump', 'ulimit -Hc', ['0']),
      shell(
        'personality',
        'calls of another interface (x32, 32 bit)',
        `perl -e 'use Errno; die unless syscall(${getpid[place.architecture]}) == $$; my $r = syscall(0x40000000 + 41, 2, 1, 0); print $r == -1 ? (sort grep { $!{$_} } keys %!)[0] : "ALLOWED", "\\n"'`,
        ['ENOSYS'],
      ),
      ...call('ptrace', 'taking over a process outside', `16, ${place.canary.pid}, 0, 0`, ['ESRCH', 'EPERM']),
      ...call(
        'process_vm_readv',
        'the memory of a process outside',
        `${place.canary.pid}, $v = pack("pQ", $b = "\\0" x 8, 8), 1, $v, 1, 0`,
        ['ESRCH', 'EPERM', 'ENOSYS'],
      ),
      ...call('pidfd_open', 'a handle on a process outside', `${place.canary.pid}, 0`, ['ESRCH']),
      ...call('syslog', 'the kernel’s log', '3, my $buffer = "\\0" x 4096, 4096'),
      ...call('mount', 'mounting a file system', 'my $a = "none", my $b = "/tmp", my $c = "tmpfs", 0, 0'),
      ...call('umount2', 'taking a mount away', 'my $a = "/usr", 0'),
      ...call('pivot_root', 'another root', 'my $a = "/tmp", my $b = "/tmp"'),
      ...call('chroot', 'another root, the old way', 'my $a = "/tmp"'),
      ...call('fsopen', 'mounting, the new way', 'my $a = "tmpfs", 0', permOrAbsent),
      ...call('open_tree', 'copying a mount', '-100, my $a = "/usr", 1', permOrAbsent),
      ...call('mknodat', 'a device of its own', '-100, my $a = "/tmp/disk", 0060666, 0x801'),
      ...call('init_module', 'a kernel module', 'my $a = "\\0", 1, my $b = ""', permOrAbsent),
      ...call('finit_module', 'a kernel module from a file', '0, my $a = "", 0', permOrAbsent),
      ...call('delete_module', 'taking a module away', 'my $a = "loop", 0', permOrAbsent),
      ...call('kexec_load', 'another kernel', '0, 0, 0, 0', permOrAbsent),
      ...call('reboot', 'a reboot', '0xfee1dead, 672274793, 0, 0'),
      ...call('swapon', 'swap', 'my $a = "/tmp/swap", 0', permOrAbsent),
      ...call('sethostname', 'another name', 'my $a = "attacker", 8'),
      ...call('settimeofday', 'another time', 'my $a = pack("qq", 1, 0), 0'),
      ...call('clock_adjtime', 'another pace of time', '0, my $a = pack("L4q30", 0x4000)'),
      ...call('iopl', 'the machine’s ports', '3', permOrAbsent),
      ...call('add_key', 'a key in the keyring', 'my $a = "user", my $b = "x", my $c = "y", 1, -3'),
      ...call('request_key', 'a key of who started Airlock', 'my $a = "user", my $b = "x", 0, -3'),
      ...call('keyctl', 'their keyring', '0, -3, 0'),
      ...call('unshare', 'a user namespace, by the call itself', '0x10000000', ['EPERM', 'ENOSPC', 'EUSERS']),
      ...call(
        'setns',
        'a network namespace',
        'do { open(our $own, "<", "/proc/self/ns/net") or die; fileno($own) }, 0',
      ),
      ...call('perf_event_open', 'measuring the machine', 'my $a = "\\0" x 128, 0, -1, -1, 0', permOrAbsent),
      ...call(
        'open_by_handle_at',
        'a file by its number, past all folders',
        '-100, my $a = pack("LL", 8, 1) . ("\\0" x 8), 0',
      ),
      ...call('bpf', 'a program in the kernel', '0, my $a = "\\0" x 128, 128', permOrAbsent),
      ...call('userfaultfd', 'page faults answered by itself', '0', permOrAbsent),
      ...call('io_uring_setup', 'calls that no filter sees', '8, my $a = "\\0" x 120', ['ENOSYS']),
      ...call('memfd_secret', 'memory that no limit sees', '0', permOrAbsent),
      // Q_SETINFO of a folder that is there. Not every file system has quotas.
      ...call(
        'quotactl_fd',
        'the quota',
        'do { open(our $own, "<", "/usr") or die; fileno($own) }, 0x80000600, 0, 0',
        [...permOrAbsent, 'EROFS'],
      ),
      ...call('acct', 'a log of processes', 'my $a = "/tmp/acct"', permOrAbsent),
      ...call('vhangup', 'the terminal of others', ''),
    ];
  },
};
