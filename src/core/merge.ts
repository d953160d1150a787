/** The merge of a base branch into a pull request's head: `container/merge.ts`, and what is known of it. */
import * as z from 'zod';
import { sandboxPaths } from './checkout.ts';

/** The three commits of a merge. */
export interface MergeParents {
  /** The head of the pull request: the first parent. */
  readonly ours: string;
  /** The head of its base branch: the second parent. */
  readonly theirs: string;
  /** The commit that both have in common, as GitHub has it. */
  readonly ancestor: string;
}

/** The job file of `node /opt/airlock/merge.js <jobfile>`, which runs between setup and Codex. */
export interface MergeJob extends MergeParents {
  readonly directory: string;
  readonly objectStore: string;
  /** Names of the branches, for the labels of conflict markers. */
  readonly oursName: string;
  readonly theirsName: string;
}

export function mergeJob(parents: MergeParents, names: { ours: string; theirs: string }): MergeJob {
  return {
    ...parents,
    oursName: names.ours,
    theirsName: names.theirs,
    directory: sandboxPaths.repository,
    objectStore: sandboxPaths.objectStore,
  };
}

/** Paths with conflicts; `more`: how many are not listed. */
const conflictsSchema = z.strictObject({
  paths: z.array(z.string().min(1).max(4096)).max(200),
  more: z.number().int().nonnegative(),
});
export type Conflicts = z.infer<typeof conflictsSchema>;

const shaSchema = z.string().regex(/^[0-9a-f]{40}$/);
/** The one line that it prints. Untrusted: setup runs before it as the same user. */
export const mergeResultSchema = z.discriminatedUnion('ok', [
  z.strictObject({
    ok: z.literal(true),
    /**
     * The tree with everything that only one side changed, and the head's version of what both changed. The
     * collected change is what differs from it.
     */
    tree: shaSchema,
    conflicts: conflictsSchema,
  }),
  /** `busy`: another attempt has begun it and can still end. */
  z.strictObject({ ok: z.literal(false), busy: z.boolean(), error: z.string().max(400) }),
]);
export type MergeResult = z.infer<typeof mergeResultSchema>;

/** What the record keeps of a merge that the sandbox has begun. */
export const keptMergeSchema = z.object({
  ours: shaSchema,
  theirs: shaSchema,
  ancestor: shaSchema,
  tree: shaSchema,
});
export type KeptMerge = z.infer<typeof keptMergeSchema>;
