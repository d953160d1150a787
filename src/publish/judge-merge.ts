/**
 * Judges the outcome of a merge: which files are resolved as one of its sides, so that the gate does not
 * judge them, which had no conflict, and why it cannot be published. GitHub's trees and files decide, not the
 * sandbox.
 */
import * as z from 'zod';
import type { ChangedFile, ChangeSet, MergeMeasure } from '../core/change-set.ts';
import type { KeptMerge } from '../core/merge.ts';
import type { GithubClient } from '../github/client.ts';
import { utf8Of } from '../lib/utf8.ts';
import { decodeBase64 } from './base64.ts';
import { leftMarker, mayHaveMarkers } from './conflict-markers.ts';
import { mergedTrees, type Tree } from './merge-tree.ts';
import type { RepositoryPath } from './tree-writer.ts';

const blobSchema = z.object({ content: z.string() });
/** Places that are named, and files whose earlier versions are read. */
const maxPlaces = 20;
const maxCompared = 50;

export async function judgeMerge(
  client: GithubClient,
  at: RepositoryPath,
  { files, skipped }: Pick<ChangeSet, 'files' | 'skipped'>,
  merge: KeptMerge,
): Promise<MergeMeasure> {
  const trees = await mergedTrees(client, at, merge);
  if (trees === null) return { asInParent: [], withoutConflict: [], problem: tooManyFiles };
  const { ours, theirs, merged } = trees;
  // The head's version would stay, and the base's change to the file would be lost.
  const lost = skipped.flatMap(({ path }) => (merged.both.has(path) ? [path] : []));
  const asInParent: string[] = [];
  const places: string[] = [];
  let compared = 0;
  for (const file of files) {
    // An agent that puts back what only the other side changed has made a change like any other.
    const inBoth = merged.both.has(file.path);
    if (inBoth && (await isIn([ours, theirs], file))) asInParent.push(file.path);
    const text = file.type === 'file' ? utf8Of(decodeBase64(file.content)) : null;
    if (text === null || !mayHaveMarkers(text)) continue;
    compared += 1;
    const before = compared > maxCompared ? [] : await versions(client, at, [ours, theirs], file.path);
    const line = leftMarker(text, before);
    if (line !== null) places.push(`\`${file.path.slice(0, 300).replaceAll('`', '')}:${line}\``);
  }
  const problem =
    lost.length > 0 ? lostText(lost) : places.length > 0 ? markersText(places, files.length) : null;
  const withoutConflict = files.map(({ path }) => path).filter((path) => !merged.both.has(path));
  return { asInParent, withoutConflict, problem };
}

async function versions(
  client: GithubClient,
  at: RepositoryPath,
  trees: readonly Tree[],
  path: string,
): Promise<string[]> {
  const found = trees.flatMap((tree) => tree.get(path) ?? []).filter(({ type }) => type === 'blob');
  return await Promise.all(
    found.map(async ({ sha }) => {
      const { data } = await client.request('GET /repos/{owner}/{repo}/git/blobs/{file_sha}', {
        ...at,
        file_sha: sha,
      });
      return utf8Of(decodeBase64(blobSchema.parse(data).content.replaceAll('\n', ''))) ?? '';
    }),
  );
}

async function isIn(trees: readonly Tree[], file: ChangedFile): Promise<boolean> {
  if (file.type === 'deletion') return trees.some((tree) => !tree.has(file.path));
  const sha = await blobId(decodeBase64(file.content));
  return trees.some((tree) => {
    const entry = tree.get(file.path);
    return entry?.sha === sha && entry.mode === file.mode;
  });
}

/** As git names a file's content. */
async function blobId(content: Uint8Array): Promise<string> {
  const header = new TextEncoder().encode(`blob ${content.byteLength}\0`);
  const bytes = new Uint8Array(header.byteLength + content.byteLength);
  bytes.set(header);
  bytes.set(content, header.byteLength);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-1', bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

const tooManyFiles =
  'The repository has more files than GitHub lists at once, so the merge cannot be checked. Merge the base branch by hand.';

const lostText = (paths: readonly string[]): string =>
  `Both sides changed files that Airlock cannot publish: ${paths
    .slice(0, 5)
    .map((path) => `\`${path.slice(0, 300).replaceAll('`', '')}\``)
    .join(', ')}. Merge the base branch by hand.`;

function markersText(places: readonly string[], files: number): string {
  const more = places.length > maxPlaces ? ` and ${places.length - maxPlaces} more files` : '';
  const where = places.slice(0, maxPlaces).join(', ');
  return `Conflict markers are left in ${where}${more}, so nothing of the merge (${files} resolved or merged files) was published. Say how to resolve them and ask again, or resolve them by hand.`;
}
