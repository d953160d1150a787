/** Checks a sandbox on Cloudflare: how it is lost, what the platform logs, a container that lies. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sandboxKinds } from '../../host/build-worker.ts';
import { SandboxLostError, type TaskSandbox } from '../../src/core/ports/sandbox-port.ts';
import { asRoot, runAsRoot } from '../fake-engine/as-root.ts';
import type { FakeContainer } from '../fake-engine/container.ts';
import { newTaskId, smallSpec } from '../sandbox/contract-spec.ts';
import { startCloudflareHost, type CloudflareHost } from './cloudflare-host.ts';

const limits = { timeoutMs: 60_000, maxOutputBytes: 10_000 };
const shell = (script: string) => ({ argv: ['/bin/sh', '-c', script] });
const range = { offset: 0, maxBytes: 100 };

let host: CloudflareHost;

async function started() {
  const id = host.sandboxes.idFor(newTaskId());
  const sandbox = host.sandboxes.get(id);
  await sandbox.start(smallSpec);
  const container = host.engine.container(id);
  if (container === null) throw new Error('the engine has no such container');
  return { id, sandbox, container };
}

/** Waits for a run's end and returns its exit code. */
async function ended(sandbox: TaskSandbox, name: string, script: string): Promise<number | null> {
  await sandbox.startRun(name, shell(script));
  return (await sandbox.readRun(name, { ...range, offset: 1_000_000, waitMs: 30_000 })).exitCode;
}

