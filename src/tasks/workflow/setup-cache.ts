/** Restores and stores what setup installed. Only saves time: without it, setup runs anyway. */
import { sandboxPaths, scriptCommand } from '../../core/checkout.ts';
import type { Authorization } from '../../core/authorization.ts';
import { SandboxLostError } from '../../core/ports/sandbox-port.ts';
import type { SetupCache, SetupCacheEntry } from '../../core/ports/setup-cache-port.ts';
import type { TaskRecordPort } from '../../core/ports/task-record.ts';
import { cacheRefusedText } from '../../core/setup-view.ts';
import {
  packedFolder,
  setupCacheKey,
  setupInputsSchema,
  unpackedSchema,
  unpackJob,
  type SetupInputsJob,
  type SetupResult,
} from '../../core/setup.ts';
import { lastJsonLine } from './last-json-line.ts';
import { taskLimits } from '../limits.ts';
import type { TaskDeps } from './stage.ts';

export const jobs = '/run/airlock/jobs';

export type SetupDeps = Pick<TaskDeps, 'sandbox' | 'setupCache' | 'now' | 'log'> & {
  readonly record: Pick<
    TaskRecordPort,
    'kept' | 'keep' | 'enter' | 'appendToLog' | 'snapshot' | 'view' | 'watchRun'
  >;
};

/** What restoring came to. */
export interface Restored {
  /** Everything was unpacked before setup. */
  readonly fromCache: boolean;
  /** Why the entry was refused; null if it was not. */
  readonly cacheRefused: string | null;
}
const nothing: Restored = { fromCache: false, cacheRefused: null };

export const entryOf = ({ facts }: Authorization, key: string): SetupCacheEntry => ({
  repositoryId: facts.repositoryId,
  key,
});

/** null if there is no cache or lock file. Trusted: nothing untrusted has run yet. */
export async function cacheKey(authorization: Authorization, deps: SetupDeps): Promise<string | null> {
  if (deps.setupCache === null) return null;
  const job: SetupInputsJob = { directory: sandboxPaths.repository, base: authorization.baseSha };
  await deps.sandbox.writeFile(`${jobs}/setup-inputs.json`, JSON.stringify(job));
  const argv = scriptCommand('setup-inputs', `${jobs}/setup-inputs.json`);
  const limits = { timeoutMs: taskLimits.canaryMs, maxOutputBytes: 4096 };
  const inputs = setupInputsSchema.safeParse(lastJsonLine(await deps.sandbox.exec({ argv }, limits)));
  return inputs.success ? await setupCacheKey(authorization, inputs.data) : null;
}

/** Restores the entry and unpacks it, before anything untrusted runs. Deletes an entry that is refused. */
export async function restore(entry: SetupCacheEntry, deps: SetupDeps): Promise<Restored> {
  const { setupCache, log } = deps;
  try {
    const restored = (await setupCache?.restore(entry, packedFolder)) ?? { kind: 'none' };
    if (restored.kind === 'refused') {
      log('setup_cache.refused', { reason: restored.reason });
      return { fromCache: false, cacheRefused: restored.reason };
    }
    if (restored.kind === 'none') return nothing;
    const problem = await unpack(deps);
    if (problem === null) return { fromCache: true, cacheRefused: null };
    log('setup_cache.refused', { reason: problem });
    await setupCache?.remove(entry);
    return { fromCache: false, cacheRefused: problem };
  } catch (error) {
    if (error instanceof SandboxLostError) throw error;
    log('setup_cache.not_restored', { error: String(error) });
    return nothing;
  }
}

/** null if everything was moved into place; otherwise nothing was, and this says why. */
async function unpack({ sandbox }: SetupDeps): Promise<string | null> {
  const jobFile = `${jobs}/unpack-setup.json`;
  await sandbox.writeFile(jobFile, JSON.stringify(unpackJob));
  const argv = scriptCommand('unpack-setup', jobFile);
  const limits = { timeoutMs: taskLimits.unpackMs, maxOutputBytes: 4096 };
  const unpacked = unpackedSchema.safeParse(lastJsonLine(await sandbox.exec({ argv }, limits)));
  if (!unpacked.success) {
    const leftovers = ['rm', '-rf', packedFolder, unpackJob.cloneStaging, unpackJob.homeStaging];
    await sandbox.exec({ argv: leftovers }, { timeoutMs: 30_000, maxOutputBytes: 0 });
    return 'it could not be unpacked in time';
  }
  return unpacked.data.ok ? null : unpacked.data.problem;
}

/** Returns why the cache refused what setup packed; null if it did not. */
export async function store(
  authorization: Authorization,
  key: string,
  { packed }: SetupResult,
  deps: SetupDeps,
): Promise<string | null> {
  const { setupCache, sandbox, log } = deps;
  if (setupCache === null || packed === null) return null;
  if ('problem' in packed) {
    await note(deps, `What setup installed is not kept for the next task: ${packed.problem}.`);
    return null;
  }
  const { owner, name } = authorization.facts;
  try {
    const repository = `${owner}/${name}`;
    const entry = entryOf(authorization, key);
    const stored = await setupCache.store(entry, { folder: packedFolder, repository, ...packed });
    if (stored.kind === 'refused') {
      log('setup_cache.refused', { reason: stored.reason });
      await note(deps, cacheRefusedText(stored.reason));
    } else
      await note(
        deps,
        stored.kind === 'stored'
          ? `What setup installed is kept for the next task (${Math.max(1, Math.round(packed.bytes / 1024))} KiB).`
          : 'What setup installed is not kept for the next task.',
      );
    await sandbox.exec({ argv: ['rm', '-rf', packedFolder] }, { timeoutMs: 30_000, maxOutputBytes: 0 });
    return stored.kind === 'refused' ? stored.reason : null;
  } catch (error) {
    log('setup_cache.not_stored', { error: String(error) });
    return null;
  }
}

export async function note({ record }: SetupDeps, text: string): Promise<void> {
  await record.appendToLog({ kind: 'note', text });
}

export function noCacheNote(key: string | null, cache: SetupCache | null): string {
  if (cache === null) return 'Setup begins from nothing: there is no cache here.';
  return key === null
    ? 'Setup begins from nothing: no lock file says what it will install.'
    : 'Setup begins from nothing: the cache has nothing for these lock files.';
}
