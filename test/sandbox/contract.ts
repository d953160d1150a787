/** The contract of `TaskSandbox`, for every implementation. `sealed.test.ts` tests the isolation. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SandboxLostError, type TaskSandbox } from '../../src/core/ports/sandbox-port.ts';
import { describePhases, type PhaseSubject } from './contract-phases.ts';
import { newTaskId, smallSpec } from './contract-spec.ts';

const MiB = 1024 * 1024;
const small = { timeoutMs: 60_000, maxOutputBytes: 64 * 1024 };
const shell = (script: string) => ({ argv: ['/bin/sh', '-c', script] });
const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

export interface ContractSubject extends PhaseSubject {
  /** Simulates the loss of a sandbox: its machine disappears while it works. */
  takeAway(sandboxId: string): Promise<void>;
  close(): Promise<void>;
}

/** `where`: the rules that need `takeAway` or `grant` are left out in a deployment. */
export function describeSandboxContract(
  name: string,
  makeSubject: () => Promise<ContractSubject>,
  where: 'here' | 'deployed' = 'here',
): void {
  describe(`${name} keeps the sandbox contract`, () => {
    let subject: ContractSubject;
    let sandbox: TaskSandbox;
    const newSandbox = () => subject.sandboxes.get(subject.sandboxes.idFor(newTaskId()));

    beforeAll(async () => {
      subject = await makeSubject();
      sandbox = newSandbox();
      await sandbox.start(smallSpec);
    });
    afterAll(async () => {
      await subject.close();
    });

    describe('life', () => {
      it('derives an id of 64 hex digits from the task id', () => {
        const idFor = (taskId: string) => subject.sandboxes.idFor(taskId);
        expect(idFor('a')).toMatch(/^[0-9a-f]{64}$/);
        expect(idFor('a')).toBe(idFor('a'));
        expect(idFor('a')).not.toBe(idFor('b'));
      });

      it('starts once, even for repeated and concurrent calls', async () => {
        const one = newSandbox();
        await Promise.all([one.start(smallSpec), one.start(smallSpec), one.start(smallSpec)]);
        await one.writeFile('/workspace/kept', 'yes');
        await one.start(smallSpec);
        expect((await one.exec({ argv: ['cat', '/workspace/kept'] }, small)).stdout).toBe('yes');
        await one.destroy();
      });

      it('never starts again after it was destroyed', async () => {
        const one = newSandbox();
        await one.start(smallSpec);
        await Promise.all([one.destroy(), one.destroy()]);
        await one.destroy();
        await expect(one.start(smallSpec)).rejects.toThrow(SandboxLostError);
        await expect(one.exec({ argv: ['true'] }, small)).rejects.toThrow(SandboxLostError);
        await expect(one.readFile('/etc/hosts', { offset: 0, maxBytes: 10 })).rejects.toThrow(
          SandboxLostError,
        );
      });

      it('can be destroyed before it was started, and then does not start', async () => {
        const one = newSandbox();
        await one.destroy();
        await expect(one.start(smallSpec)).rejects.toThrow(SandboxLostError);
      });

      it('can be destroyed while it is starting', async () => {
        const one = newSandbox();
        const starting = one.start(smallSpec).then(
          () => 'started',
          (error: unknown) => error,
        );
        await one.destroy();
        expect(await starting).toBeInstanceOf(SandboxLostError);
        await expect(one.exec({ argv: ['true'] }, small)).rejects.toThrow(SandboxLostError);
      });

      it('reports itself as lost if it was never started', async () => {
        await expect(newSandbox().exec({ argv: ['true'] }, small)).rejects.toThrow(SandboxLostError);
      });

      it.skipIf(where === 'deployed')(
        'is lost when its machine disappears, and no call starts it again',
        async () => {
          const sandboxId = subject.sandboxes.idFor(newTaskId());
          const one = subject.sandboxes.get(sandboxId);
          await one.start(smallSpec);
          await one.startRun('working', shell('sleep 60'));
          const waiting = one
            .readRun('working', { offset: 0, maxBytes: 10, waitMs: 20_000 })
            .catch((error: unknown) => error);
          await subject.takeAway(sandboxId);
          expect(await waiting).toBeInstanceOf(Error);
          const range = { offset: 0, maxBytes: 10 };
          const calls = [
            async () => await one.exec({ argv: ['true'] }, small),
            async () => await one.writeFile('/workspace/x', 'x'),
            async () => await one.readFile('/etc/hosts', range),
            async () => await one.startRun('again', { argv: ['true'] }),
            async () => await one.readRun('working', { ...range, waitMs: 0 }),
            async () => await one.start(smallSpec),
          ];
          for (const call of calls) await expect(call()).rejects.toThrow(SandboxLostError);
          await one.destroy();
        },
      );

      it('ends its running commands when it is destroyed', async () => {
        const one = newSandbox();
        await one.start(smallSpec);
        const running = one
          .exec({ argv: ['sleep', '60'] }, { ...small, timeoutMs: 60_000 })
          .catch((error: unknown) => error);
        await one.destroy();
        expect(await running).toBeInstanceOf(Error);
      });
    });

    describe('files', () => {
      it('creates parent folders and reads a written file back in parts', async () => {
        await sandbox.writeFile('/workspace/a/b/ü.txt', 'grüße');
        const whole = await sandbox.readFile('/workspace/a/b/ü.txt', { offset: 0, maxBytes: 100 });
        expect(whole?.size).toBe(7);
        expect(text(whole?.bytes)).toBe('grüße');
        expect(
          text((await sandbox.readFile('/workspace/a/b/ü.txt', { offset: 2, maxBytes: 2 }))?.bytes),
        ).toBe('ü');
        expect(
          (await sandbox.readFile('/workspace/a/b/ü.txt', { offset: 99, maxBytes: 2 }))?.bytes,
        ).toHaveLength(0);
      });

      it('writes arbitrary bytes unchanged', async () => {
        const bytes = Uint8Array.from({ length: 2 * MiB + 7 }, (_, at) => (at * 31 + (at >> 8)) & 0xff);
        await sandbox.writeFile('/workspace/bytes', bytes);
        const sum = await sandbox.exec({ argv: ['sha256sum', '/workspace/bytes'] }, small);
        expect(sum.stdout.slice(0, 64)).toBe(createHash('sha256').update(bytes).digest('hex'));
        const end = await sandbox.readFile('/workspace/bytes', { offset: 2 * MiB, maxBytes: 100 });
        expect([...(end?.bytes ?? [])]).toEqual([...bytes.subarray(2 * MiB)]);
      });

      it('replaces the whole file', async () => {
        await sandbox.writeFile('/workspace/replaced', 'a long first content');
        await sandbox.writeFile('/workspace/replaced', 'short');
        expect(
          text((await sandbox.readFile('/workspace/replaced', { offset: 0, maxBytes: 100 }))?.bytes),
        ).toBe('short');
      });

      it('reads at most 1 MiB at once', async () => {
        await sandbox.writeFile('/workspace/large', 'x'.repeat(3 * MiB));
        const part = await sandbox.readFile('/workspace/large', { offset: 0, maxBytes: 2 * MiB });
        expect(part).toMatchObject({ size: 3 * MiB });
        expect(part?.bytes).toHaveLength(MiB);
      });

      it.each([
        ['a missing file', 'true', '/workspace/nothing'],
        ['a folder', 'mkdir -p /workspace/folder', '/workspace/folder'],
        ['a FIFO without a writer', 'mkfifo /workspace/fifo', '/workspace/fifo'],
        ['a device', 'true', '/dev/zero'],
        ['a dangling link', 'ln -s nowhere /workspace/dangling', '/workspace/dangling'],
        ['a link to itself', 'ln -s circle /workspace/circle', '/workspace/circle'],
      ])('reads null from %s without hanging', async (_, setUp, path) => {
        await sandbox.exec(shell(setUp), small);
        expect(await sandbox.readFile(path, { offset: 0, maxBytes: 100 })).toBeNull();
      });

      it('replaces a FIFO instead of waiting for its reader', async () => {
        await sandbox.exec(shell('mkfifo /workspace/replace-me'), small);
        await sandbox.writeFile('/workspace/replace-me', 'file');
        expect(
          text((await sandbox.readFile('/workspace/replace-me', { offset: 0, maxBytes: 100 }))?.bytes),
        ).toBe('file');
      });

      it('rejects a write that the file system refuses', async () => {
        await expect(sandbox.writeFile('/usr/bin/sh', 'x')).rejects.toThrow(/EROFS|EACCES|EPERM/);
      });
    });

    describe('commands', () => {
      it('returns exit code and both outputs, and passes arguments unchanged', async () => {
        const script = 'printf "%s" "$1"; printf problem >&2; exit 7';
        const result = await sandbox.exec({ argv: ['/bin/sh', '-c', script, 'sh', '$(id) "; ü\n'] }, small);
        expect(result).toEqual({
          exitCode: 7,
          stdout: '$(id) "; ü\n',
          stderr: 'problem',
          truncated: false,
          timedOut: false,
        });
      });

      it('runs in the workspace or the given folder, with the given environment', async () => {
        const here = await sandbox.exec({ argv: ['pwd'] }, small);
        const there = await sandbox.exec(
          { ...shell('pwd; echo $GIVEN'), cwd: '/tmp', env: { GIVEN: 'value' } },
          small,
        );
        expect([here.stdout, there.stdout]).toEqual(['/workspace\n', '/tmp\nvalue\n']);
      });

      it.each([
        ['a missing program', { argv: ['no-such-program'] }, 127],
        ['a missing folder', { argv: ['true'], cwd: '/nowhere' }, 127],
        ['a file that is not executable', { argv: ['/etc/hosts'] }, 126],
        ['a program killed by a signal', shell('kill -9 $$'), 137],
      ])('ends with the exit code of a shell for %s', async (_, command, exitCode) => {
        expect((await sandbox.exec(command, small)).exitCode).toBe(exitCode);
      });

      it('gives commands an empty standard input', async () => {
        expect((await sandbox.exec({ argv: ['cat'] }, small)).exitCode).toBe(0);
      });

      it('caps each of the two outputs', async () => {
        const result = await sandbox.exec(shell('head -c 100000 /dev/zero | tr "\\0" x; echo error >&2'), {
          ...small,
          maxOutputBytes: 1000,
        });
        expect(result).toMatchObject({
          exitCode: 0,
          stdout: 'x'.repeat(1000),
          stderr: 'error\n',
          truncated: true,
        });
      });

      it('kills a command at its deadline, with children, other sessions and orphans', async () => {
        const script =
          'sleep 3671 & setsid sleep 3671 & (setsid sh -c "sleep 3671 & sleep 3671" &) ; sleep 3671';
        const result = await sandbox.exec(shell(script), { ...small, timeoutMs: 300 });
        expect(result).toMatchObject({ timedOut: true, exitCode: 137 });
        expect((await sandbox.exec({ argv: ['pgrep', '-fx', 'sleep 3671'] }, small)).stdout).toBe('');
      });

      it('does not wait for a background process that keeps the output open', async () => {
        const result = await sandbox.exec(shell('sleep 3600 & echo done'), small);
        expect(result).toMatchObject({ exitCode: 0, stdout: 'done\n', timedOut: false });
      });
    });

    describe('detached runs', () => {
      it('keeps the output readable from any offset, and the exit code', async () => {
        await sandbox.startRun('plain', shell('printf 0123456789; exit 3'));
        await expect
          .poll(async () => (await sandbox.readRun('plain', { offset: 0, maxBytes: 0, waitMs: 0 })).exitCode)
          .toBe(3);
        const middle = await sandbox.readRun('plain', { offset: 4, maxBytes: 3, waitMs: 0 });
        expect([text(middle.bytes), middle.size, middle.exitCode]).toEqual(['456', 10, 3]);
      });

      it('starts a run once, even for concurrent and later calls', async () => {
        const command = shell('echo started >> /workspace/starts; sleep 0.2');
        await Promise.all([1, 2, 3].map(async () => await sandbox.startRun('once', command)));
        await sandbox.startRun('once', command);
        await expect
          .poll(
            async () => (await sandbox.readRun('once', { offset: 0, maxBytes: 10, waitMs: 100 })).exitCode,
          )
          .toBe(0);
        await sandbox.startRun('once', command);
        expect((await sandbox.exec({ argv: ['cat', '/workspace/starts'] }, small)).stdout).toBe('started\n');
      });

      // Waits to their end would add up to more than the deadline of a test.
      const manyWaits = [1, 2, 3, 4, 5, 6];

      it('waits for output and returns when there is some, before the wait is over', async () => {
        const script = manyWaits.map(
          (wait) => `until test -e /tmp/${wait}; do sleep 0.02; done; echo ${wait}`,
        );
        await sandbox.startRun('slow', shell(`${script.join('\n')}\nsleep 3600`));
        expect(await sandbox.readRun('slow', { offset: 0, maxBytes: 10, waitMs: 50 })).toMatchObject({
          size: 0,
          exitCode: null,
        });
        for (const [index, wait] of manyWaits.entries()) {
          const chunk = sandbox.readRun('slow', { offset: 2 * index, maxBytes: 10, waitMs: 30_000 });
          await sandbox.exec({ argv: ['touch', `/tmp/${wait}`] }, small);
          const { bytes, exitCode } = await chunk;
          expect([text(bytes), exitCode]).toEqual([`${wait}\n`, null]);
        }
      });

      it('stops waiting when the run ends without output', async () => {
        for (const wait of manyWaits) {
          await sandbox.startRun(`silent-${wait}`, shell('sleep 0.2; exit 4'));
          const range = { offset: 0, maxBytes: 10, waitMs: 30_000 };
          expect(await sandbox.readRun(`silent-${wait}`, range)).toMatchObject({ size: 0, exitCode: 4 });
        }
      });

      it('reports the exit code only after all writers are gone', async () => {
        await sandbox.startRun(
          'leftover',
          shell('(while :; do echo again; sleep 0.01; done) & setsid sleep 72 & sleep 0.1; exit 0'),
        );
        let size = -1;
        await expect
          .poll(async () => {
            const chunk = await sandbox.readRun('leftover', { offset: 0, maxBytes: 0, waitMs: 0 });
            size = chunk.size;
            return chunk.exitCode;
          })
          .toBe(0);
        await new Promise((resolve) => setTimeout(resolve, 200));
        expect((await sandbox.readRun('leftover', { offset: 0, maxBytes: 0, waitMs: 0 })).size).toBe(size);
        expect((await sandbox.exec({ argv: ['pgrep', '-fx', 'sleep 72'] }, small)).stdout).toBe('');
      });

      it('keeps what a run leaves running, if it asks for that, until the sandbox ends', async () => {
        const script = '(setsid sleep 74 >/dev/null 2>&1 &) ; setsid sleep 75 & sleep 0.1; exit 5';
        await sandbox.startRun('service', { ...shell(script), keepsProcesses: true });
        const range = { offset: 0, maxBytes: 0, waitMs: 30_000 };
        expect((await sandbox.readRun('service', range)).exitCode).toBe(5);
        // The end of another command, with a stray of its own, spares them.
        await sandbox.exec(shell('setsid sleep 76 & true'), small);
        const { stdout } = await sandbox.exec({ argv: ['pgrep', '-fxc', 'sleep 7[45]'] }, small);
        expect(stdout.trim()).toBe('2');
      });

      it('ends with 127 when the program is missing', async () => {
        await sandbox.startRun('missing', { argv: ['no-such-program'] });
        expect((await sandbox.readRun('missing', { offset: 0, maxBytes: 10, waitMs: 5_000 })).exitCode).toBe(
          127,
        );
      });

      it('rejects reading a run that was never started', async () => {
        await expect(sandbox.readRun('unknown', { offset: 0, maxBytes: 10, waitMs: 0 })).rejects.toThrow(
          /run/,
        );
      });
    });

    if (where === 'here') describePhases(() => subject);
  });
}
