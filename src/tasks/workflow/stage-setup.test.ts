import { describe, expect, it } from 'vitest';
import type { Authorization } from '../../core/authorization.ts';
import type { SandboxPolicy, SetupPolicy } from '../../core/policy.ts';
import type { SandboxCommand, TaskSandbox } from '../../core/ports/sandbox-port.ts';
import type { SetupCache } from '../../core/ports/setup-cache-port.ts';
import { setupCacheKey, type SetupInputs, type SetupResult } from '../../core/setup.ts';
import type { TaskSnapshot } from '../../core/ports/task-record.ts';
import { authorization as plain, request } from '../../../test/fixtures/sample-task.ts';
import { openState, snapshotOf } from '../record/record-state.ts';
import { setupReport } from '../setup-report.ts';
import type { SetupDeps } from './setup-cache.ts';
import { beginSetup, finishSetup, setupEnded } from './stage-setup.ts';

const setup = {
  run: 'npm ci',
  hosts: ['packages.example.com'],
  registries: [],
  optional: false,
  services: false,
};
const registry = {
  host: 'npm.example.com',
  pathPrefix: '/a',
  scheme: 'bearer',
  secret: 'NPM_TOKEN',
  blobHosts: [],
} as const;
const withSetup = (changes: Partial<SetupPolicy>, sandbox: Partial<SandboxPolicy> = {}): Authorization => ({
  ...plain,
  policy: {
    ...plain.policy,
    setup: { ...setup, ...changes },
    sandbox: { ...plain.policy.sandbox, ...sandbox },
  },
});
const authorization = withSetup({});
const inputs: SetupInputs = { platform: 'linux-x64-node26', lockFiles: 1, digest: 'd'.repeat(64) };
const packed = { sha256: 'e'.repeat(64), bytes: 4096, parts: 1 };
const good: SetupResult = {
  exitCode: 0,
  durationMs: 12_000,
  outputTail: 'added 1 package\n',
  restored: { paths: [], total: 0 },
  pathsLeftBySetup: { paths: [], total: 0 },
  packed: null,
  problem: null,
};

const restored = async () => ({ kind: 'restored' }) as const;
const refusal = '`home/codex/.gitconfig` is outside the package folders and the clone';

interface Given {
  readonly inputs?: unknown;
  readonly result?: unknown;
  /** What `unpack-setup.js` prints. */
  readonly unpacked?: unknown;
  readonly cache?: Partial<SetupCache> | null;
  readonly sandbox?: Partial<TaskSandbox>;
  readonly now?: () => number;
  readonly snapshot?: Partial<TaskSnapshot>;
}

function world(given: Given = {}) {
  const log: string[] = [];
  const kept = new Map<string, string>();
  const jobs = new Map<string, string>();
  const runs: SandboxCommand[] = [];
  const cacheCalls: unknown[] = [];
  const said = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  const sandbox: TaskSandbox = {
    start: async () => undefined,
    writeFile: async (path, content) => void jobs.set(path, String(content)),
    readFile: async () => null,
    exec: async ({ argv }) => ({
      exitCode: 0,
      stdout: said(
        argv.some((word) => word.endsWith('/unpack-setup.js'))
          ? (given.unpacked ?? { ok: true })
          : (given.inputs ?? inputs),
      ),
      stderr: '',
      truncated: false,
      timedOut: false,
    }),
    startRun: async (name, command) => {
      log.push(`run ${name}`);
      runs.push(command);
    },
    readRun: async () => {
      const bytes = new TextEncoder().encode(`${said(given.result ?? good)}\n`);
      return { bytes, size: bytes.length, exitCode: 0 };
    },
    destroy: async () => undefined,
    ...given.sandbox,
  };
  const cache: SetupCache = {
    maxEntryBytes: 1000,
    restore: async (...call) => {
      cacheCalls.push(['restore', ...call]);
      return { kind: 'none' };
    },
    store: async (...call) => {
      cacheCalls.push(['store', ...call]);
      return { kind: 'stored' };
    },
    remove: async (...call) => void cacheCalls.push(['remove', ...call]),
    ...given.cache,
  };
  const deps: SetupDeps = {
    sandbox,
    setupCache: given.cache === null ? null : cache,
    record: {
      kept: async (name) => kept.get(name) ?? null,
      keep: async (name, content) => void kept.set(name, content),
      enter: async (phase) => {
        log.push(`enter ${phase}`);
        return { cancelledBy: null, outcome: null };
      },
      appendToLog: async (line) => void log.push(line.kind === 'note' ? line.text : line.kind),
      snapshot: async () => ({
        ...snapshotOf(openState(request, 'nonce', 0)),
        waitUntil: 0,
        ...given.snapshot,
      }),
      view: async () => null,
      watchRun: async (run) => void log.push(`watch ${run}`),
    },
    now: given.now ?? (() => 0),
    log: (event) => void log.push(event),
  };
  const job = (): unknown => JSON.parse(jobs.get('/run/airlock/jobs/setup.json') ?? 'null');
  return { deps, log, runs, cacheCalls, job };
}

