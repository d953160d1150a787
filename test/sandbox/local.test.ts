import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { SandboxLostError, type ExecLimits } from '../../src/core/ports/sandbox-port.ts';
import { describeSandboxContract } from './contract.ts';
import { newTaskId, smallSpec } from './contract-spec.ts';
import { grantedSubject } from './granted-subject.ts';
import { localSubject, type LocalSubject } from './local-subject.ts';

describeSandboxContract('the local sandbox', grantedSubject);

const small = { timeoutMs: 60_000, maxOutputBytes: 10_000 };

async function withSubject(
  options: Parameters<typeof localSubject>[0],
  use: (subject: LocalSubject) => Promise<void>,
) {
  const subject = await localSubject(options);
  try {
    await use(subject);
  } finally {
    await subject.close();
  }
}

describe('the local sandbox', () => {
  it('has less processor time than other programs from the first ordinary command on', async () => {
    await withSubject({}, async ({ sandboxes, host }) => {
      const id = sandboxes.idFor(newTaskId());
      const sandbox = sandboxes.get(id);
      await sandbox.start(smallSpec);
      const group = `airlock-${process.pid}-${id.slice(0, 16)}`;
      const read = (file: string) => readFile(file, 'utf8').then(Number, () => null);
      async function share(limits: ExecLimits) {
        const { stdout } = await sandbox.exec({ argv: ['nice'] }, limits);
        const weights = await Promise.all([
          read(`/sys/fs/cgroup/${group}/cpu.weight`),
          read(`/sys/fs/cgroup/cpu/${group}/cpu.shares`),
        ]);
        return [stdout.trim(), ...weights].join(' ');
      }
      const early = { ...small, atOrdinaryPriority: true } as const;
      const shares = [await share(early), await share(early), await share(small), await share(early)];
      const [ordinary, lowered] =
        host.limits.cpu === 'priority'
          ? ['0  ', '10  ']
          : shares[0] === '0 100 '
            ? ['0 100 ', '0 12 ']
            : ['0  1024', '0  128'];
      expect(shares).toEqual([ordinary, ordinary, lowered, lowered]);
      await sandbox.destroy();
    });
  });

  it('has room for a run without the limit of processes when an earlier run has used it up', async () => {
    await withSubject({}, async ({ sandboxes }) => {
      const sandbox = sandboxes.get(sandboxes.idFor(newTaskId()));
      await sandbox.start({ ...smallSpec, maxProcesses: 40 });
      const bomb = 'while (1) { $p = fork; exec "sleep", "60" if defined $p && !$p }';
      await sandbox.startRun('bomb', { argv: ['perl', '-e', bomb] });
      const status = async () => (await sandbox.exec({ argv: ['true'] }, small)).exitCode;
      await expect.poll(status).toBe(126);
      const command = { argv: ['/bin/sh', '-c', '(echo kept) | cat'], withoutProcessLimit: true };
      await sandbox.startRun('collect', command);
      const { bytes } = await sandbox.readRun('collect', { offset: 0, maxBytes: 10, waitMs: 30_000 });
      expect(new TextDecoder().decode(bytes)).toBe('kept\n');
    });
  });

  it('is lost when its init is killed, and leaves nothing on the host', async () => {
    await withSubject({}, async ({ sandboxes, host, events }) => {
      const sandbox = sandboxes.get(sandboxes.idFor(newTaskId()));
      await sandbox.start(smallSpec);
      const killed = sandbox.exec({ argv: ['/bin/sh', '-c', 'kill -9 $PPID; sleep 5'] }, small);
      await expect(killed).rejects.toThrow(SandboxLostError);
      await expect(sandbox.start(smallSpec)).rejects.toThrow(SandboxLostError);
      await expect.poll(() => host.list()).toEqual([]);
      await expect.poll(() => events.at(-1)).toMatchObject({ event: 'sandbox.ended' });
    });
  });

  it('is lost when its host ends while it runs', async () => {
    const stateDir = await mkdtemp(join(tmpdir(), 'airlock-test-'));
    const taskId = newTaskId();
    await withSubject({ stateDir }, async ({ sandboxes }) => {
      await sandboxes.get(sandboxes.idFor(taskId)).start(smallSpec);
    });
    await withSubject({ stateDir }, async ({ sandboxes }) => {
      const sandbox = sandboxes.get(sandboxes.idFor(taskId));
      await expect(sandbox.start(smallSpec)).rejects.toThrow(SandboxLostError);
      await expect(sandbox.exec({ argv: ['true'] }, small)).rejects.toThrow(SandboxLostError);
    });
    await rm(stateDir, { recursive: true });
  });

  it('is refused while the host is full, and can start later', async () => {
    await withSubject({ maxSandboxes: 1 }, async ({ sandboxes }) => {
      const [first, second] = [newTaskId(), newTaskId()].map((id) => sandboxes.get(sandboxes.idFor(id)));
      await first?.start(smallSpec);
      const refused = await second?.start(smallSpec).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(Error);
      expect(refused).not.toBeInstanceOf(SandboxLostError);
      await first?.destroy();
      await second?.start(smallSpec);
    });
  });

  it.each([
    ['an invalid sandbox id', '/sandboxes/..%2f..%2fetc/start', 400],
    ['a run whose name is a path', `/sandboxes/${'a'.repeat(64)}/runs/..%2fx`, 400],
    ['a file without a path', `/sandboxes/${'a'.repeat(64)}/file`, 400],
    ['an unknown route', '/anything', 404],
  ])('refuses %s', async (_, path, status) => {
    await withSubject({}, async ({ host }) => {
      const method = path.endsWith('/start') ? 'POST' : 'GET';
      const body = method === 'POST' ? { body: JSON.stringify(smallSpec) } : {};
      expect((await host.handle(new Request(`http://sandbox-host${path}`, { method, ...body }))).status).toBe(
        status,
      );
    });
  });

  it('removes its temporary files at the end', async () => {
    // A temporary folder of its own, because other hosts on this machine start and end meanwhile.
    const folder = await mkdtemp(join(tmpdir(), 'al-'));
    vi.stubEnv('TMPDIR', folder);
    const ours = async () => (await readdir(folder)).filter((name) => name.startsWith('airlock-sandboxes-'));
    try {
      await withSubject({}, async ({ sandboxes }) => {
        await sandboxes.get(sandboxes.idFor(newTaskId())).start(smallSpec);
        expect(await ours()).toHaveLength(1);
      });
      expect(await ours()).toEqual([]);
    } finally {
      vi.unstubAllEnvs();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
