/**
 * Started with extra descriptors by `descriptors.ts`: starts a host and one sandbox, and prints, as JSON, the
 * descriptors of every process inside it.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSandboxHost } from '../host/sandbox/host.ts';
import { localSandboxes } from '../src/sandbox/local.ts';
import { limits, small } from './exhaustion-bench.ts';

const stateDir = await mkdtemp(join(tmpdir(), 'airlock-descriptors-'));
const host = await startSandboxHost({
  stateDir,
  egress: () => ({ origin: 'http://127.0.0.1:9', token: '' }),
});
try {
  const id = randomBytes(32).toString('hex');
  const binding = {
    fetch: async (url: string, init?: RequestInit) => await host.handle(new Request(url, init)),
  };
  const sandbox = localSandboxes(binding, () => id).get(id);
  await sandbox.start(small);
  const script = 'for fd in /proc/[0-9]*/fd/*; do echo "$fd $(readlink "$fd")"; done';
  const { stdout } = await sandbox.exec({ argv: ['/bin/bash', '-c', script] }, limits);
  process.stdout.write(JSON.stringify(stdout.trim().split('\n')));
} finally {
  await host.close();
  await rm(stateDir, { recursive: true, force: true });
}