describe('the beginning of setup', () => {
  it('opens the hosts of setup, and only then runs it', async () => {
    const { deps, log, job } = world();
    expect(await beginSetup(authorization, setup, deps)).toEqual({ go: true, value: null });
    expect(log).toEqual([
      'enter setup',
      'Setup begins from nothing: the cache has nothing for these lock files.',
      'command.started',
      'run setup',
      'watch setup',
    ]);
    // Half of the 30 minutes.
    expect(job()).toMatchObject({ run: 'npm ci', timeoutMs: 15 * 60_000, pack: true });
  });

  it('asks the cache for this repository and these lock files before untrusted code runs', async () => {
    const { deps, cacheCalls, log } = world();
    await beginSetup(authorization, setup, deps);
    const key = await setupCacheKey(authorization, inputs);
    expect(cacheCalls).toEqual([['restore', { repositoryId: 1, key }, '/tmp/airlock-setup']]);
    expect(log[0]).toBe('enter setup');
  });

  it.each<[string, Given, Partial<Authorization>, { pack: boolean }, RegExp]>([
    ['a hit', { cache: { restore: restored } }, {}, { pack: false }, /what the cache has/],
    ['a miss', {}, {}, { pack: true }, /nothing for these lock files/],
    ['no cache', { cache: null }, {}, { pack: false }, /there is no cache here/],
    ['no lock file', { inputs: { ...inputs, lockFiles: 0 } }, {}, { pack: false }, /no lock file says/],
    ['nonsense for inputs', { inputs: 'nonsense' }, {}, { pack: false }, /no lock file says/],
    [
      'a cache that fails',
      { cache: { restore: async () => Promise.reject(new Error('disk')) } },
      {},
      { pack: true },
      /nothing for these lock files/,
    ],
    [
      'a base that everybody with push access can change',
      {},
      { baseBranch: 'feature' },
      { pack: false },
      /nothing for these lock files/,
    ],
    [
      'a hit from such a base',
      { cache: { restore: restored } },
      { baseBranch: 'feature' },
      { pack: false },
      /what the cache has/,
    ],
  ])('starts setup with %s, and notes that in the log', async (_, given, more, expected, note) => {
    const { deps, log, job } = world(given);
    await beginSetup({ ...authorization, ...more }, setup, deps);
    expect(job()).toMatchObject(expected);
    expect(log.join('\n')).toMatch(note);
  });

  it('starts without the cache when the cache blocked the previous attempt', async () => {
    let asked = 0;
    const restore = async () => {
      asked += 1;
      return await new Promise<never>(() => undefined);
    };
    const { deps, job } = world({ cache: { restore } });
    beginSetup(authorization, setup, deps).catch(() => undefined);
    await expect.poll(() => asked).toBe(1);
    expect(await beginSetup(authorization, setup, deps)).toEqual({ go: true, value: null });
    expect(asked).toBe(1);
    expect(job()).toMatchObject({ pack: false });
  });

  it('asks the cache once, however often the step is retried', async () => {
    const { deps, cacheCalls } = world();
    await beginSetup(authorization, setup, deps);
    await beginSetup(authorization, setup, deps);
    expect(cacheCalls).toHaveLength(1);
  });
});

describe('the key of what setup installs', () => {
  it('differs by repository, lock file, platform, command, hosts and machine, else by nothing', async () => {
    const { facts } = authorization;
    const keys = await Promise.all([
      setupCacheKey(authorization, inputs),
      setupCacheKey({ ...authorization, facts: { ...facts, repositoryId: 2 } }, inputs),
      setupCacheKey(authorization, { ...inputs, digest: 'c'.repeat(64) }),
      setupCacheKey(authorization, { ...inputs, platform: 'linux-arm64-node26' }),
      setupCacheKey(withSetup({ run: 'npm i' }), inputs),
      setupCacheKey(withSetup({ hosts: ['other.example.com'] }), inputs),
      setupCacheKey(withSetup({ registries: [registry] }), inputs),
      setupCacheKey(withSetup({ registries: [{ ...registry, pathPrefix: '/b' }] }), inputs),
      setupCacheKey(withSetup({}, { image: 'jvm' }), inputs),
      setupCacheKey(withSetup({}, { toolchains: ['/opt/go'] }), inputs),
    ]);
    expect(new Set(keys).size).toBe(keys.length);
    for (const same of [withSetup({ optional: true }), withSetup({}, { instance: 'basic' })])
      expect(await setupCacheKey(same, inputs)).toBe(keys[0]);
    // A repository that was renamed is the same one.
    const renamed = { ...authorization, facts: { ...facts, name: 'other' } };
    expect(await setupCacheKey(renamed, inputs)).toBe(keys[0]);
  });
});

