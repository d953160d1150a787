/**
 * Probes of what crosses the boundaries of a sandbox besides its requests: what the host had open, what the
 * setup cache carries to other tasks, the control channel, the debugger of init, and a transfer that outlives
 * its phase.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSetupCache } from '../host/sandbox/setup-cache.ts';
import type { TaskSandbox } from '../src/core/ports/sandbox-port.ts';
import { inheritedDescriptors, leakOf } from './descriptors.ts';
import {
  ended,
  inside,
  limits,
  MiB,
  orEnded,
  unharmed,
  type ExhaustionBench,
  type HostProbe,
} from './exhaustion-bench.ts';

const descriptors = inheritedDescriptors.map(({ kind, at }, index): HostProbe<ExhaustionBench> => ({
  id: `descriptor-${at}`,
  attack: `a ${kind} that the host’s starter had open at ${at}`,
  expected: ['not there'],
  run: async (bench) => leakOf(await bench.descriptors(), index),
}));

const clone = 'workspace/repo';
const packages = `${clone}/node_modules`;
const isOutside = 'is outside the package folders and the clone';
const isSettings = 'is read as settings by git or an agent';

/** What a hijacked packer could put into the archive of the next task, how, and why it is refused. */
const plants: readonly (readonly [what: string, name: string, make: string, why: string])[] = [
  ['instructions for Codex', 'home/codex/.codex/AGENTS.md', 'echo obey >', isOutside],
  ['settings of git', 'home/codex/.gitconfig', 'echo "[core] fsmonitor = evil" >', isOutside],
  ['a hook of the clone', `${clone}/.git/hooks/post-checkout`, 'echo evil >', 'belongs to git'],
  ['instructions at the top of the clone', `${clone}/AGENTS.md`, 'echo obey >', isSettings],
  ['a link out of the packages', `${packages}/x`, 'ln -s /home/codex', 'links out of its folder'],
  [
    'a program with the set-user-id bit',
    `${packages}/x`,
    'install -m 4755 /bin/true',
    'has a set-user-id, set-group-id or sticky bit',
  ],
  ['a named pipe', `${packages}/x`, 'mkfifo', 'it has a fifo'],
];

