/** Selects what Codex gets of a pull request's commits and diff, in order and up to a cap. Pure. */
import * as z from 'zod';
import { stripHiddenCharacters } from '../core/ask/hidden-characters.ts';
import type { PullContext } from '../core/ask/pull-context.ts';
import { headOf } from '../lib/cut-text.ts';
import { singleLine } from './markdown.ts';

const maxCommits = 50;
const maxFiles = 300;
/** About 10,000 tokens for all hunks, and a quarter of them for one file. */
const maxPatchChars = 40_000;
const maxFilePatchChars = 10_000;

/** Parts of GitHub's comparison of two commits. Untrusted: anybody can write a commit in a fork. */
export const comparisonSchema = z.object({
  total_commits: z.number().int().nonnegative(),
  commits: z.array(
    z.object({
      sha: z.string().regex(/^[0-9a-f]{40}$/),
      commit: z.object({ message: z.string(), author: z.object({ name: z.string().nullish() }).nullish() }),
      author: z.object({ login: z.string().optional() }).nullish(),
    }),
  ),
  files: z
    .array(
      z.object({
        filename: z.string(),
        status: z.string(),
        additions: z.number().int().nonnegative(),
        deletions: z.number().int().nonnegative(),
        patch: z.string().optional(),
      }),
    )
    .default([]),
});

export function selectChanges({
  total_commits: total,
  commits,
  files,
}: z.infer<typeof comparisonSchema>): PullContext['changes'] {
  const shown = commits.slice(-maxCommits);
  let room = maxPatchChars;
  return {
    commits: shown.map(({ sha, commit, author }) => ({
      sha,
      author: author?.login ?? singleLine(commit.author?.name ?? 'unknown', 60),
      subject: singleLine(commit.message.split('\n', 1)[0] ?? '', 120),
    })),
    commitsLeftOut: Math.max(0, total - shown.length),
    files: files.slice(0, maxFiles).map((file) => {
      const { status, additions, deletions, patch } = file;
      const whole = stripHiddenCharacters(patch ?? '');
      const cut = headOf(whole, Math.min(room, maxFilePatchChars));
      room -= cut.length;
      return {
        // oxlint-disable-next-line no-restricted-properties -- GitHub's word, not a property of import.meta
        path: singleLine(file.filename, 400),
        status: singleLine(status, 20),
        additions,
        deletions,
        patch: cut === '' ? null : cut.length === whole.length ? cut : `${cut}\n[the rest is left out here]`,
      };
    }),
    filesLeftOut: Math.max(0, files.length - maxFiles),
  };
}
