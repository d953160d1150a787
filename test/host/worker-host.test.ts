/** The worker host under a Worker that floods its log or hangs. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  reserveEgress,
  startWorker,
  type WorkerHost,
  type WorkerHostOptions,
} from '../../host/worker-host.ts';

/** More than the kernel keeps for a reader of a pipe. */
const floodBytes = 4 * 1024 * 1024;

const source = `
import { DurableObject, WorkerEntrypoint, WorkflowEntrypoint } from 'cloudflare:workers';
export class TaskRecord extends DurableObject {}
export class TaskInbox extends DurableObject {}
export class TaskIndex extends DurableObject {}
export class Slots extends DurableObject {}
export class TaskWorkflow extends WorkflowEntrypoint { async run() {} }
export class EgressGateway extends WorkerEntrypoint { fetch() { return new Response(); } }
const flood = (write) => { for (let at = 0; at < ${floodBytes}; at += 4096) write('x'.repeat(4096)); };
export default {
  fetch(request) {
    if (new URL(request.url).pathname === '/hang') for (;;);
    return new Response('here');
  },
  scheduled() {
    flood(console.log);
    flood(console.error);
    console.log('the sweep has ended');
  },
};
`;

let folder: string;
let worker: WorkerHost | null = null;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'airlock-worker-host-'));
});
afterEach(async () => {
  await worker?.dispose();
  worker = null;
  await rm(folder, { recursive: true, force: true });
});

async function start(
  options: Partial<WorkerHostOptions> & Pick<WorkerHostOptions, 'log'>,
): Promise<WorkerHost> {
  worker = await startWorker(
    {
      bundle: { directory: folder, modules: [{ type: 'ESModule', path: 'index.js', contents: source }] },
      stateDir: join(folder, 'state'),
      hostname: '127.0.0.1',
      port: 0,
      bindings: {},
      sandboxHost: () => Promise.resolve(new Response()),
      ...options,
    },
    await reserveEgress(),
  );
  return worker;
}

it('sets a damaged file aside, and sweeps and answers while the Worker floods its output pipes', async () => {
  const ended = Promise.withResolvers<void>();
  const records = join(folder, 'state', 'worker', 'do', 'airlock-TaskRecord');
  await mkdir(records, { recursive: true });
  await writeFile(join(records, 'metadata.sqlite'), Buffer.alloc(8192));
  const logged: string[] = [];
  const { url } = await start({
    sweepEveryMs: 20,
    log: (_, message) => {
      logged.push(message);
      if (message === 'the sweep has ended') ended.resolve();
    },
  });
  await ended.promise;
  expect(await (await fetch(url)).text()).toBe('here');
  expect(logged.find((line) => line.includes('"state.damaged"'))).toMatch(
    /"level":"error".*airlock-TaskRecord\/metadata\.sqlite/,
  );
});

it('restarts a workerd that does not answer several times, and says so in the log', async () => {
  const restarted = Promise.withResolvers<string>();
  const { url } = await start({
    watch: { everyMs: 500, misses: 3 },
    log: (_, message) => {
      if (message.includes('"worker.restarted"')) restarted.resolve(message);
    },
  });
  const hangs = fetch(`${url}/hang`).catch(() => 'cut off');
  expect(JSON.parse(await restarted.promise)).toMatchObject({
    event: 'worker.restarted',
    level: 'warn',
    pid: expect.any(Number),
  });
  expect(await hangs).toBe('cut off');
  await expect
    .poll(
      async () =>
        await fetch(url).then(
          ({ status }) => status,
          () => null,
        ),
    )
    .toBe(200);
});
