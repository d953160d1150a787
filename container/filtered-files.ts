/** Publishes a file that git stores through a filter (LFS, encryption) only if none is set for it. */
import { open } from 'node:fs/promises';
import type { Git } from './fresh-git.ts';
import type { Addable, Skip, TreeContext } from './tree-context.ts';
import { nulRecords, type IndexEntry } from './index-changes.ts';
import { isLfsPointer, pointersAmong, pointerTo } from './lfs-files.ts';
import { pathIn } from './working-tree.ts';

/** Programs that encrypt: the plain content must not be published. */
const encryptingFilter = /crypt|secret|vault|blackbox|(?:^|[-_.])(?:age|sops|gpg|pgp)(?:$|[-_.])/i;

const noEntry: IndexEntry = { mode: '', object: '' };

/** Leaves out files whose content only an outside program could convert to what git stores. */
export async function withoutFiltered(
  { job, git, environment, base }: TreeContext,
  added: Addable,
  skip: Skip,
): Promise<{ added: readonly string[]; pointers: ReadonlyMap<string, IndexEntry> }> {
  const files = [...added].filter(([, { mode }]) => mode !== '120000');
  if (files.length === 0) return { added: [...added.keys()], pointers: new Map() };
  const context = { git, environment, directory: job.directory };
  const filters = await filtersOf(
    git,
    files.map(([path]) => path),
  );
  const before = await pointersAmong(
    context,
    files.flatMap(([path]) => (base.has(path) ? [[path, base.get(path) ?? noEntry] as const] : [])),
  );
  const kept = new Set(added.keys());
  const pointers = new Map<string, IndexEntry>();
  for (const [path, { bytes, mode }] of files) {
    const filter = filters.get(path) ?? '';
    if (filter !== 'lfs' && !before.has(path)) {
      if (!encryptingFilter.test(filter) || (await isEncrypted(pathIn(job.directory, path)))) continue;
      skip(path, 'filter');
      kept.delete(path);
      continue;
    }
    if (await isLfsPointer(job.directory, path, bytes)) continue;
    kept.delete(path);
    const own = before.get(path);
    // A file of the base commit, also under another name, needs no upload.
    const known =
      own !== undefined && (await pointerTo(job.directory, path, [own])) !== null
        ? own
        : await pointerTo(job.directory, path, [...(await pointersAmong(context, base)).values()]);
    if (known === null) skip(path, 'lfs', { bytes });
    else pointers.set(path, { mode, object: known.object });
  }
  return { added: [...kept], pointers };
}

/** The value of the attribute `filter` for each path. */
async function filtersOf(git: Git, paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const input = paths.map((path) => `${path}\0`).join('');
  const records = nulRecords(await git(['check-attr', '-z', '--stdin', 'filter'], { input }));
  return new Map(
    records.flatMap((path, at) => (at % 3 === 0 ? [[path, records[at + 2] ?? ''] as const] : [])),
  );
}

/** True for what git-crypt, git-agecrypt, gpg and OpenSSL (transcrypt) write. */
async function isEncrypted(path: Buffer): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(40), 0, 40, 0);
    const head = buffer.toString('latin1', 0, bytesRead);
    return /^(?:\0GITCRYPT\0|age-encryption\.org\/|-----BEGIN (?:AGE|PGP)|U2FsdGVkX1)/.test(head);
  } finally {
    await file.close();
  }
}
