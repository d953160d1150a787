/**
 * The stages between clone and Codex: run the configured setup in the clone with only the setup hosts open,
 * and cache what it installed. One step starts it, the record watches it, one step finishes it.
 */
import type { WorkflowStep } from 'cloudflare:workers';
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
import { setupRun } from '../run-names.ts';
import { keptSetup, setupFailure } from '../setup-report.ts';
import { unlessLost } from './stage-sandbox.ts';
import type { Stage, TaskDeps } from './stage.ts';
import { retryBriefly, runnerOf } from './step-runner.ts';
import { waitFor } from './wait-for.ts';

export type SetupDeps = Pick<TaskDeps, 'sandbox' | 'setupCache' | 'now' | 'log'> & {
  readonly record: Pick<
    TaskRecordPort,
    'kept' | 'keep' | 'enter' | 'appendToLog' | 'snapshot' | 'view' | 'watchRun'
  >;
};

const node = '/opt/node/bin/node';
const jobs = '/run/airlock/jobs';

/** What the first attempt decided, for a second one and for the step that finishes setup. */
const keptBeginning = 'setup-begun.json';
const beginningSchema = z.object({
  key: z.string().nullable(),
  fromCache: z.boolean(),
  /**
   * Whether to cache what setup installs. Decided before anything untrusted runs, because setup itself
   * reports what it packed.
   */
  pack: z.boolean(),
});
type Beginning = z.infer<typeof beginningSchema>;
const withoutCache: Beginning = { key: null, fromCache: false, pack: false };

/** Runs the configured setup. Without one its phase is not entered. */
export async function setUp(
  authorization: Authorization,
  step: WorkflowStep,
  deps: TaskDeps,
): Promise<Stage<null>> {
  const { setup } = authorization.policy;
  if (setup === null) return { go: true, value: null };
  const run = runnerOf(step, deps);
  const begun = await run('setup', retryBriefly, () => beginSetup(authorization, setup, deps));
  if (!begun.go) return begun;
  const look = async () => await run('setup', retryBriefly, () => setupEnded(authorization, deps));
  const ended = await waitFor('setup', look, step, { waitFirst: true });
  if (!ended.go) return ended;
  return await run('setup', retryBriefly, () => finishSetup(authorization, setup, deps));
}

export async function beginSetup(
  authorization: Authorization,
  setup: SetupPolicy,
  deps: SetupDeps,
): Promise<Stage<null>> {
  const { sandbox, record } = deps;
  return await unlessLost(async () => {
    if ((await record.kept(keptBeginning)) === null) {
      // First, so that a second attempt does not wait for a slow cache too.
      await keepBeginning(withoutCache, deps);
      const key = await cacheKey(authorization, deps);
      const fromCache = key !== null && (await restore(entryOf(authorization, key), deps));
      const pack = key !== null && startsFromConfiguredBase(authorization) && !fromCache;
      await keepBeginning({ key, fromCache, pack }, deps);
    }
    const { key, fromCache, pack } = await beginning(deps);
    // The cache can take minutes. Rejects if Codex was started meanwhile, by another attempt of this step.
    await record.enter('setup');
    await note(deps, fromCache ? 'Setup begins with what the cache has.' : noCacheNote(key, deps.setupCache));
    await record.appendToLog({ kind: 'command.started', command: setup.run });
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
    await record.watchRun('setup');
    return { go: true, value: null };
  });
}

/** null while setup runs. The record watches its run. */
export async function setupEnded(
  { policy }: Authorization,
  { record, now }: SetupDeps,
): Promise<Stage<true | null>> {
  const snapshot = await record.snapshot();
  // The record gave the task up.
  if (snapshot?.outcome != null) return { go: false, outcome: snapshot.outcome };
  if (snapshot?.setupEnded === true) return { go: true, value: true };
  const begunAt = (await record.view())?.phases.find(({ phase }) => phase === 'setup')?.at ?? now();
  const overdueAt = begunAt + setupMs(policy.limits) + taskLimits.setupAroundMs;
  if (now() > overdueAt) return { go: false, outcome: failed('setup-overdue', overdueText) };
  return { go: true, value: null };
}

