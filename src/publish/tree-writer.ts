/**
 * Writes a change as git objects by the Git Data API, byte for byte, in as few round trips as it takes. Everything here
 * is addressed by its content, so a second attempt writes the same objects and leaves nothing behind.
 */
import * as z from 'zod';
import type { ChangedFile } from '../core/change-set.ts';
import { boundedAll } from '../lib/bounded-all.ts';
import type { GithubClient } from '../github/client.ts';
import { utf8Of } from '../lib/utf8.ts';
import { decodeBase64, decodedBytes } from './base64.ts';

export interface RepositoryPath {
  readonly owner: string;
  readonly repo: string;
}

type FileMode = '100644' | '100755' | '120000';
type Entry = { path: string; mode: FileMode; type: 'blob' } & ({ sha: string | null } | { content: string });

/** Text up to this size travels inside the tree call: one round trip for all of it, and no content-creation limit. */
const maxInlineBytes = 512 * 1024;
/** GitHub gives a call about ten seconds; larger trees are made step by step, each on the one before. */
const maxCallBytes = 2 * 1024 * 1024;
const maxCallEntries = 500;
/** Blobs at once: enough to hide the latency, few enough for the secondary rate limit. */
const blobsAtOnce = 6;

const objectSchema = z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/) });

/** What needs a blob of its own: bytes that are not text, and the empty file, which a tree call cannot tell from none. */
export async function prepareEntries(
  client: GithubClient,
  at: RepositoryPath,
  files: readonly ChangedFile[],
): Promise<readonly Entry[]> {
  return await boundedAll(files, blobsAtOnce, async (file): Promise<Entry> => {
    // A deletion needs some mode; GitHub does not look at it.
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

/** The id of the tree that the entries make of `baseTree`. */
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

/**
 * Deletions go first, in calls of their own, where a name changes between file and folder: within one call GitHub
 * does not say which of `a` deleted and `a/b` added comes first.
 */
export function treeCalls(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const deleted = entries.filter((entry) => 'sha' in entry && entry.sha === null);
  const written = entries.filter((entry) => !('sha' in entry && entry.sha === null));
  const ordered = changesKind(deleted, written) ? [deleted, written] : [[...deleted, ...written]];
  return ordered.flatMap(inParts);
}

function changesKind(deleted: readonly Entry[], written: readonly Entry[]): boolean {
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
