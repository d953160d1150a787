/**
 * Setup: what the configuration lets run in the clone before Codex does. What `container/setup-inputs.ts` and `container/setup.ts` are
 * asked and what they answer, what is remembered of it, and what it is called in the cache. Decides nothing about its end.
 */
import * as z from 'zod';
import { sandboxPaths } from './checkout.ts';
import type { Authorization } from './authorization.ts';
import type { RepositoryPolicy } from './policy.ts';
import { sha256Hex } from '../lib/digest.ts';

/** Where packed files lie in a sandbox on their way to and from the cache. Outside the clone and every path that is packed. */
export const packedFolder = '/tmp/airlock-setup';
/** Raised when what is packed, or how, changes: entries of before are then not found. */
const cacheFormat = 1;

/** Characters of setup's output that are kept, from its end. */
const maxOutputCharacters = 16_000;
/** Paths of setup's that the collector leaves out. Beyond it they would be part of the change, which the pull request then says. */
const maxLeftPaths = 1000;

const pathList = z.array(z.string().min(1).max(4096));
const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

/** The job file of `node /opt/airlock/setup-inputs.js <jobfile>`, which runs before anything untrusted has. */
export interface SetupInputsJob {
  readonly directory: string;
  readonly base: string;
}
export const setupInputsSchema = z.strictObject({
  /** Operating system, processor and version of Node: what was built for one does not run on another. */
  platform: z.string().min(1).max(200),
  lockFiles: z.number().int().nonnegative(),
  /** Hex SHA-256 over their paths and blobs in the base commit. */
  digest: sha256Schema,
});
export type SetupInputs = z.infer<typeof setupInputsSchema>;

/** The job file of `node /opt/airlock/setup.js <jobfile>`. */
export interface SetupJob {
  readonly directory: string;
  readonly objectStore: string;
  readonly base: string;
  readonly run: string;
  readonly timeoutMs: number;
  /** As in `CollectJob`. */
  readonly lfs: boolean;
  /** Unpack what lies in `packedFolder` first. */
  readonly restore: boolean;
  /** Pack what setup installed afterwards. */
  readonly pack: boolean;
  readonly packedFolder: string;
  /** Folders of package managers, absolute, that are packed beside the clone's own files. */
  readonly packageFolders: readonly string[];
  readonly maxPackedBytes: number;
  readonly maxOutputCharacters: number;
  readonly maxLeftPaths: number;
  /** Only ever true inside a sandbox. */
  readonly endOtherProcesses: boolean;
}

/** The one line that it prints. Untrusted: what runs in setup has the same user. */
export const setupResultSchema = z.strictObject({
  /** null: it was killed at its time limit. 128 + signal when killed otherwise. */
  exitCode: z.number().int().min(0).max(255).nullable(),
  durationMs: z.number().int().nonnegative(),
  outputTail: z.string().max(maxOutputCharacters),
  restored: z.boolean(),
  /** Tracked files that were put back to the base commit; at most 50 of them named. */
  putBack: z.strictObject({ paths: pathList.max(50), total: z.number().int().nonnegative() }),
  /** New paths that no `.gitignore` names, a folder with a slash at its end; at most `maxLeftPaths` of them named. */
  left: z.strictObject({ paths: pathList.max(maxLeftPaths), total: z.number().int().nonnegative() }),
  /** null: not asked for, or nothing there. */
  packed: z
    .union([
      z.strictObject({
        sha256: sha256Schema,
        bytes: z.number().int().positive(),
        parts: z.number().int().positive(),
      }),
      z.strictObject({ problem: z.string().max(300) }),
    ])
    .nullable(),
  /** Why the working tree could not be brought into order; null when it is. */
  problem: z.string().max(400).nullable(),
});
export type SetupResult = z.infer<typeof setupResultSchema>;

/** What is kept of it with the task's record, and what the pull request says. Holds untrusted text. */
export const setupReportSchema = z.object({
  command: z.string(),
  status: z.enum(['ok', 'failed', 'timed-out']),
  exitCode: z.number().nullable(),
  durationMs: z.number(),
  fromCache: z.boolean(),
  putBack: z.object({ paths: z.array(z.string()), total: z.number() }),
  left: z.object({ paths: z.array(z.string()), total: z.number() }),
});
export type SetupReport = z.infer<typeof setupReportSchema>;

/**
 * What package managers keep below the home folder and find again by content or by version. An allowlist: a shell's, git's or an
 * agent's own settings must not come from one task into the next.
 */
const packageFolders = [
  '.npm/_cacache',
  '.cache/pip',
  '.cache/pypoetry',
  '.cache/uv',
  '.cache/yarn',
  '.cache/go-build',
  '.cache/composer',
  '.cargo/registry',
  '.cargo/git',
  '.local/share/pnpm/store',
  '.local/share/uv',
  '.yarn/berry/cache',
  '.gem',
  '.bundle/cache',
  '.m2/repository',
  '.gradle/caches',
  'go/pkg/mod',
].map((folder) => `/home/codex/${folder}`);

export function setupJob(
  {
    run,
    limits,
    baseSha,
    lfs,
  }: { readonly run: string; readonly baseSha: string } & Pick<RepositoryPolicy, 'limits' | 'lfs'>,
  { restore, pack, maxPackedBytes }: Pick<SetupJob, 'restore' | 'pack' | 'maxPackedBytes'>,
): SetupJob {
  return {
    directory: sandboxPaths.repository,
    objectStore: sandboxPaths.objectStore,
    base: baseSha,
    run,
    lfs,
    timeoutMs: setupMs(limits),
    restore,
    pack,
    packedFolder,
    packageFolders,
    maxPackedBytes,
    maxOutputCharacters,
    maxLeftPaths,
    endOtherProcesses: true,
  };
}

/** Half of the task's minutes: what is left must be enough for Codex to do something with it. Milliseconds. */
export const setupMs = ({ minutes }: RepositoryPolicy['limits']): number => (minutes * 60_000) / 2;

/** Everything that decides what setup installs. Repositories never share an entry: the id is part of it. null: nothing says what is installed. */
export async function setupCacheKey(
  {
    policy: { setup },
    facts,
  }: { readonly policy: Pick<RepositoryPolicy, 'setup'> } & Pick<Authorization, 'facts'>,
  inputs: SetupInputs,
): Promise<string | null> {
  if (setup === null || inputs.lockFiles === 0) return null;
  const named = JSON.stringify([
    cacheFormat,
    facts.repositoryId,
    inputs.platform,
    inputs.digest,
    setup.run,
    setup.hosts.toSorted(),
  ]);
  return await sha256Hex(named);
}
