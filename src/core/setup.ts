/** Setup, which runs in the clone before Codex: its scripts' input and output, and the cache key. */
import * as z from 'zod';
import { sandboxPaths } from './checkout.ts';
import type { Authorization } from './authorization.ts';
import type { RepositoryPolicy, SetupPolicy } from './policy.ts';
import { withoutSecrets } from './secrets/find-secrets.ts';
import { neverCached, packageFolders } from './setup-archive.ts';
import { sha256Hex } from '../lib/digest.ts';

/** Packed files on their way to and from the cache, outside the clone and every packed path. */
export const packedFolder = '/tmp/airlock-setup';
/** Raise it when the packed files or their format change, so that earlier entries are not found. */
const cacheFormat = 2;

/** Characters of setup's output that are kept, from its end. */
const maxOutputCharacters = 16_000;
/** New paths of setup that the collector leaves out. Further ones become part of the change. */
const maxLeftPaths = 1000;

const pathList = z.array(z.string().min(1).max(4096));
const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

/** The job file of `node /opt/airlock/setup-inputs.js <jobfile>`, which runs before anything untrusted. */
export interface SetupInputsJob {
  readonly directory: string;
  readonly base: string;
}
export const setupInputsSchema = z.strictObject({
  /** Operating system, processor and version of Node: packages built for one do not run on another. */
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
  /** Packs what setup installed afterwards. */
  readonly pack: boolean;
  readonly packedFolder: string;
  /** Absolute paths of package managers' folders, packed in addition to the clone's own files. */
  readonly packageFolders: readonly string[];
  /** Names at the top of the clone that are not packed, in lower case. */
  readonly neverCached: readonly string[];
  readonly maxPackedBytes: number;
  readonly maxOutputCharacters: number;
  readonly maxLeftPaths: number;
  /** True only inside a sandbox. */
  readonly endOtherProcesses: boolean;
  /** What the command leaves running is stopped while this works, and then continues. Else it ends. */
  readonly keepProcesses: boolean;
}

/** The job file of `node /opt/airlock/unpack-setup.js <jobfile>`, which runs before setup. */
export interface UnpackJob {
  readonly directory: string;
  readonly objectStore: string;
  readonly home: string;
  /** New folders on the file systems of the clone and of the home folder. They must not exist yet. */
  readonly cloneStaging: string;
  readonly homeStaging: string;
  /** The folder of the parts. */
  readonly packedFolder: string;
}
export const unpackJob: UnpackJob = {
  directory: sandboxPaths.repository,
  objectStore: sandboxPaths.objectStore,
  home: sandboxPaths.home,
  cloneStaging: '/workspace/.airlock-unpacked',
  homeStaging: `${sandboxPaths.home}/.airlock-unpacked`,
  packedFolder,
};
/** The one line that it prints. */
export const unpackedSchema = z.union([
  z.strictObject({ ok: z.literal(true) }),
  z.strictObject({ ok: z.literal(false), problem: z.string().max(200) }),
]);
export type Unpacked = z.infer<typeof unpackedSchema>;

/** The one line that `setup.js` prints. Untrusted: the setup command runs as the same user. */
export const setupResultSchema = z.strictObject({
  /** Null: killed at its time limit. 128 + signal when killed otherwise. */
  exitCode: z.number().int().min(0).max(255).nullable(),
  durationMs: z.number().int().nonnegative(),
  outputTail: z.string().max(maxOutputCharacters).transform(withoutSecrets),
  /** Tracked files that were restored to the base commit; names at most 50 of them. */
  restored: z.strictObject({ paths: pathList.max(50), total: z.number().int().nonnegative() }),
  /** New paths that no `.gitignore` matches; a folder has a trailing slash. */
  pathsLeftBySetup: z.strictObject({
    paths: pathList.max(maxLeftPaths),
    total: z.number().int().nonnegative(),
  }),
  /** Null: not requested, or nothing to pack. */
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
  /** Why the working tree could not be restored; null when it was. */
  problem: z.string().max(400).nullable(),
});
export type SetupResult = z.infer<typeof setupResultSchema>;

/** The part that the record keeps and the pull request shows. Holds untrusted text. */
export const setupReportSchema = z.object({
  command: z.string(),
  status: z.enum(['ok', 'failed', 'timed-out']),
  exitCode: z.number().nullable(),
  durationMs: z.number(),
  fromCache: z.boolean(),
  /** What it left running still runs. */
  services: z.boolean().default(false),
  /** Why an entry of the cache was refused and deleted, or was not stored. Inert text; null if none was. */
  cacheRefused: z.string().nullable().default(null),
  restored: z.object({ paths: z.array(z.string()), total: z.number() }),
  pathsLeftBySetup: z.object({ paths: z.array(z.string()), total: z.number() }),
});
export type SetupReport = z.infer<typeof setupReportSchema>;

export function setupJob(
  {
    setup,
    limits,
    baseSha,
    lfs,
  }: { readonly setup: Pick<SetupPolicy, 'run' | 'services'>; readonly baseSha: string } & Pick<
    RepositoryPolicy,
    'limits' | 'lfs'
  >,
  { pack, maxPackedBytes }: Pick<SetupJob, 'pack' | 'maxPackedBytes'>,
): SetupJob {
  return {
    directory: sandboxPaths.repository,
    objectStore: sandboxPaths.objectStore,
    base: baseSha,
    run: setup.run,
    lfs,
    timeoutMs: setupMs(limits),
    pack,
    packedFolder,
    packageFolders,
    neverCached,
    maxPackedBytes,
    maxOutputCharacters,
    maxLeftPaths,
    endOtherProcesses: true,
    keepProcesses: setup.services,
  };
}

/** Milliseconds: half of the task's minutes, so that Codex has enough time left to do something. */
export const setupMs = ({ minutes }: RepositoryPolicy['limits']): number => (minutes * 60_000) / 2;

/** Covers what decides the installation, the repository's id included. Null: there is no lock file. */
export async function setupCacheKey(
  {
    policy: { setup, sandbox },
    facts,
  }: { readonly policy: Pick<RepositoryPolicy, 'setup' | 'sandbox'> } & Pick<Authorization, 'facts'>,
  inputs: SetupInputs,
): Promise<string | null> {
  if (setup === null || inputs.lockFiles === 0) return null;
  const named = JSON.stringify([
    cacheFormat,
    facts.repositoryId,
    inputs.platform,
    inputs.digest,
    setup.run,
    [...setup.hosts, ...setup.registries.map(({ host, pathPrefix }) => `${host}${pathPrefix}/`)].toSorted(),
    sandbox.image,
    sandbox.toolchains,
  ]);
  return await sha256Hex(named);
}
