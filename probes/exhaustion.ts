/**
 * Probes that exhaust processes, memory, disk, output and connections. Each runs in a sandbox of its own and
 * is driven from outside, because it may end the sandbox. The machine and the neighbouring sandbox must be
 * unharmed afterwards.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ended,
  inside,
  MiB,
  orEnded,
  small,
  tasksOnHost,
  unharmed,
  type ExhaustionBench,
  type HostProbe,
} from './exhaustion-bench.ts';

const fill = (id: string, folder: string): HostProbe<ExhaustionBench> => ({
  id,
  attack: `a disk without end in ${folder}`,
  expected: ['ENOSPC', 'EFBIG'],
  run: async (bench) => {
    const sandbox = await bench.fresh();
    const { last } = await inside(
      sandbox,
      'node',
      `import { openSync, writeSync } from 'node:fs';
const block = Buffer.alloc(1024 * 1024);
process.on('SIGXFSZ', () => undefined);
let files = 0;
try { for (let file = openSync('${folder}/fill0', 'w'), n = 1; n < 4096; n++) { if (n % 16 === 0) file = openSync('${folder}/fill' + ++files, 'w'); writeSync(file, block); } console.log('WRITTEN'); }
catch (error) { console.log(error.code); }`,
    );
    await unharmed(bench);
    await sandbox.destroy();
    return last;
  },
});

const files = (id: string, folder: string): HostProbe<ExhaustionBench> => ({
  id,
  attack: `empty files without end in ${folder}, which take the kernel’s memory`,
  expected: ['ENOSPC'],
  run: async (bench) => {
    const sandbox = await bench.fresh();
    const { last } = await inside(
      sandbox,
      'node',
      `import { mkdirSync, writeFileSync } from 'node:fs';
mkdirSync('${folder}/many');
try { for (let n = 0; n < 60_000; n++) writeFileSync('${folder}/many/' + n, ''); console.log('MADE'); } catch (error) { console.log(error.code); }`,
    );
    await unharmed(bench);
    await sandbox.destroy();
    return last;
  },
});

export const resourceProbes: readonly HostProbe<ExhaustionBench>[] = [
  {
    id: 'fork-bomb',
    attack: 'a fork bomb',
    expected: ['capped', ended],
    run: async (bench) => {
      const sandbox = await bench.fresh();
      const before = tasksOnHost();
      let most = 0;
      const timer = setInterval(() => (most = Math.max(most, tasksOnHost() - before)), 50);
      const got = await orEnded(async () => {
        await inside(sandbox, 'bash', 'bomb() { bomb | bomb & }; bomb; sleep 30', 2_000);
        return 'capped';
      });
      clearInterval(timer);
      await sandbox.destroy();
      await unharmed(bench);
      if (most < small.maxProcesses / 4) throw new Error('the bomb did not fork');
      // Other sandboxes and programs of this machine start and end processes too.
      return most > small.maxProcesses + 500 ? `${most} more processes on the machine` : got;
    },
  },
  {
    id: 'memory',
    attack: 'all memory',
    expected: ['killed', ended],
    run: async (bench) => {
      const sandbox = await bench.fresh();
      const got = await orEnded(async () => {
        const { exitCode } = await inside(
          sandbox,
          'node',
          'const kept = []; setInterval(() => kept.push(Buffer.alloc(32 * 1024 * 1024, 1)), 5);',
        );
        return exitCode === 137 || exitCode === 134 ? 'killed' : `exit ${exitCode}`;
      });
      await unharmed(bench);
      await sandbox.destroy();
      return got;
    },
  },
  fill('disk-workspace', '/workspace'),
  fill('disk-tmp', '/tmp'),
  fill('disk-home', '/home/codex'),
  fill('disk-shm', '/dev/shm'),
  fill('disk-outputs', '/run/airlock'),
  files('files-workspace', '/workspace'),
  files('files-tmp', '/tmp'),
  files('files-home', '/home/codex'),
  files('files-shm', '/dev/shm'),
  files('files-outputs', '/run/airlock'),
  {
    id: 'big-file',
    attack: 'a file of 100 GB that holds nothing',
    expected: ['EFBIG'],
    run: async (bench) => {
      const sandbox = await bench.fresh();
      const { last } = await inside(
        sandbox,
        'node',
        `import { truncateSync, writeFileSync } from 'node:fs';
process.on('SIGXFSZ', () => undefined);
writeFileSync('/tmp/sparse', ''); try { truncateSync('/tmp/sparse', 100e9); console.log('MADE'); } catch (error) { console.log(error.code); }`,
      );
      await sandbox.destroy();
      return last;
    },
  },
  {
    id: 'big-log',
    attack: 'a log of 100 GB',
    expected: ['capped at 256 MiB'],
    run: async (bench) => {
      const sandbox = await bench.fresh();
      await sandbox.startRun('log', { argv: ['bash', '-c', 'head -c 100000000000 /dev/zero; sleep 1'] });
      for (let size = 0, waited = 0; ; waited++) {
        const chunk = await sandbox.readRun('log', {
          offset: Number.MAX_SAFE_INTEGER,
          maxBytes: 0,
          waitMs: 0,
        });
        if (chunk.exitCode !== null || (chunk.size === size && waited > 20) || waited > 100) {
          await sandbox.destroy();
          await unharmed(bench);
          if (chunk.size < MiB) throw new Error('nothing was logged');
          return chunk.size <= 256 * MiB ? 'capped at 256 MiB' : `${chunk.size} bytes`;
        }
        ({ size } = chunk);
        await sleep(100);
      }
    },
  },
  {
    id: 'big-output',
    attack: 'a command whose output never ends',
    expected: ['cut off'],
    run: async (bench) => {
      const sandbox = await bench.fresh();
      const { truncated, timedOut, stdout } = await sandbox.exec(
        { argv: ['cat', '/dev/zero'] },
        { timeoutMs: 1_000, maxOutputBytes: 1_000 },
      );
      await sandbox.destroy();
      return truncated && timedOut && stdout.length === 1_000 ? 'cut off' : `${stdout.length} characters`;
    },
  },
  {
    id: 'open-files',
    attack: 'more open files than anybody needs',
    expected: ['EMFILE'],
    run: async (bench) => {
      const sandbox = await bench.fresh();
      const { last } = await inside(
        sandbox,
        'node',
        `import { openSync } from 'node:fs';
try { for (let n = 0; n < 100_000; n++) openSync('/dev/null'); console.log('OPENED'); } catch (error) { console.log(error.code); }`,
      );
      await sandbox.destroy();
      return last;
    },
  },
  {
    id: 'connections',
    attack: 'two thousand connections to the gateway',
    expected: ['others are served'],
    run: async (bench) => {
      const sandbox = await bench.fresh();
      const flood = inside(
        sandbox,
        'node',
        `import { connect } from 'node:net';
let held = 0;
for (let n = 0; n < 2000; n++) connect(443, '127.0.0.1').on('connect', () => held++).on('error', () => undefined);
setTimeout(() => { console.log(held > 200 ? 'held' : held + ' connections'); process.exit(); }, 2500);`,
      );
      await sleep(1_000);
      const { last } = await inside(
        bench.neighbour,
        'bash',
        `curl -s -m 5 https://example.com/ | grep -oE 'host.not-granted'`,
      );
      if ((await flood).last !== 'held') throw new Error('there was no flood');
      await sandbox.destroy();
      return last === 'host.not-granted' ? 'others are served' : `the neighbouring sandbox got “${last}”`;
    },
  },
];