/** Logs how setup ended, caches what it installed, and continues or ends the task. */
export async function finishSetup(
  authorization: Authorization,
  setup: SetupPolicy,
  deps: SetupDeps,
): Promise<Stage<null>> {
  return await unlessLost(async () => {
    const result = await readResult(deps);
    if (result === null) return { go: false, outcome: failed('setup-unknown', unknownText) };
    const { key, fromCache, pack } = await beginning(deps);
    const { exitCode, durationMs, outputTail, restored, pathsLeftBySetup } = result;
    const status = exitCode === null ? 'timed-out' : exitCode === 0 ? 'ok' : 'failed';
    const report: SetupReport = {
      command: setup.run,
      status,
      exitCode,
      durationMs,
      fromCache: fromCache && result.cacheRestored,
      restored,
      pathsLeftBySetup,
    };
    await deps.record.appendToLog({
      kind: 'command.finished',
      command: setup.run,
      exitCode: exitCode ?? killedStatus,
      outputTail,
      durationMs,
    });
    if (fromCache && !result.cacheRestored) await note(deps, 'What the cache had could not be unpacked.');
    await deps.record.keep(keptSetup, JSON.stringify(report));
    if (key !== null && pack) await store(entryOf(authorization, key), result, deps);
    if (result.problem !== null)
      return { go: false, outcome: failed('setup-left-a-mess', messText(result.problem)) };
    if (status === 'ok') return { go: true, value: null };
    if (setup.optional) {
      await note(deps, `${setupFailure(report)} It is optional: Codex works without it.`);
      return { go: true, value: null };
    }
    const message = `${setupFailure(report)} Codex was not started.${quoted(outputTail)}`;
    return { go: false, outcome: failed(`setup-${status}`, message) };
  });
}

/** The exit status of SIGKILL, for a setup without one. */
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

/** The end of the output as a code block that the output cannot close. */
function quoted(untrustedOutput: string): string {
  const tail = untrustedOutput.trim().slice(-taskLimits.setupTailCharacters);
  return tail === '' ? '' : `\n\nThe end of its output:\n\n\`\`\`\n${tail.replaceAll('```', "'''")}\n\`\`\``;
}

// ---- the cache
// ------------------------------------------------------------------------------------------------ It only
// saves time: if it fails, setup runs without it.

const entryOf = ({ facts }: Authorization, key: string): SetupCacheEntry => ({
  repositoryId: facts.repositoryId,
  key,
});

/**
 * null if there is no cache, or no lock file says what setup will install. Nothing untrusted has run yet, so
 * the answer is trusted.
 */
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

async function store(entry: SetupCacheEntry, { packed }: SetupResult, deps: SetupDeps): Promise<void> {
  const { setupCache, sandbox, log } = deps;
  if (setupCache === null || packed === null) return;
  if ('problem' in packed) {
    await note(deps, `What setup installed is not kept for the next task: ${packed.problem}.`);
    return;
  }
  try {
    const stored = await setupCache.store(entry, { folder: packedFolder, ...packed });
    await note(
      deps,
      stored
        ? `What setup installed is kept for the next task (${Math.max(1, Math.round(packed.bytes / 1024))} KiB).`
        : 'What setup installed is not kept for the next task.',
    );
    await sandbox.exec({ argv: ['rm', '-rf', packedFolder] }, { timeoutMs: 30_000, maxOutputBytes: 0 });
  } catch (error) {
    log('setup_cache.not_stored', { error: String(error) });
  }
}

async function note({ record }: SetupDeps, text: string): Promise<void> {
  await record.appendToLog({ kind: 'note', text });
}

function noCacheNote(key: string | null, cache: SetupCache | null): string {
  if (cache === null) return 'Setup begins from nothing: there is no cache here.';
  return key === null
    ? 'Setup begins from nothing: no lock file says what it will install.'
    : 'Setup begins from nothing: the cache has nothing for these lock files.';
}

// ---- what is kept between steps
// -----------------------------------------------------------------------------------

async function beginning({ record }: SetupDeps): Promise<Beginning> {
  const kept = await record.kept(keptBeginning);
  return kept === null ? withoutCache : beginningSchema.parse(JSON.parse(kept));
}

async function keepBeginning(begun: Beginning, { record }: SetupDeps): Promise<void> {
  await record.keep(keptBeginning, JSON.stringify(begun));
}

/** null if the script did not end by itself, or its result does not parse. */
async function readResult({ sandbox }: SetupDeps): Promise<SetupResult | null> {
  const range = { offset: 0, maxBytes: taskLimits.setupResultBytes, waitMs: 0 };
  const { bytes } = await sandbox.readRun(setupRun, range);
  const parsed = setupResultSchema.safeParse(lastJsonLine({ stdout: new TextDecoder().decode(bytes) }));
  return parsed.success ? parsed.data : null;
}