describe('setupEnded', () => {
  it('returns nothing while setup runs', async () => {
    expect(await setupEnded(authorization, world().deps)).toEqual({ go: true, value: null });
  });

  it('returns true when the record has noticed the end of setup', async () => {
    const { deps } = world({ snapshot: { setupEnded: true } });
    expect(await setupEnded(authorization, deps)).toEqual({ go: true, value: true });
  });

  it('ends the task when the time for setup is over', async () => {
    let time = 0;
    const { deps } = world({ now: () => (time += 40 * 60_000) });
    expect(await setupEnded(authorization, deps)).toMatchObject({
      go: false,
      outcome: { kind: 'failed', reason: { code: 'setup-overdue' } },
    });
  });

  it('returns the outcome of a task that the record has ended', async () => {
    const outcome = { kind: 'cancelled', by: 'maria' } as const;
    const { deps } = world({ snapshot: { outcome } });
    expect(await setupEnded(authorization, deps)).toEqual({ go: false, outcome });
  });
});

describe('the end of setup', () => {
  async function finished(given: Given, optional = false, more: Partial<Authorization> = {}) {
    const it = world(given);
    const policy = { ...setup, optional };
    await beginSetup({ ...authorization, ...more }, policy, it.deps);
    it.cacheCalls.length = 0;
    return { ...it, stage: await finishSetup({ ...authorization, ...more }, policy, it.deps) };
  }

  it('continues to Codex, and keeps a report with the record', async () => {
    const { stage, log, deps } = await finished({
      result: { ...good, pathsLeftBySetup: { paths: ['x'], total: 1 } },
    });
    expect(stage).toEqual({ go: true, value: null });
    expect(log).toContain('command.finished');
    expect(await setupReport(deps)).toEqual({
      command: 'npm ci',
      status: 'ok',
      exitCode: 0,
      durationMs: 12_000,
      fromCache: false,
      services: false,
      cacheRefused: null,
      restored: { paths: [], total: 0 },
      pathsLeftBySetup: { paths: ['x'], total: 1 },
    });
  });

  it.each<[string, unknown, string, RegExp]>([
    [
      'an exit status',
      { ...good, exitCode: 1, outputTail: 'E404 left-pad\n```\n# not a heading' },
      'setup-failed',
      /^Setup failed: `npm ci` ended with exit status 1 after 12 s\. Codex was not started\.\n\nThe end of its output:\n\n```\nE404 left-pad\n'''\n# not a heading\n```$/,
    ],
    [
      'a secret in its output',
      {
        ...good,
        exitCode: 1,
        outputTail: `401 for ${['npm', 'q7Rz2KfP9xWm4TbYc8VdL1nHs6GjA3eUo5Zi'].join('_')}`,
      },
      'setup-failed',
      /401 for \[an npm token was here\]\n/,
    ],
    ['the limit', { ...good, exitCode: null }, 'setup-timed-out', /was stopped at its time limit after 12 s/],
    [
      'processes that keep running',
      { ...good, problem: 'processes remain' },
      'setup-left-a-mess',
      /processes remain/,
    ],
    ['no report', '', 'setup-unknown', /before it could say/],
    ['a report that is not JSON', 'Killed', 'setup-unknown', /before it could say/],
    ['a report of the wrong type', { ...good, exitCode: 'zero' }, 'setup-unknown', /before it could say/],
    ['a report with an unknown field', { ...good, extra: 1 }, 'setup-unknown', /before it could say/],
    ['a long report', { ...good, outputTail: 'x'.repeat(20_000) }, 'setup-unknown', /before it could say/],
  ])('ends the task with %s', async (_, result, code, message) => {
    const { stage } = await finished({ result });
    expect(stage).toMatchObject({
      go: false,
      outcome: {
        kind: 'failed',
        reason: { code, message: expect.stringMatching(message) },
        changeKept: false,
      },
    });
  });

  it.each<[string, unknown, boolean]>([
    ['an exit status', { ...good, exitCode: 1 }, true],
    ['the time limit', { ...good, exitCode: null }, true],
    // Codex would start in a sandbox of which nobody knows what it holds.
    ['processes that keep running', { ...good, exitCode: 1, problem: 'processes remain' }, false],
    ['no report', '', false],
  ])('decides whether to continue after %s when setup is optional: %o → %s', async (_, result, go) => {
    expect((await finished({ result }, true)).stage.go).toBe(go);
  });

  it('stores what setup packed in the cache, with its hash', async () => {
    const { cacheCalls, log } = await finished({ result: { ...good, packed } });
    const key = await setupCacheKey(authorization, inputs);
    expect(cacheCalls).toEqual([
      [
        'store',
        { repositoryId: 1, key },
        { folder: '/tmp/airlock-setup', repository: 'acme/app', ...packed },
      ],
    ]);
    expect(log).toContain('What setup installed is kept for the next task (4 KiB).');
  });

  it.each<[string, Given, RegExp]>([
    ['there is nothing to store', {}, /command\.finished/],
    ['there is no cache', { result: { ...good, packed }, cache: null }, /command\.finished/],
    ['packing failed', { result: { ...good, packed: { problem: 'too large' } } }, /not kept .*too large/],
    [
      'the cache refuses the entry',
      { result: { ...good, packed }, cache: { store: async () => ({ kind: 'not-stored' }) } },
      /is not kept for the next task\./,
    ],
    [
      'the cache fails',
      { result: { ...good, packed }, cache: { store: async () => Promise.reject(new Error('disk')) } },
      /setup_cache\.not_stored/,
    ],
  ])('continues when %s', async (_, given, note) => {
    const { stage, log, cacheCalls } = await finished(given);
    expect(stage.go).toBe(true);
    expect(cacheCalls).toEqual([]);
    expect(log.join('\n')).toMatch(note);
  });

  it.each<[string, Given, Partial<Authorization>]>([
    ['from a base that everybody with push access can change', {}, { baseBranch: 'feature' }],
    ['when the cache had an entry', { cache: { restore: restored } }, {}],
  ])('stores nothing %s, even if setup packed something', async (_, given, more) => {
    let stored = 0;
    const store = async () => {
      stored += 1;
      return { kind: 'stored' } as const;
    };
    const cache = { ...given.cache, store };
    const { stage } = await finished({ cache, result: { ...good, packed } }, false, more);
    expect(stage.go).toBe(true);
    expect(stored).toBe(0);
  });

  it('reports that it started from the cache only if the entry was unpacked before it', async () => {
    const { deps } = await finished({ cache: { restore: restored } });
    expect(await setupReport(deps)).toMatchObject({ fromCache: true, cacheRefused: null });
  });

  it.each<[string, Given, string, boolean]>([
    [
      'refused outside the sandbox',
      { cache: { restore: async () => ({ kind: 'refused', reason: refusal }) } },
      refusal,
      false,
    ],
    [
      'refused while it was unpacked',
      { cache: { restore: restored }, unpacked: { ok: false, problem: 'it has tracked files' } },
      'it has tracked files',
      true,
    ],
    [
      'not unpacked in time',
      { cache: { restore: restored }, unpacked: 'Killed' },
      'it could not be unpacked in time',
      true,
    ],
  ])('names an entry that was %s, deletes it and packs a new one', async (_, given, reason, removes) => {
    const it = world({ ...given, result: { ...good, packed } });
    await beginSetup(authorization, setup, it.deps);
    const key = await setupCacheKey(authorization, inputs);
    expect(it.cacheCalls.filter((call) => JSON.stringify(call).startsWith('["remove"'))).toEqual(
      removes ? [['remove', { repositoryId: 1, key }]] : [],
    );
    expect(it.job()).toMatchObject({ pack: true });
    await finishSetup(authorization, setup, it.deps);
    expect(await setupReport(it.deps)).toMatchObject({ fromCache: false, cacheRefused: reason });
    expect(it.log).toContain(`⚠️ The setup cache entry was refused: ${reason}. It is not used.`);
    expect(it.log).toContain('setup_cache.refused');
    expect(it.log).toContain('What setup installed is kept for the next task (4 KiB).');
  });

  it('names what it packed when the cache refuses it', async () => {
    const store = async () => ({ kind: 'refused', reason: refusal }) as const;
    const { deps, stage, log } = await finished({ cache: { store }, result: { ...good, packed } });
    expect(stage.go).toBe(true);
    expect(await setupReport(deps)).toMatchObject({ fromCache: false, cacheRefused: refusal });
    expect(log).toContain(`⚠️ The setup cache entry was refused: ${refusal}. It is not used.`);
  });
});
