/** A sandbox of an ordinary user when the test run is root: its namespaces differ. */
import { spawn } from 'node:child_process';
import { mkdtempSync, chmodSync, chownSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const nobody = 65_534;

async function runAs(uid: number, script: string): Promise<{ stdout: string; stderr: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'airlock-user-'));
  chownSync(folder, uid, uid);
  chmodSync(folder, 0o700);
  try {
    const env = { PATH: '/usr/bin:/bin', TMPDIR: folder };
    const child = spawn(process.execPath, [script], {
      uid,
      gid: uid,
      env,
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 120_000,
    });
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return { stdout, stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe.skipIf(process.geteuid?.() !== 0)('a sandbox started by an ordinary user', () => {
  it('is sealed and limited as well', async (context) => {
    const { stdout, stderr } = await runAs(nobody, fileURLToPath(new URL('run-one.ts', import.meta.url)));
    // Skipped where the other user cannot read the checkout, or where the machine forbids user namespaces.
    if (/EACCES|Cannot find module|user namespaces/.test(stderr)) context.skip(stderr);
    expect(JSON.parse(stdout)).toEqual({
      limits: {
        cpu: 'priority',
        disk: 'file system size and inodes',
        memory: 'watchdog',
        processes: 'user limit and watchdog',
        escapesTo: 'the user who started Airlock',
      },
      stdout:
        '1000\n0000000000000000\n1\nupstream says GET https://api.example.com/\nno user namespace\nprocesses limited\n10\n',
    });
  });
});
