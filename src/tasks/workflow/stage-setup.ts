/**
 * The stage between clone and Codex: what the configuration lets run in the clone, with the setup hosts open and nothing else, and
 * the cache of what it installed. Started in one step, looked after in as many as it takes, finished in one.
 */
import { sandboxPaths } from '../../core/checkout.ts';
import { startsFromConfiguredBase, type Authorization } from '../../core/authorization.ts';
import type { TaskRecordPort } from '../../core/ports/task-record.ts';
import type { SetupPolicy } from '../../core/policy.ts';
import type { SetupCache, SetupCacheEntry } from '../../core/ports/setup-cache-port.ts';
import {
  packedFolder,
  setupCacheKey,
  setupInputsSchema,
  setupJob,
  setupMs,
  setupResultSchema,
  type SetupInputsJob,
  type SetupReport,
  type SetupResult,
} from '../../core/setup.ts';
import type { TaskOutcome } from '../../core/task.ts';
import * as z from 'zod';
import { lastJsonLine } from './last-json-line.ts';
import { taskLimits } from '../limits.ts';
import { keptSetup, setupFailure } from '../setup-report.ts';
import { unlessLost } from './stage-sandbox.ts';
import type { Stage, TaskDeps } from './stage.ts';

export type SetupDeps = Pick<TaskDeps, 'sandbox' | 'setupCache' | 'now' | 'log'> & {
  readonly record: Pick<TaskRecordPort, 'kept' | 'keep' | 'grantPhase' | 'note' | 'tell' | 'view'>;
};

const node = '/opt/node/bin/node';
const jobs = '/run/airlock/jobs';
const setupRun = 'setup';

/** What a second attempt, and the step at the end, has to know of the first. */
const keptBeginning = 'setup-begun.json';
const beginningSchema = z.object({
  key: z.string().nullable(),
  fromCache: z.boolean(),
  /** Whether what setup installs may be stored. Decided before anything untrusted runs: what is packed in the end is setup's own word. */
  pack: z.boolean().default(false),
});
type Beginning = z.infer<typeof beginningSchema>;
const withoutCache: Beginning = { key: null, fromCache: false, pack: false };

export async function beginSetup(
  authorization: Authorization,
  setup: SetupPolicy,
  deps: SetupDeps,
): Promise<Stage<null>> {
  const { sandbox, record } = deps;
  return await unlessLost(async () => {
    if ((await record.kept(keptBeginning)) === null) {
      // First of all: an attempt that the cache holds up is not followed by another that waits for it.
      await keepBeginning(withoutCache, deps);
      const key = await cacheKey(authorization, deps);
      const fromCache = key !== null && (await restore(entryOf(authorization, key), deps));
      const pack = key !== null && startsFromConfiguredBase(authorization) && !fromCache;
      await keepBeginning({ key, fromCache, pack }, deps);
    }
    const { key, fromCache, pack } = await beginning(deps);
    await record.grantPhase('setup');
    await record.note(
      fromCache ? 'Setup begins with what the cache has.' : noCacheNote(key, deps.setupCache),
    );
    await record.tell({ kind: 'command.started', command: setup.run });
    const job = setupJob(
      {
        run: setup.run,
        limits: authorization.policy.limits,
        lfs: authorization.policy.lfs,
        baseSha: authorization.baseSha,
      },
      {
        restore: fromCache,
        pack,
        maxPackedBytes: deps.setupCache?.maxEntryBytes ?? 0,
      },
    );
    await sandbox.writeFile(`${jobs}/setup.json`, JSON.stringify(job));
    await sandbox.startRun(setupRun, {
      argv: [node, `${sandboxPaths.scripts}/setup.js`, `${jobs}/setup.json`],
    });
    return { go: true, value: null };
  });
}

/** Waits a while for its end; the caller comes again. */
export async function watchSetup(
  authorization: Authorization,
  { sandbox, record, now }: SetupDeps,
): Promise<Stage<'runs' | 'ended'>> {
  return await unlessLost(async () => {
    const until = now() + taskLimits.setupSliceMs;
    const begunAt = (await record.view())?.phases.find(({ phase }) => phase === 'setup')?.at ?? now();
    const overdueAt = begunAt + setupMs(authorization.policy.limits) + taskLimits.setupAroundMs;
    do {
      // Beyond all that there can be: only the end is waited for, whatever setup writes in its script's place.
      const { exitCode } = await sandbox.readRun(setupRun, {
        offset: taskLimits.runOutputBytes,
        maxBytes: 0,
        waitMs: 10_000,
      });
      if (exitCode !== null) return { go: true, value: 'ended' };
      if (now() > overdueAt) return { go: false, outcome: failed('setup-overdue', overdueText) };
    } while (now() < until);
    return { go: true, value: 'runs' };
  });
}

