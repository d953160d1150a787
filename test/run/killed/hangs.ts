/** Starts what tests start: a workerd, a sandbox with a run, a program. Never ends by itself. */
import { spawn } from 'node:child_process';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { expect, it } from 'vitest';
import { newTaskId, smallSpec } from '../../sandbox/contract-spec.ts';
import { localSubject } from '../../sandbox/local-subject.ts';

it('hangs with a workerd, a sandbox and a program', async () => {
  const workerd = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: 'export default { fetch: () => new Response("here") }',
    }),
  );
  const { status } = await workerd.dispatchFetch('http://worker.test/');
  expect(status).toBe(200);
  const { sandboxes } = await localSubject();
  const sandbox = sandboxes.get(sandboxes.idFor(newTaskId()));
  await sandbox.start(smallSpec);
  await sandbox.startRun('long', { argv: ['sleep', '3600'] });
  spawn('sleep', ['3600'], { detached: true, stdio: 'ignore' });
  process.stderr.write('everything runs\n');
  await new Promise(() => undefined);
});
