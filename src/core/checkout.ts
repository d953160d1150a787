/** The input and the output of `container/clone.ts`. Decides nothing. */
import * as z from 'zod';

/** `objectStore` is outside the clone, so that nothing done to `.git` reaches it. */
export const sandboxPaths = {
  repository: '/workspace/repo',
  objectStore: '/workspace/.airlock-base',
  home: '/home/codex',
  /** `container/` without its types: `clone.ts` is `clone.js` there. */
  scripts: '/opt/airlock',
} as const;

/** A file in the object store that keeps room on the disk for collecting the change. */
export const diskReserve = 'reserve';

/** Without the switch, SIGUSR1 opens Node's inspector to other processes of the same user. */
export const scriptCommand = (name: string, ...more: readonly string[]): readonly string[] => [
  '/opt/node/bin/node',
  '--disable-sigusr1',
  `${sandboxPaths.scripts}/${name}.js`,
  ...more,
];

/** The job of `clone.js`. Holds no credential: the gateway adds it to the requests. */
export interface CloneJob {
  readonly url: string;
  /** The commit to check out, 40 hex digits. */
  readonly sha: string;
  /** The local branch to create. */
  readonly branch: string;
  /** The folder of the clone. Replaced unless it already is this clone. */
  readonly directory: string;
  /** Gets a second copy (hard links) of the base's objects and index, to compare with. */
  readonly objectStore: string;
  /** Refspecs of further commits to fetch, as `+<sha>:refs/…`. */
  readonly also: readonly string[];
  /** Puts Git LFS objects in place of their pointers. */
  readonly lfs: boolean;
}

/** Inside a sandbox GitHub is always `github.com`. The egress handler knows the real host. */
export function cloneJob(at: {
  owner: string;
  name: string;
  sha: string;
  branch: string;
  lfs: boolean;
  also?: readonly string[];
}): CloneJob {
  return {
    url: `https://github.com/${at.owner}/${at.name}.git`,
    sha: at.sha,
    branch: at.branch,
    directory: sandboxPaths.repository,
    objectStore: sandboxPaths.objectStore,
    also: at.also ?? [],
    lfs: at.lfs,
  };
}

const shaSchema = z.string().regex(/^[0-9a-f]{40}$/);
/** The one line that `container/clone.ts` prints; its exit code is 0 exactly when `ok`. */
export const cloneResultSchema = z.discriminatedUnion('ok', [
  z.strictObject({
    ok: z.literal(true),
    sha: shaSchema,
    /** True when an earlier attempt had already made the clone. */
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

/** True if another attempt at the same clone could end differently. */
export function cloneMayRecover(result: CloneResult): boolean {
  return !result.ok && (result.code === 'unreachable' || result.code === 'git-failed');
}