/** Brings what setup said to the log, what it installed to the cache, and the task to Codex or to its end. */
export async function finishSetup(
  authorization: Authorization,
  setup: SetupPolicy,
  deps: SetupDeps,
): Promise<Stage<null>> {
  return await unlessLost(async () => {
    const result = await readResult(deps);
    if (result === null) return { go: false, outcome: failed('setup-unknown', unknownText) };
    const { key, fromCache, pack } = await beginning(deps);
    const { exitCode, durationMs, outputTail, putBack, left } = result;
    const status = exitCode === null ? 'timed-out' : exitCode === 0 ? 'ok' : 'failed';
    const report: SetupReport = {
      command: setup.run,
      status,
      exitCode,
      durationMs,
      fromCache: fromCache && result.restored,
      putBack,
      left,
    };
    await deps.record.tell({
      kind: 'command.finished',
      command: setup.run,
      exitCode: exitCode ?? killedStatus,
      outputTail,
      durationMs,
    });
    if (fromCache && !result.restored) await deps.record.note('What the cache had could not be unpacked.');
    await deps.record.keep(keptSetup, JSON.stringify(report));
    if (key !== null && pack) await store(entryOf(authorization, key), result, deps);
    if (result.problem !== null)
      return { go: false, outcome: failed('setup-left-a-mess', messText(result.problem)) };
    if (status === 'ok') return { go: true, value: null };
    if (setup.optional) {
      await deps.record.note(`${setupFailure(report)} It is optional: Codex works without it.`);
      return { go: true, value: null };
    }
    const message = `${setupFailure(report)} Codex was not started.${quoted(outputTail)}`;
    return { go: false, outcome: failed(`setup-${status}`, message) };
  });
}

/** That of SIGKILL, where a number has to stand. */
const killedStatus = 137;
const overdueText =
  'Setup did not end, though its time was over, and the task was given up. Ask again to start over.';
const unknownText =
  'Setup was ended before it could say how it went: something in it killed it, or the sandbox went over its limits. Ask again to start over.';
const messText = (problem: string): string =>
  `After setup the sandbox was not fit for work (${problem}), so that Codex was not started.`;

const failed = (code: string, message: string): TaskOutcome => ({
  kind: 'failed',
  reason: { code, message },
  changeKept: false,
});

/** The end of the output as a block that nothing in it can close. */
function quoted(untrustedOutput: string): string {
  const tail = untrustedOutput.trim().slice(-taskLimits.setupTailCharacters);
  return tail === '' ? '' : `\n\nThe end of its output:\n\n\`\`\`\n${tail.replaceAll('```', "'''")}\n\`\`\``;
}

// ---- the cache ------------------------------------------------------------------------------------------------
// It saves time and nothing else: whatever goes wrong with it, setup runs without.

const entryOf = ({ facts }: Authorization, key: string): SetupCacheEntry => ({
  repositoryId: facts.repositoryId,
  key,
});

/** null: there is no cache, or no lock file says what setup will install. Nothing untrusted has run yet, so the answer can be believed. */
async function cacheKey(authorization: Authorization, deps: SetupDeps): Promise<string | null> {
  if (deps.setupCache === null) return null;
  const job: SetupInputsJob = { directory: sandboxPaths.repository, base: authorization.baseSha };
  await deps.sandbox.writeFile(`${jobs}/setup-inputs.json`, JSON.stringify(job));
  const argv = [node, `${sandboxPaths.scripts}/setup-inputs.js`, `${jobs}/setup-inputs.json`];
  const limits = { timeoutMs: taskLimits.canaryMs, maxOutputBytes: 4096 };
  const inputs = setupInputsSchema.safeParse(lastJsonLine(await deps.sandbox.exec({ argv }, limits)));
  return inputs.success ? await setupCacheKey(authorization, inputs.data) : null;
}

async function restore(entry: SetupCacheEntry, { setupCache, log }: SetupDeps): Promise<boolean> {
  try {
    return (await setupCache?.restore(entry, packedFolder)) === true;
  } catch (error) {
    log('setup_cache.not_restored', { error: String(error) });
    return false;
  }
}

async function store(
  entry: SetupCacheEntry,
  { packed }: SetupResult,
  { setupCache, sandbox, record, log }: SetupDeps,
): Promise<void> {
  if (setupCache === null || packed === null) return;
  if ('problem' in packed) {
    await record.note(`What setup installed is not kept for the next task: ${packed.problem}.`);
    return;
  }
  try {
    const stored = await setupCache.store(entry, { folder: packedFolder, ...packed });
    await record.note(
      stored
        ? `What setup installed is kept for the next task (${Math.max(1, Math.round(packed.bytes / 1024))} KiB).`
        : 'What setup installed is not kept for the next task.',
    );
    await sandbox.exec({ argv: ['rm', '-rf', packedFolder] }, { timeoutMs: 30_000, maxOutputBytes: 0 });
  } catch (error) {
    log('setup_cache.not_stored', { error: String(error) });
  }
}

function noCacheNote(key: string | null, cache: SetupCache | null): string {
  if (cache === null) return 'Setup begins from nothing: there is no cache here.';
  return key === null
    ? 'Setup begins from nothing: no lock file says what it will install.'
    : 'Setup begins from nothing: the cache has nothing for these lock files.';
}

// ---- what is kept between steps -----------------------------------------------------------------------------------

async function beginning({ record }: SetupDeps): Promise<Beginning> {
  const kept = await record.kept(keptBeginning);
  return kept === null ? withoutCache : beginningSchema.parse(JSON.parse(kept));
}

async function keepBeginning(begun: Beginning, { record }: SetupDeps): Promise<void> {
  await record.keep(keptBeginning, JSON.stringify(begun));
}

/** null: the script did not come to its end, or its word is none. */
async function readResult({ sandbox }: SetupDeps): Promise<SetupResult | null> {
  const range = { offset: 0, maxBytes: taskLimits.setupResultBytes, waitMs: 0 };
  const { bytes } = await sandbox.readRun(setupRun, range);
  const parsed = setupResultSchema.safeParse(lastJsonLine({ stdout: new TextDecoder().decode(bytes) }));
  return parsed.success ? parsed.data : null;
}
