/**
 * Measures from the start of a sandbox to the end of its first command, for each kind of sandbox on
 * Cloudflare, in alternation. Over the fake engine, which has no machine to find and no image to pull: what
 * remains is workerd, the adapter, and what the class does in the container before the first command.
 */
import { createCertificateAuthority } from '../host/sandbox/certificate-authority.ts';
import { sandboxKinds } from '../host/build-worker.ts';
import type { Sandboxes } from '../src/core/ports/sandbox-port.ts';
import { startCloudflareHost } from '../test/cloudflare/cloudflare-host.ts';
import { newTaskId, smallSpec } from '../test/sandbox/contract-spec.ts';
import { median, round, type Bench } from './metric.ts';

const runs = 7;
const limits = { timeoutMs: 60_000, maxOutputBytes: 1000 };

export const sandboxBench: Bench = {
  name: 'sandbox',
  what: 'start of a sandbox on Cloudflare to its first command, over a fake engine',
  async run(progress) {
    const authority = await createCertificateAuthority(Date.now());
    const places = await Promise.all(
      sandboxKinds.map(async (kind) => {
        const host = await startCloudflareHost(kind, undefined, { authority });
        return { kind, host, starts: new Array<number>(), commands: new Array<number>() };
      }),
    );
    try {
      for (let run = 0; run <= runs; run += 1)
        for (const { kind, host, starts, commands } of places) {
          progress(`${kind}: sandbox ${run + 1} of ${runs + 1}`);
          const { start, command } = await firstCommand(host.sandboxes);
          // The first one also compiles the Worker.
          if (run === 0) continue;
          starts.push(start);
          commands.push(command);
        }
    } finally {
      for (const { host } of places) await host.close();
    }
    return places.flatMap(({ kind, starts, commands }) => [
      {
        name: `Sandbox, ${kind}: start to end of first command, p50`,
        value: round(median(starts), 0),
        unit: 'ms' as const,
        goal: null,
      },
      {
        name: `Sandbox, ${kind}: one more command, p50`,
        value: round(median(commands), 0),
        unit: 'ms' as const,
        goal: null,
      },
    ]);
  },
};

async function firstCommand(sandboxes: Sandboxes): Promise<{ start: number; command: number }> {
  const sandbox = sandboxes.get(sandboxes.idFor(newTaskId()));
  const startedAt = performance.now();
  await sandbox.start(smallSpec);
  await sandbox.exec({ argv: ['true'] }, limits);
  const first = performance.now();
  await sandbox.exec({ argv: ['true'] }, limits);
  const second = performance.now();
  await sandbox.destroy();
  return { start: first - startedAt, command: second - first };
}
