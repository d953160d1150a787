/**
 * A change as it leaves the sandbox: whole files against a recorded base commit, never a patch to apply.
 * The collector's lines are untrusted input and are parsed here; `publish/gate.ts` decides what may pass.
 */
import { z } from 'zod';

export const fileModes = ['100644', '100755', '120000'] as const;

/** Bytes of one file after decoding. GitHub's blob API takes 100 MB; we stop far below it. */
export const maxFileBytes = 10 * 1024 * 1024;
/** Bytes of all files together after decoding: has to fit in a Worker's memory (128 MB) twice in base64. */
export const maxChangeBytes = 25 * 1024 * 1024;
export const maxChangedFiles = 2000;

const path = z.string().min(1).max(4096);
const fileLineSchema = z.strictObject({
  type: z.literal('file'),
  path,
  mode: z.enum(fileModes),
  /** Base64. A symlink's content is its target. */
  content: z.base64(),
});
const deletionLineSchema = z.strictObject({ type: z.literal('deletion'), path });
/** A changed path that cannot be carried, and why: a submodule pointer, a name that is not UTF-8, too large. */
const skippedLineSchema = z.strictObject({
  type: z.literal('skipped'),
  path,
  why: z.enum(['submodule', 'not-utf8', 'too-large', 'special-file']),
});
const endLineSchema = z.strictObject({
  type: z.literal('end'),
  base: z.string().regex(/^[0-9a-f]{40}$/),
  /** Lines before this one: a cut-off collection is noticed. */
  entries: z.number().int().nonnegative(),
  insertions: z.number().int().nonnegative(),
  deletions: z.number().int().nonnegative(),
  /** Unified diff for people, cut at 200,000 characters. Never applied. */
  diff: z.string().max(250_000),
});
/** One line of `container/collect.ts`'s output. */
export const changeLineSchema = z.discriminatedUnion('type', [
  fileLineSchema,
  deletionLineSchema,
  skippedLineSchema,
  endLineSchema,
]);
export type ChangeLine = z.infer<typeof changeLineSchema>;

export type ChangedFile = z.infer<typeof fileLineSchema> | z.infer<typeof deletionLineSchema>;

export interface ChangeSet {
  readonly base: string;
  readonly files: readonly ChangedFile[];
  readonly skipped: readonly z.infer<typeof skippedLineSchema>[];
  readonly insertions: number;
  readonly deletions: number;
  readonly diff: string;
}
