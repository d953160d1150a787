/**
 * What `container/clone.ts` is asked and what it answers. Decides nothing.
 */
import * as z from 'zod';

/** Where things are inside a sandbox. `objectStore` lies outside the clone, so that nothing done to `.git` reaches it. */
export const sandboxPaths = {
  repository: '/workspace/repo',
  objectStore: '/workspace/.airlock-base',
  /** `container/`, with its types stripped: `clone.ts` is `clone.js` there. */
  scripts: '/opt/airlock',
} as const;

/** The job file of `node /opt/airlock/clone.js <jobfile>`. Holds no credential: the gateway adds it on the way. */
export interface CloneJob {
  readonly url: string;
  /** The commit to check out, 40 hex digits. */
  readonly sha: string;
  /** The local branch that is put there. */
  readonly branch: string;
  /** Where the clone goes; replaced only if it is not already this very clone. */
  readonly directory: string;
  /** Gets the base commit's objects and index a second time (hard links): what the collector compares with. */
  readonly objectStore: string;
  /** Puts Git LFS objects in the place of their pointers. */
  readonly lfs: boolean;
}

/** Inside a sandbox GitHub is always called `github.com`: the egress handler knows where it really is. */
export function cloneJob(at: {
  owner: string;
  name: string;
  sha: string;
  branch: string;
  lfs: boolean;
}): CloneJob {
  return {
    url: `https://github.com/${at.owner}/${at.name}.git`,
    sha: at.sha,
    branch: at.branch,
    directory: sandboxPaths.repository,
    objectStore: sandboxPaths.objectStore,
    lfs: at.lfs,
  };
}

const shaSchema = z.string().regex(/^[0-9a-f]{40}$/);
/** The one line that `container/clone.ts` prints; its exit code is 0 exactly when `ok`. */
export const cloneResultSchema = z.discriminatedUnion('ok', [
  z.strictObject({
    ok: z.literal(true),
    sha: shaSchema,
    /** True when an earlier attempt had already made it. */
    found: z.boolean(),
    elapsedMs: z.number().int().nonnegative(),
  }),
  z.strictObject({
    ok: z.literal(false),
    code: z.enum([
      'not-found',
      'refused',
      'commit-not-found',
      'unreachable',
      'disk-full',
      'bad-tree',
      'lfs-failed',
      'bad-job',
      'git-failed',
    ]),
    /** At most 400 characters, for people. */
    error: z.string().max(400),
  }),
]);
export type CloneResult = z.infer<typeof cloneResultSchema>;

/** Whether another attempt at the same clone could end differently. */
export function cloneMayRecover(result: CloneResult): boolean {
  return !result.ok && (result.code === 'unreachable' || result.code === 'git-failed');
}
