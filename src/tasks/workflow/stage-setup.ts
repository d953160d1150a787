/** Runs setup in the clone with only its hosts open, and caches the result. The record watches it. */
import type { WorkflowStep } from 'cloudflare:workers';
import { scriptCommand } from '../../core/checkout.ts';
import { startsFromConfiguredBase, type Authorization } from '../../core/authorization.ts';
import type { SetupPolicy } from '../../core/policy.ts';
import { cacheRefusedText } from '../../core/setup-view.ts';
import {
  setupJob,
  setupMs,
  setupResultSchema,
  type SetupReport,
  type SetupResult,
} from '../../core/setup.ts';
import { reasonOf } from '../../core/reason.ts';
import type { Reason, TaskOutcome } from '../../core/task.ts';
import * as z from 'zod';
import { lastJsonLine } from './last-json-line.ts';
import { taskLimits } from '../limits.ts';
import { setupRun } from '../run-names.ts';
import { cacheKey, entryOf, jobs, noCacheNote, note, restore, store, type SetupDeps } from './setup-cache.ts';
import { keptSetup, setupFailure } from '../setup-report.ts';
import { unlessLost } from './stage-sandbox.ts';
import type { Stage, TaskDeps } from './stage.ts';
import { retryBriefly, runnerOf } from './step-runner.ts';
import { waitFor } from './wait-for.ts';

/** What the first attempt decided, for a second one and for the step that finishes setup. */
const keptBeginning = 'setup-begun.json';
const beginningSchema = z.object({
  key: z.string().nullable(),
  fromCache: z.boolean(),
  /** Why the cache's entry was refused; null if it was not. */
  cacheRefused: z.string().nullable(),
  /** Decided before anything untrusted runs, because setup itself reports what it packed. */
  pack: z.boolean(),
});
type Beginning = z.infer<typeof beginningSchema>;
const withoutCache: Beginning = { key: null, fromCache: false, cacheRefused: null, pack: false };

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
      const { fromCache, cacheRefused } =
        key === null ? withoutCache : await restore(entryOf(authorization, key), deps);
      const pack = key !== null && startsFromConfiguredBase(authorization) && !fromCache;
      await keepBeginning({ key, fromCache, cacheRefused, pack }, deps);
    }
    const { key, fromCache, cacheRefused, pack } = await beginning(deps);
    // The cache can take minutes. Rejects if Codex was started meanwhile, by another attempt of this step.
    await record.enter('setup');
    if (cacheRefused !== null) await note(deps, cacheRefusedText(cacheRefused));
    await note(deps, fromCache ? 'Setup begins with what the cache has.' : noCacheNote(key, deps.setupCache));
    await record.appendToLog({ kind: 'command.started', command: setup.run });
    const job = setupJob(
      {
        setup,
        limits: authorization.policy.limits,
        lfs: authorization.policy.lfs,
        baseSha: authorization.baseSha,
      },
      { pack, maxPackedBytes: deps.setupCache?.maxEntryBytes ?? 0 },
    );
    await sandbox.writeFile(`${jobs}/setup.json`, JSON.stringify(job));
    await sandbox.startRun(setupRun, {
      argv: scriptCommand('setup', `${jobs}/setup.json`),
      keepsProcesses: setup.services,
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
  if (now() > overdueAt) return { go: false, outcome: failed(reasonOf('setup-overdue')) };
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
    if (result === null) return { go: false, outcome: failed(reasonOf('setup-unknown')) };
    const { key, fromCache, cacheRefused, pack } = await beginning(deps);
    const { exitCode, durationMs, outputTail, restored, pathsLeftBySetup } = result;
    const status = exitCode === null ? 'timed-out' : exitCode === 0 ? 'ok' : 'failed';
    const report: SetupReport = {
      command: setup.run,
      status,
      exitCode,
      durationMs,
      fromCache,
      services: setup.services,
      cacheRefused,
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
    await deps.record.keep(keptSetup, JSON.stringify(report));
    const refused = key !== null && pack ? await store(authorization, key, result, deps) : null;
    if (refused !== null)
      await deps.record.keep(keptSetup, JSON.stringify({ ...report, cacheRefused: refused }));
    if (result.problem !== null)
      return { go: false, outcome: failed(reasonOf('setup-left-a-mess', { problem: result.problem })) };
    if (status === 'ok') return { go: true, value: null };
    if (setup.optional) {
      await note(deps, `${setupFailure(report)} It is optional: Codex works without it.`);
      return { go: true, value: null };
    }
    const values = { failure: setupFailure(report), output: quoted(outputTail) };
    return { go: false, outcome: failed(reasonOf(`setup-${status}`, values)) };
  });
}

/** The exit status of SIGKILL, for a setup without one. */
const killedStatus = 137;

const failed = (reason: Reason): TaskOutcome => ({ kind: 'failed', reason, changeKept: false });

/** The end of the output as a code block that the output cannot close. */
function quoted(untrustedOutput: string): string {
  const tail = untrustedOutput.trim().slice(-taskLimits.setupTailCharacters);
  return tail === '' ? '' : `\n\nThe end of its output:\n\n\`\`\`\n${tail.replaceAll('```', "'''")}\n\`\`\``;
}

// ---- what is kept between steps

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