describe.each(sandboxKinds)('a %s sandbox on Cloudflare', (kind) => {
  beforeAll(async () => {
    host = await startCloudflareHost(kind);
  });
  afterAll(async () => {
    await host.close();
  });

  describe('a command in the container', () => {
    it('runs without privileges, within the limit of processes, and trusts the interceptor', async () => {
      const { sandbox } = await started();
      const script = `id -u; grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status; bash -c 'ulimit -u; ulimit -c'; echo $HOME; test -s $SSL_CERT_FILE && echo trusts`;
      const { stdout } = await sandbox.exec(shell(script), limits);
      expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(
        /^1000 CapEff: 0+ CapBnd: 0+ NoNewPrivs: 1 256 0 \/home\/codex trusts $/,
      );
    });

    // The fake container has only one user unless the tests run as root.
    it.runIf(process.getuid?.() === 0)('cannot look into what is not its own', async () => {
      const { sandbox } = await started();
      const { stdout } = await sandbox.exec(shell('ls /var/lib/airlock/* 2>&1; kill -9 1 2>&1'), limits);
      expect(stdout).toMatch(/Permission denied[^]*not permitted/i);
      const written = await sandbox.exec(shell('echo x > /var/lib/airlock/x'), limits);
      expect(written.exitCode).not.toBe(0);
    });

    it('appears in no log of the platform, and neither does a written file', async () => {
      const { sandbox } = await started();
      const before = host.logged.length;
      await sandbox.writeFile('/workspace/prompt', 'the prompt of a person');
      await sandbox.exec({ argv: ['echo', 'an argument'], env: { NAME: 'a value' } }, limits);
      await sandbox.startRun('logged', { argv: ['echo', 'a run’s argument'] });
      // The platform itself logs no call.
      const calls = () => host.logged.slice(before).filter((line) => line.includes('sandbox.exec'));
      await expect.poll(() => calls().length).toBeGreaterThanOrEqual(kind === 'sdk' ? 3 : 0);
      expect(host.logged.slice(before).join('\n')).not.toMatch(/of a person|an argument|a value|run’s/);
    });
  });

  // The fake container has only one user unless the tests run as root.
  describe.runIf(process.getuid?.() === 0)('the end of a command or run', () => {
    let sandbox: TaskSandbox;
    let container: FakeContainer;
    beforeAll(async () => {
      ({ sandbox, container } = await started());
    });

    const prctl = process.arch === 'arm64' ? 167 : 157;
    const hiding = [
      ['in another session', 'setsid sleep 3672'],
      ['as an orphan', '(sleep 3672 &)'],
      ['without an environment', 'env -i setsid sleep 3672'],
      ['that cannot be looked into', `exec perl -e 'syscall(${prctl}, 4, 0); sleep 3672'`],
      [
        'that adopts orphans',
        `exec perl -e 'syscall(${prctl}, 36, 1); fork; fork; exit if fork; sleep 3672'`,
      ],
      ['whose name reads like a zombie’s', `exec perl -e '$0 = ") Z 1 1\n"; sleep 3672'`],
      ['that leaves zombies', `exec perl -e 'fork || exit for 1..9; sleep 3672'`],
    ] as const;
    const all = hiding.map(([, script]) => `(${script}) &`).join('\n');
    const agents = 'ps -u 1000 -o stat=,args= || :';

    it.each([
      ['a run', async () => await ended(sandbox, 'hides', `${all}\nsleep 0.3; exit 3`), 3],
      [
        'a command at its deadline',
        async () => (await sandbox.exec(shell(`${all}\nsleep 3672`), { ...limits, timeoutMs: 300 })).exitCode,
        137,
      ],
    ])('kills what hid from it, and leaves no zombie: %s', async (_, run, exitCode) => {
      expect(await run()).toBe(exitCode);
      expect((await runAsRoot(container, agents)).stdout).toBe('');
    });

    it('kills no command, read or write of another call', async () => {
      await sandbox.writeFile('/workspace/read', 'read');
      const slow = `cd $(dirname /var/lib/airlock/*/inside.sh) && sed -i \\
        -e 's/part=(dd /part=(bash -c '\\''sleep 0.5; exec dd "$@"'\\'' dd /' \\
        -e 's/cat >"$draft"/sleep 0.5; &/' inside.sh; grep -c 'sleep 0.5' inside.sh`;
      expect((await runAsRoot(container, slow)).stdout).toBe('2\n');
      const calls = Promise.all([
        sandbox.exec(shell('( (sleep 0.4; echo orphan) & ); sleep 0.6; echo done'), limits),
        sandbox.readFile('/workspace/read', range),
        sandbox.writeFile('/workspace/written', 'written'),
      ]);
      expect(await ended(sandbox, 'short', 'sleep 0.1')).toBe(0);
      const [{ stdout }, read] = await calls;
      expect(stdout).toBe('orphan\ndone\n');
      expect(new TextDecoder().decode(read?.bytes)).toBe('read');
      expect((await sandbox.exec(shell('cat /workspace/written'), limits)).stdout).toBe('written');
    });

    it('is reported as 137 at once if the supervisor of a run was killed', async () => {
      await sandbox.startRun('abandoned', shell('echo begun; setsid sleep 3672'));
      await sandbox.readRun('abandoned', { ...range, waitMs: 30_000 });
      const waiting = sandbox.readRun('abandoned', { ...range, offset: 6, waitMs: 30_000 });
      await asRoot(container, `pkill -KILL -f 'inside.sh supervise'`);
      expect(await waiting).toMatchObject({ size: 6, exitCode: 137 });
      expect((await runAsRoot(container, agents)).stdout).not.toMatch(/^[^Z]/m);
    });

    it('leaves room to collect the change when zombies fill the limit of processes', async () => {
      await asRoot(container, 'printf 16 > $(echo /var/lib/airlock/*/processes)');
      // Of a parent that waits for none of them.
      const parent = 'for (1..40) { if (!fork) { $< = $> = 1000; exit } } sleep 3600';
      const orphans = `setsid perl -e '${parent}' >/dev/null 2>&1 </dev/null &`;
      await asRoot(container, orphans);
      const zombies = async () => (await runAsRoot(container, agents)).stdout.match(/^Z/gm)?.length;
      await expect.poll(zombies).toBeGreaterThanOrEqual(40);
      expect(await ended(sandbox, 'limited', ':')).toBe(126);
      const command = { ...shell('(echo kept) | cat'), withoutProcessLimit: true };
      await sandbox.startRun('collect', command);
      const collected = await sandbox.readRun('collect', { ...range, waitMs: 30_000 });
      expect(new TextDecoder().decode(collected.bytes)).toBe('kept\n');
    });
  });

  describe('the connection to the container', () => {
    it('carries a file over the limit of one message, and the calls under way', async () => {
      const { sandbox } = await started();
      await sandbox.startRun('under-way', shell('sleep 3600'));
      const waiting = sandbox.readRun('under-way', { ...range, waitMs: 3_000 });
      const bytes = Buffer.alloc(13 * 1024 * 1024, 'thirteen bytes');
      await sandbox.writeFile('/workspace/large', bytes);
      const { stdout } = await sandbox.exec({ argv: ['sha256sum', '/workspace/large'] }, limits);
      expect(stdout.slice(0, 64)).toBe(createHash('sha256').update(bytes).digest('hex'));
      expect(await waiting).toMatchObject({ size: 0, exitCode: null });
    });
  });

  describe('a sandbox whose container is not the one that was started', () => {
    it.each([
      [
        'without what its start left in it',
        async (container: FakeContainer) => await asRoot(container, 'rm -r /var/lib/airlock'),
      ],
      [
        'on another machine',
        async (container: FakeContainer) =>
          await asRoot(container, 'for f in /var/lib/airlock/*/boot; do echo other > $f; done'),
      ],
      ['restarted in place, with its files', async (container: FakeContainer) => await container.restart()],
    ])('is lost: %s', async (_, change) => {
      const { id, sandbox, container } = await started();
      await change(container);
      // A call at the moment of the restart finds its connection broken, which is transient.
      const read = async () => await sandbox.readFile('/etc/hosts', range).catch((error: unknown) => error);
      await expect.poll(read, { timeout: 60_000 }).toBeInstanceOf(SandboxLostError);
      await expect(sandbox.start(smallSpec)).rejects.toThrow(SandboxLostError);
      expect(host.engine.starts(id)).toBe(1);
      await sandbox.destroy();
      expect(host.engine.container(id)).toBeNull();
    });

    it('is lost when its container has ended, and no call starts another one', async () => {
      const { id, sandbox } = await started();
      const running = sandbox.exec(shell('sleep 3600'), limits).catch((error: unknown) => error);
      await expect.poll(async () => (await sandbox.exec(shell('pgrep sleep'), limits)).exitCode).toBe(0);
      await host.takeAway(id);
      // The platform ends it like a killed program, the SDK like a broken connection.
      expect(await running).toBeInstanceOf(kind === 'native' ? SandboxLostError : Error);
      await expect(sandbox.exec({ argv: ['true'] }, limits)).rejects.toThrow(SandboxLostError);
      await expect(sandbox.start(smallSpec)).rejects.toThrow(SandboxLostError);
      expect(host.engine.starts(id)).toBe(1);
    });
  });

  describe('a container that lies', () => {
    let sandbox: TaskSandbox;
    let container: FakeContainer;
    beforeAll(async () => {
      ({ sandbox, container } = await started());
      await sandbox.startRun('run', { argv: ['true'] });
    });

    it.each([
      ['says nothing', ''],
      ['says something else', 'hello\n'],
      ['says an answer to another question', 'airlock done\n'],
      ['says numbers that are none', 'airlock run -1 x\nAAAA\n'],
      ['says a size without bounds', 'airlock run 99999999999999999999 0\nAAAA\n'],
      ['says bytes that are none', 'airlock run 4 0\n!!!!\n'],
    ])('is not believed when it %s', async (_, text) => {
      const lie = `cat > /tmp/lie <<'END'\nprintf '%s' '${text}'\nEND\nfor f in /var/lib/airlock/*/inside.sh; do cp /tmp/lie $f; done`;
      await asRoot(container, lie);
      const answer = sandbox.readRun('run', { ...range, waitMs: 0 });
      await expect(answer).rejects.toThrow(/the container(?: answered|’s answer is not a reply)/);
      await expect(answer).rejects.not.toThrow(SandboxLostError);
    });

    it('cannot return more bytes than the caller asked for', async () => {
      const lie = `printf 'airlock file 1000000\\n%s\\n' "$(head -c 300000 /dev/zero | base64 -w0)"`;
      await asRoot(
        container,
        `for f in /var/lib/airlock/*/inside.sh; do cat > $f <<'END'\n${lie}\nEND\ndone`,
      );
      expect((await sandbox.readFile('/workspace/x', range))?.bytes).toHaveLength(range.maxBytes);
    });
  });

  describe('calls that the contract does not allow', () => {
    let sandbox: TaskSandbox;
    beforeAll(async () => {
      ({ sandbox } = await started());
    });

    it.each([
      ['a run whose name is a path', async () => await sandbox.startRun('../x', { argv: ['true'] })],
      ['a relative path', async () => await sandbox.writeFile('workspace/x', '')],
      ['a path with a NUL', async () => await sandbox.readFile('/workspace/\0', range)],
      ['a command without a program', async () => await sandbox.exec({ argv: [] }, limits)],
      [
        'a variable of no plain name',
        async () => await sandbox.exec({ argv: ['true'], env: { 'A B': '' } }, limits),
      ],
    ])('are refused before anything is sent: %s', async (_, call) => {
      const before = { logged: host.logged.length, programs: host.engine.programs() };
      await expect(call()).rejects.toThrow(/absolute|plain name|program/);
      expect(host.logged.slice(before.logged).join('')).not.toContain('inside.sh');
      expect(host.engine.programs()).toBe(before.programs);
    });
  });

  describe('a deployment', () => {
    it('loses nothing: the run continues, and reading resumes where it stopped', async () => {
      const { id, sandbox } = await started();
      await sandbox.startRun('long', shell('echo before; sleep 1; echo after; exit 3'));
      const first = await sandbox.readRun('long', { ...range, waitMs: 5_000 });
      await host.restart();
      await expect
        .poll(
          async () => (await sandbox.readRun('long', { ...range, offset: first.size, waitMs: 500 })).exitCode,
        )
        .toBe(3);
      const rest = await sandbox.readRun('long', { ...range, offset: first.size, waitMs: 0 });
      expect(new TextDecoder().decode(rest.bytes)).toBe('after\n');
      expect(host.engine.starts(id)).toBe(1);
      await sandbox.destroy();
      expect(host.engine.container(id)).toBeNull();
    });
  });

  it('starts on a retry if the platform could not start its container', async () => {
    const id = host.sandboxes.idFor(newTaskId());
    const sandbox = host.sandboxes.get(id);
    host.engine.refuseNextStart();
    await expect(sandbox.start(smallSpec)).rejects.toThrow('failed to start');
    await sandbox.start(smallSpec);
    expect((await sandbox.exec({ argv: ['echo', 'started'] }, limits)).stdout).toBe('started\n');
    expect(host.engine.starts(id)).toBe(1);
    await sandbox.destroy();
  });

  describe('the end', () => {
    it.each([0, 30, 100, 250])(
      'in the middle of a start, after %i ms, leaves no container',
      async (afterMs) => {
        const id = host.sandboxes.idFor(newTaskId());
        const sandbox = host.sandboxes.get(id);
        const starting = sandbox.start(smallSpec).catch((error: unknown) => error);
        await new Promise((resolve) => setTimeout(resolve, afterMs));
        await sandbox.destroy();
        // A start that takes less time has ended before.
        expect([undefined, expect.any(SandboxLostError)]).toContainEqual(await starting);
        expect(host.engine.container(id)).toBeNull();
        await expect(sandbox.start(smallSpec)).rejects.toThrow(SandboxLostError);
      },
    );

    it('succeeds on a retry when the platform never answered the first call', async () => {
      const { id, sandbox } = await started();
      const hung = host.engine.hangNextEnd(id);
      const first = sandbox.destroy();
      await Promise.all([hung, expect(first).rejects.toThrow('the container still runs')]);
      await expect(sandbox.exec({ argv: ['true'] }, limits)).rejects.toThrow(SandboxLostError);
      await sandbox.destroy();
      expect(host.engine.container(id)).toBeNull();
      await expect(sandbox.start(smallSpec)).rejects.toThrow(SandboxLostError);
      expect(host.engine.starts(id)).toBe(1);
    });

    it('leaves no file and no process of a container, and asks the engine nothing unknown', async () => {
      const { id, sandbox, container } = await started();
      // Checked in its own folder: other engines of this machine start and end too.
      const folder = /^.*\/airlock-engine-[^/]+/.exec(container.etc)?.[0] ?? '';
      expect(existsSync(folder)).toBe(true);
      await sandbox.destroy();
      await sandbox.destroy();
      expect(host.engine.container(id)).toBeNull();
      expect(existsSync(folder)).toBe(false);
      expect(host.engine.unknown).toEqual([]);
    });
  });

  // Last: no container of this engine is intercepted from here on.
  describe('a platform that does not intercept', () => {
    it('ends the start with these words, although the server exits without the authority', async () => {
      host.engine.stopIntercepting(1_500);
      const sandbox = host.sandboxes.get(host.sandboxes.idFor(newTaskId()));
      // On a busy machine the server exits before the first call, which is retried.
      const start = async () => await sandbox.start(smallSpec).catch((error: unknown) => String(error));
      await expect.poll(start, { timeout: 60_000 }).toMatch(/outbound interception is off/);
      await sandbox.destroy();
    });
  });
});
