/** Selects what Codex gets of a pull request's commits and diff, in order and up to a cap. Pure. */
import * as z from 'zod';
import { stripHiddenCharacters } from '../core/ask/hidden-characters.ts';
import type { ChangedFile, PullContext } from '../core/ask/pull-context.ts';
import { headOf } from '../lib/cut-text.ts';
import { singleLine } from './markdown.ts';

const maxCommits = 50;
/** GitHub lists no more. */
const maxFiles = 300;
const maxNameChars = 20_000;
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
  const listed: ChangedFile[] = [];
  let nameRoom = maxNameChars;
  let room = maxPatchChars;
  for (const file of files) {
    const { status, additions, deletions, patch } = file;
    // oxlint-disable-next-line no-restricted-properties -- GitHub's word, not a property of import.meta
    const path = singleLine(file.filename, 400);
    nameRoom -= path.length;
    if (nameRoom < 0) break;
    const whole = stripHiddenCharacters(patch ?? '');
    const cut = headOf(whole, Math.min(room, maxFilePatchChars));
    room -= cut.length;
    listed.push({
      path,
      status: singleLine(status, 20),
      additions,
      deletions,
      patch: cut === '' ? null : cut.length === whole.length ? cut : `${cut}\n[the rest is left out here]`,
    });
  }
  return {
    commits: shown.map(({ sha, commit, author }) => ({
      sha,
      author: author?.login ?? singleLine(commit.author?.name ?? 'unknown', 60),
      subject: singleLine(commit.message.split('\n', 1)[0] ?? '', 120),
    })),
    commitsLeftOut: Math.max(0, total - shown.length),
    files: listed,
    filesLeftOut: files.length - listed.length,
    mayHaveMoreFiles: files.length >= maxFiles,
  };
}