/** Packs inside, and stores and reads outside as the host does. */
async function carried(sandbox: TaskSandbox, name: string, make: string): Promise<string> {
  const { last } = await inside(
    sandbox,
    'bash',
    `rm -rf /tmp/pack && mkdir -p "$(dirname /tmp/pack/${name})" && cd /tmp/pack && ${make} ${name} && tar -czf /tmp/archive.tgz ${name} && echo packed`,
  );
  if (last !== 'packed') throw new Error(`nothing was packed: ${last}`);
  const file = await sandbox.readFile('/tmp/archive.tgz', { offset: 0, maxBytes: MiB });
  if (file === null) throw new Error('there is no archive');
  const folder = await mkdtemp(join(tmpdir(), 'airlock-probe-cache-'));
  try {
    const cache = openSetupCache(folder);
    const entry = { repositoryId: 1, key: createHash('sha256').update(randomUUID()).digest('hex') };
    const expected = {
      sha256: createHash('sha256').update(file.bytes).digest('hex'),
      bytes: file.bytes.length,
      storedBy: { taskId: 'probe', repository: 'acme/split-bill' },
    };
    const stored = await cache.write(entry, expected, async (part) => (part === 0 ? file.bytes : null));
    if (stored.kind === 'refused') return stored.reason;
    if (stored.kind !== 'stored') throw new Error(`it is ${stored.kind}`);
    return `stored, then ${(await cache.read(entry, async () => await Promise.resolve())).kind}`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const cached = plants.map(([what, name, make, why]): HostProbe<ExhaustionBench> => ({
  id: `cache-${what.toLowerCase().replaceAll(' ', '-')}`,
  attack: `${what} for later tasks, in the setup cache`,
  expected: [`\`${name}\` ${why}`, why],
  run: async (bench) => {
    const sandbox = await bench.fresh();
    const harmless = await carried(sandbox, `${packages}/index.js`, 'echo 1 >');
    if (harmless !== 'stored, then restored') throw new Error(`a harmless archive: ${harmless}`);
    const got = await carried(sandbox, name, make);
    await sandbox.destroy();
    return got;
  },
}));

export const crossingProbes: readonly HostProbe<ExhaustionBench>[] = [
  ...descriptors,
  ...cached,
  {
    id: 'forged-answer',
    attack: 'a forged answer on the control channel of the first process',
    // A kernel with ptrace restricted to descendants gives nobody the channel.
    expected: [ended, 'the channel: EPERM'],
    run: async (bench) => {
      const sandbox = await bench.fresh();
      const got = await orEnded(async () => {
        const { last } = await inside(
          sandbox,
          'perl',
          `use Errno; sub name { (sort grep { $!{$_} } keys %!)[0] }
my ($init) = split /\\s/, \`pgrep -f sandbox-init\`;
die "no init" unless $init;
my $process = syscall(434, $init + 0, 0);
die "no handle on init: " . name() if $process < 0;
my $channel = syscall(438, $process, 1, 0);
if ($channel < 0) { print "the channel: ", name(), "\\n"; exit }
open(my $out, ">&=", $channel) or die "no file";
my $answer = '{"id":0,"ok":true}';
my $sent = 0;
for (1 .. 1000) { $sent += syswrite($out, pack("NN", length $answer, 0) . $answer) // 0 }
die "nothing was sent" unless $sent;
sleep 1;
print "SENT\\n";`,
        );
        await sandbox.exec({ argv: ['true'] }, limits);
        return last;
      });
      await unharmed(bench);
      await sandbox.destroy();
      return got;
    },
  },
  {
    id: 'inspector',
    attack: 'the debugger of the first process, which can read its channel',
    expected: ['closed', ended],
    run: async (bench) => {
      const sandbox = await bench.fresh();
      const got = await orEnded(async () => {
        const { last } = await inside(
          sandbox,
          'bash',
          // A process of its own, without the switch, must open it.
          `opens() { sleep 1; (exec 3<>/dev/tcp/127.0.0.1/9229) 2>/dev/null; }
node -e 'setTimeout(() => {}, 10000)' & sleep 1; kill -USR1 $!; opens || exit 1
kill $!; wait $! 2>/dev/null; opens && exit 1
init=$(pgrep -f '^/opt/node/bin/node .*sandbox-init'); kill -USR1 $init || exit 1
opens && echo OPEN || echo closed`,
        );
        return last;
      });
      await sandbox.destroy();
      return got;
    },
  },
  {
    id: 'transfer',
    attack: 'an upload that begins in the run and continues while the change is collected',
    expected: ['cut off'],
    run: async (bench) => {
      const task = await bench.transfers();
      const upload = orEnded(async () => (await inside(task.sandbox, 'node', lastingUpload, 120_000)).last);
      for (;;) {
        const begun = await task.sandbox.readFile('/tmp/upload-begun', { offset: 0, maxBytes: 10 });
        if (begun !== null) break;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      await task.letGo();
      const got = await upload;
      if (got !== 'cut off' && got !== 'WENT ON') throw new Error(`the upload: ${got}`);
      return got;
    },
  },
];

/**
 * Begins an upload that has no end, and keeps the next phase from collecting the change for a while: a folder
 * is where the collector's job has to be written. Says whether the upload is still open 10 s into it.
 */
const lastingUpload = `
import { mkdirSync, rmSync, watch, writeFileSync } from 'node:fs';
import { request } from 'node:https';
const job = '/run/airlock/jobs/collect.json';
let closed = null;
const upload = request({ host: 'github.com', path: '/acme/split-bill.git/git-upload-pack', method: 'POST',
  headers: { 'content-type': 'application/x-git-upload-pack-request', 'transfer-encoding': 'chunked' } });
upload.on('response', (response) => { closed ??= 'answered ' + response.statusCode; response.resume(); });
upload.on('error', (error) => { closed ??= error.code; });
upload.on('close', () => { closed ??= 'closed'; });
setInterval(() => { if (closed === null) upload.write('0032want 0000000000000000000000000000000000000000\\n'); }, 100);
const say = (text) => { console.log(text); rmSync(job, { recursive: true, force: true }); process.exit(); };
mkdirSync(job + '/not-empty', { recursive: true });
setTimeout(() => {
  if (closed !== null) say('ended in the run: ' + closed);
  const jobs = watch('/run/airlock/jobs', (_, name) => {
    if (!name.startsWith('collect.json.')) return;
    jobs.close();
    const until = Date.now() + 10_000;
    setInterval(() => { if (closed !== null) say('cut off'); if (Date.now() > until) say('WENT ON'); }, 50);
  });
  writeFileSync('/tmp/upload-begun', '');
}, 2_000);`;
