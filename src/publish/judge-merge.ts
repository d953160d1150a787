/**
 * Judges the outcome of a merge: which files are resolved as one of its sides, so that the gate does not
 * judge them, which had no conflict, and why it cannot be published. GitHub's trees and files decide, not the
 * sandbox.
 */
import type { ChangedFile, ChangeSet, MergeMeasure } from '../core/change-set.ts';
import type { KeptMerge } from '../core/merge.ts';
import type { GithubClient } from '../github/client.ts';
import { readBlob, type RepositoryPath, type TreeEntry } from '../github/git-objects.ts';
import { decodeBase64 } from '../lib/base64.ts';
import { leftMarker, mayHaveMarkers } from './conflict-markers.ts';
import { entryAt, mergeByFile, type MergedByFile } from './merge-tree.ts';
import { treeReader, type ReadTree } from './touched-files.ts';

/** Places that are named, and files whose earlier versions are read. */
const maxPlaces = 20;
const maxCompared = 50;
/** As in `container/index-tree.ts`. */
const maxSkipped = 200;

export async function judgeMerge(
  client: GithubClient,
  at: RepositoryPath,
  { files, skipped }: Pick<ChangeSet, 'files' | 'skipped'>,
  merge: KeptMerge,
): Promise<MergeMeasure> {
  const readTree = treeReader(client, at);
  const merged = await mergeByFile(merge, readTree);
  if (merged === null) return { asInParent: [], withoutConflict: [], problem: tooMuch };
  const { both } = merged;
  const lost = [...new Set([...lostFiles(skipped, [...both.keys()]), ...submodules(both)])];
  const asInParent: string[] = [];
  const places: string[] = [];
  let compared = 0;
  for (const file of files) {
    // An agent that puts back what only the other side changed has made a change like any other.
    const sides = both.get(file.path);
    if (sides !== undefined && (await isAsSide(sides, file))) asInParent.push(file.path);
    // One character per byte: markers are ASCII, whatever the encoding of the rest is.
    const text = file.type === 'file' ? atob(file.content) : '';
    if (!mayHaveMarkers(text)) continue;
    compared += 1;
    const before = compared > maxCompared ? [] : await versions(client, at, readTree, merge, file.path);
    const line = leftMarker(text, before);
    if (line !== null) places.push(`${nameOf(file.path)}:${line}\``);
  }
  const problem =
    lost.length > 0 ? lostText(lost) : places.length > 0 ? markersText(places, files.length) : null;
  const withoutConflict = files.map(({ path }) => path).filter((path) => !both.has(path));
  return { asInParent, withoutConflict, problem };
}

/** Inline code without its end. */
const nameOf = (path: string): string => `\`${path.slice(0, 300).replaceAll('`', '')}`;

/**
 * Files that both sides changed and that the collector left out: the head's version would stay, and the
 * base's change to it would be lost. An entry can be for a folder, and its name cannot always be compared.
 */
function lostFiles(skipped: ChangeSet['skipped'], both: readonly string[]): readonly string[] {
  if (both.length === 0) return [];
  const isLost = ({ path, why }: ChangeSet['skipped'][number]): boolean => {
    if (why === 'not-utf8' || why === 'unsafe-name' || path === './') return true;
    return path.endsWith('/') ? both.some((one) => one.startsWith(path)) : both.includes(path);
  };
  const lost = skipped.filter(isLost).map(({ path }) => path);
  // The collector lists no more.
  return skipped.length >= maxSkipped ? [...lost, 'more files than are listed'] : lost;
}

/** No marker shows their conflict, and the sandbox cannot resolve it: the head's commit would stay. */
const submodules = (both: MergedByFile['both']): readonly string[] =>
  [...both].flatMap(([path, { ours, theirs }]) =>
    ours?.type === 'commit' || theirs?.type === 'commit' ? [path] : [],
  );

async function versions(
  client: GithubClient,
  at: RepositoryPath,
  readTree: ReadTree,
  { ours, theirs }: KeptMerge,
  path: string,
): Promise<string[]> {
  const sides = await Promise.all(
    [ours, theirs].map(async (commit) => await entryAt(readTree, commit, path)),
  );
  const blobs = sides.flatMap((entry) => (entry?.type === 'blob' ? [entry.sha] : []));
  return await Promise.all(blobs.map(async (sha) => atob(await readBlob(client, at, sha))));
}

async function isAsSide(
  { ours, theirs }: { readonly ours: TreeEntry | null; readonly theirs: TreeEntry | null },
  file: ChangedFile,
): Promise<boolean> {
  if (file.type === 'deletion') return ours === null || theirs === null;
  const sha = await blobId(decodeBase64(file.content));
  return [ours, theirs].some((side) => side?.sha === sha && side.mode === file.mode);
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

const tooMuch = 'Both sides changed too many folders to check the merge.';

const lostText = (paths: readonly string[]): string =>
  `Both sides changed files that Airlock cannot publish: ${paths
    .slice(0, 5)
    .map((path) => `${nameOf(path)}\``)
    .join(', ')}.`;

function markersText(places: readonly string[], files: number): string {
  const more = places.length > maxPlaces ? ` and ${places.length - maxPlaces} more files` : '';
  const where = places.slice(0, maxPlaces).join(', ');
  return `Conflict markers are left in ${where}${more}, so nothing of the merge (${files} resolved or merged files) was published.`;
}
