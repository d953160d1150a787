/**
 * A change as it leaves the sandbox: whole files against a recorded base commit, never a patch to apply. The
 * collector's lines are untrusted input. `publish/change-lines.ts` parses them; `publish/gate.ts` decides
 * what is published.
 */
import * as z from 'zod';
import { sandboxPaths } from './checkout.ts';

const fileModes = ['100644', '100755', '120000'] as const;

/** Bytes of one file after decoding. GitHub's blob API takes 100 MB; we stop far below it. */
export const maxFileBytes = 10 * 1024 * 1024;
/**
 * Bytes of all files together after decoding: 27 MiB in base64, which one RPC (32 MiB) carries and a Worker's
 * memory (128 MB) holds more than once.
 */
export const maxChangeBytes = 20 * 1024 * 1024;
export const maxChangedFiles = 2000;

const path = z.string().min(1).max(4096);
const shaSchema = z.string().regex(/^[0-9a-f]{40}$/);
const fileLineSchema = z.strictObject({
  type: z.literal('file'),
  path,
  mode: z.enum(fileModes),
  /**
   * The mode in the base commit; null when the path is new. Only for remarks, because the sandbox says so.
   */
  modeBefore: z.enum(fileModes).nullable(),
  /** Base64. A symlink's content is its target. */
  content: z.base64(),
});
const deletionLineSchema = z.strictObject({ type: z.literal('deletion'), path });

/** Why a changed path is not part of the change set, in the order of the checks. */
const skipReasons = [
  /** A pointer to another repository's commit. */
  'submodule',
  /** A folder with a repository of its own. Git does not look into it either. */
  'nested-repository',
  /** The name is not UTF-8. JSON and GitHub's API cannot express it. */
  'not-utf8',
  /** Control characters, a backslash, or something that another system would read as `.git`. */
  'unsafe-name',
  /** Neither file nor symlink: a FIFO, a socket, a device. */
  'special-file',
  'unreadable',
  'too-large',
  /** A Git LFS file with changed content. Airlock cannot upload its object. */
  'lfs',
] as const;
const skippedLineSchema = z.strictObject({ type: z.literal('skipped'), path, why: z.enum(skipReasons) });

const endLineSchema = z.strictObject({
  type: z.literal('end'),
  base: shaSchema,
  /** The number of lines before this one, so that a cut-off collection is noticed. */
  entries: z.number().int().nonnegative(),
  insertions: z.number().int().nonnegative(),
  deletions: z.number().int().nonnegative(),
  /** Unified diff for people, cut at 200,000 characters. Never applied. */
  diff: z.string().max(250_000),
});
const collectFailureCodes = [
  'too-large',
  'too-many-files',
  'base-missing',
  'working-tree-missing',
  'processes-remain',
  'bad-job',
  'git-failed',
] as const;
/** In place of the end line: the collector failed, and the lines before count for nothing. */
const failedLineSchema = z.strictObject({
  type: z.literal('failed'),
  code: z.enum(collectFailureCodes),
  message: z.string().max(400),
});
/** One line of `container/collect.ts`'s output. */
export const changeLineSchema = z.discriminatedUnion('type', [
  fileLineSchema,
  deletionLineSchema,
  skippedLineSchema,
  endLineSchema,
  failedLineSchema,
]);
export type ChangeLine = z.infer<typeof changeLineSchema>;

export type ChangedFile = z.infer<typeof fileLineSchema> | z.infer<typeof deletionLineSchema>;
export type SkippedPath = z.infer<typeof skippedLineSchema>;

export interface ChangeSet {
  readonly base: string;
  readonly files: readonly ChangedFile[];
  readonly skipped: readonly SkippedPath[];
  readonly insertions: number;
  readonly deletions: number;
  readonly diff: string;
}

/** The job file of `node /opt/airlock/collect.js <jobfile>`. */
export interface CollectJob {
  /** The working tree. Nothing reads its `.git`. */
  readonly directory: string;
  /** Where `clone.ts` kept the base commit's objects and index. */
  readonly objectStore: string;
  /** The recorded base commit. */
  readonly base: string;
  /**
   * Kills every other process of the same user first, except its own ancestors. True only inside a sandbox:
   * outside, those would be all processes of the user.
   */
  readonly endOtherProcesses: boolean;
  /**
   * New paths that setup created before Codex ran; a folder ends with a slash. They are not part of the
   * change.
   */
  readonly pathsLeftBySetup: readonly string[];
  /** The clone has Git LFS objects in place of pointers. */
  readonly lfs: boolean;
  readonly limits: {
    readonly maxFileBytes: number;
    readonly maxChangeBytes: number;
    readonly maxChangedFiles: number;
    readonly maxDiffCharacters: number;
  };
}

export function collectJob(
  base: string,
  { pathsLeftBySetup = [], lfs = false }: Partial<Pick<CollectJob, 'pathsLeftBySetup' | 'lfs'>> = {},
): CollectJob {
  return {
    directory: sandboxPaths.repository,
    objectStore: sandboxPaths.objectStore,
    base,
    endOtherProcesses: true,
    pathsLeftBySetup,
    lfs,
    limits: { maxFileBytes, maxChangeBytes, maxChangedFiles, maxDiffCharacters: 200_000 },
  };
}
