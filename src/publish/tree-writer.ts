/** Writes a change as git objects, byte for byte, in few round trips; a second attempt writes the same. */
import * as z from 'zod';
import type { ChangedFile } from '../core/change-set.ts';
import { boundedAll } from '../lib/bounded-all.ts';
import type { GithubClient } from '../github/client.ts';
import type { RepositoryPath } from '../github/git-objects.ts';
import { utf8Of } from '../lib/utf8.ts';
import { decodeBase64, decodedBytes } from '../lib/base64.ts';

export const treeModeSchema = z.enum(['100644', '100755', '120000', '160000', '040000']);
/** `commit`: of a submodule. */
export type Entry = {
  path: string;
  mode: z.infer<typeof treeModeSchema>;
  type: 'blob' | 'commit' | 'tree';
} & ({ sha: string | null } | { content: string });

/** Up to this size text is part of the tree call, without the limit on content creation. */
const maxInlineBytes = 512 * 1024;
/** GitHub gives a call about ten seconds. Larger trees take several calls. */
const maxCallBytes = 2 * 1024 * 1024;
const maxCallEntries = 500;
/** Concurrent blob calls: enough to hide the latency, few enough for the secondary rate limit. */
const blobsAtOnce = 6;

const objectSchema = z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/) });

/** Binary content and empty files need blobs, because a tree call cannot express them. */
export async function prepareEntries(
  client: GithubClient,
  at: RepositoryPath,
  files: readonly ChangedFile[],
): Promise<readonly Entry[]> {
  return await boundedAll(files, blobsAtOnce, async (file): Promise<Entry> => {
    // A deletion needs a mode, which GitHub ignores.
    if (file.type === 'deletion') return { path: file.path, mode: '100644', type: 'blob', sha: null };
    const { path, mode } = file;
    const text = inlineText(file.content);
    if (text !== null) return { path, mode, type: 'blob', content: text };
    const { data } = await client.request('POST /repos/{owner}/{repo}/git/blobs', {
      ...at,
      content: file.content,
      encoding: 'base64',
    });
    return { path, mode, type: 'blob', sha: objectSchema.parse(data).sha };
  });
}

function inlineText(base64: string): string | null {
  const bytes = decodedBytes(base64);
  if (bytes === 0 || bytes > maxInlineBytes) return null;
  const text = utf8Of(decodeBase64(base64));
  return text === null || text.includes('\0') ? null : text;
}

/** Applies the entries to `baseTree` and returns the id of the new tree. */
export async function writeTree(
  client: GithubClient,
  at: RepositoryPath,
  baseTree: string,
  entries: readonly Entry[],
): Promise<string> {
  let tree = baseTree;
  for (const part of treeCalls(entries)) {
    const { data } = await client.request('POST /repos/{owner}/{repo}/git/trees', {
      ...at,
      base_tree: tree,
      tree: [...part],
    });
    tree = objectSchema.parse(data).sha;
  }
  return tree;
}

/** Deletes first if a name changes between file and folder: GitHub does not document the order. */
export function treeCalls(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const deleted = entries.filter((entry) => 'sha' in entry && entry.sha === null);
  const written = entries.filter((entry) => !('sha' in entry && entry.sha === null));
  const ordered = swapsFileAndFolder(deleted, written) ? [deleted, written] : [[...deleted, ...written]];
  return ordered.flatMap(inParts);
}

function swapsFileAndFolder(deleted: readonly Entry[], written: readonly Entry[]): boolean {
  const folders = (list: readonly Entry[]): Set<string> => {
    const found = new Set<string>();
    for (const { path } of list) {
      for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1))
        found.add(path.slice(0, slash));
    }
    return found;
  };
  const newFolders = folders(written);
  const oldFolders = folders(deleted);
  return deleted.some(({ path }) => newFolders.has(path)) || written.some(({ path }) => oldFolders.has(path));
}

function inParts(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const parts: Entry[][] = [];
  let part: Entry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    const size = entry.path.length + ('content' in entry ? entry.content.length : 40);
    if (part.length > 0 && (part.length >= maxCallEntries || bytes + size > maxCallBytes)) {
      parts.push(part);
      part = [];
      bytes = 0;
    }
    part.push(entry);
    bytes += size;
  }
  if (part.length > 0) parts.push(part);
  return parts;
}
