/** Compares a change with its base on GitHub, because the sandbox can forge a count. Bounded. */
import { fileModeSchema, type ChangedFile, type ChangeSet, type Measure } from '../core/change-set.ts';
import { unlessMissing, type GithubClient } from '../github/client.ts';
import { readBlob, readTree, type RepositoryPath } from '../github/git-objects.ts';
import { findSecrets, withoutSecrets, type FoundSecret } from '../core/secrets/find-secrets.ts';
import { boundedAll } from '../lib/bounded-all.ts';
import { diffLines, linesOf } from '../lib/line-diff.ts';
import { utf8Of } from '../lib/utf8.ts';
import { decodeBase64 } from '../lib/base64.ts';
import { nameCollisions } from './name-collisions.ts';
import { patchOfFile, patchWithout, type PatchedFile } from './patch-text.ts';
import { listedTexts, oddLines, textFindings } from './gate/text-rules.ts';

/** Old files that are read, and the size of one. GitHub allows 5,000 calls an hour for an installation. */
const maxBlobs = 200;
const maxBlobBytes = 1024 * 1024;
const blobsAtOnce = 6;
/** Lines of a file, old and new, that are compared. A longer file counts as replaced. */
const maxLines = 100_000;
/** A comment on GitHub holds 65,536 characters. */
const maxPatchCharacters = 20_000;

interface FileMeasure {
  readonly insertions: number;
  readonly deletions: number;
  readonly measured: boolean;
  readonly patch: string;
  readonly patchComplete: boolean;
}
interface FileSecrets {
  readonly path: string;
  readonly before: readonly FoundSecret[];
  readonly now: readonly FoundSecret[];
}

export async function measureChange(
  client: GithubClient,
  at: RepositoryPath,
  { base, files }: Pick<ChangeSet, 'base' | 'files'>,
): Promise<Measure> {
  const listed = await readTree(client, at, base, { recursive: true });
  const blobs = listed.tree.filter(({ type }) => type === 'blob');
  const submodules = new Set(listed.tree.flatMap(({ type, path }) => (type === 'commit' ? [path] : [])));
  const entries = new Map(blobs.map((entry) => [entry.path, entry]));
  const modeBefore = (path: string) => fileModeSchema.safeParse(entries.get(path)?.mode).data ?? null;
  const known = files.filter(({ path }) => entries.has(path));
  const read = new Set(known.slice(0, maxBlobs).map(({ path }) => path));
  const moved = new Set<string>();
  const measureOne = async (file: ChangedFile) => {
    const { path } = file;
    const entry = entries.get(path);
    const change = { file, modeBefore: modeBefore(path) };
    const isNew = entry === undefined && !listed.truncated;
    const isRead = entry !== undefined && read.has(path) && (entry.size ?? 0) <= maxBlobBytes;
    const blob = isNew ? '' : isRead ? await unlessMissing(readBlob(client, at, entry.sha)) : null;
    const now = file.type === 'file' ? findSecrets(atob(file.content), path) : [];
    const before = blob === null ? null : decodeBase64(blob);
    const after = file.type === 'file' ? decodeBase64(file.content) : new Uint8Array();
    const measure = submodules.has(path)
      ? withoutPatch(change, 0, 0, 'the base commit has a submodule there')
      : before === null
        ? notMeasured(change)
        : measureFile(change, { before, after }, now);
    const oldLines = before === null ? [] : oddLines(path, before);
    if (file.type === 'deletion') for (const line of oldLines) moved.add(line);
    const known = new Set(oldLines);
    return {
      ...measure,
      path,
      now,
      before: blob === null ? [] : findSecrets(atob(blob), path),
      texts: textFindings(path, after, (line) => known.has(line) || moved.has(line)),
    };
  };
  // One file after the other, up to `blobsAtOnce`: all contents at once would not fit into a Worker. Deleted
  // ones first, because what they lose may only move.
  const byPath = new Map<string, Awaited<ReturnType<typeof measureOne>>>();
  for (const type of ['deletion', 'file'])
    for (const measure of await boundedAll(
      files.filter((file) => file.type === type),
      blobsAtOnce,
      measureOne,
    ))
      byPath.set(measure.path, measure);
  const measures = files.flatMap(({ path }) => byPath.get(path) ?? []);
  const sum = (of: (one: FileMeasure) => number) => measures.reduce((total, one) => total + of(one), 0);
  return {
    insertions: sum(({ insertions }) => insertions),
    deletions: sum(({ deletions }) => deletions),
    unmeasured: sum(({ measured }) => (measured ? 0 : 1)),
    baseFiles: listed.truncated ? null : blobs.length,
    modesBefore: files.flatMap(({ path }): Measure['modesBefore'] => {
      const mode = modeBefore(path);
      return mode === null ? [] : [[path, mode]];
    }),
    submodules: files.flatMap(({ path }) => (submodules.has(path) ? [path] : [])),
    collisions: nameCollisions(listed.tree, files),
    secretsBefore: secretsBefore(measures),
    texts: listedTexts(measures.flatMap(({ texts }) => texts)),
    patch: fitting(measures),
  };
}

/** A line counts only if the base has all of its secrets: those of other changed files too, for a move. */
function secretsBefore(files: readonly FileSecrets[]): Measure['secretsBefore'] {
  const known = new Set(files.flatMap(({ before }) => before.map(({ value }) => value)));
  return files.flatMap(({ path, now }) => {
    const fresh = new Set(
      now.filter(({ value }) => value === '' || !known.has(value)).map(({ line }) => line),
    );
    const old = new Set(now.map(({ line }) => line).filter((line) => !fresh.has(line)));
    return [...old].map((line): [string, number] => [path, line]);
  });
}

function measureFile(
  change: PatchedFile,
  bytes: { readonly before: Uint8Array; readonly after: Uint8Array },
  secrets: readonly FoundSecret[],
): FileMeasure {
  const before = textOf(bytes.before);
  const after = textOf(bytes.after);
  // Like git, counts no lines of binary files.
  if (before === null || after === null) return withoutPatch(change, 0, 0, 'it is binary');
  const [oldCount, newCount] = [countLines(before), countLines(after)];
  if (oldCount + newCount > maxLines) return withoutPatch(change, newCount, oldCount, 'it is too long');
  const edits = diffLines(linesOf(before), linesOf(after));
  const insertions = edits.filter(({ kind }) => kind === 'insert').length;
  const deletions = edits.filter(({ kind }) => kind === 'delete').length;
  const [secret] = secrets;
  if (secret !== undefined)
    return withoutPatch(change, insertions, deletions, `it has ${secret.kind}, line ${secret.line}`);
  const patch = patchOfFile(change, edits);
  return patch.length > maxPatchCharacters
    ? withoutPatch(change, insertions, deletions, 'it is too long')
    : { insertions, deletions, measured: true, patch, patchComplete: true };
}

function withoutPatch(change: PatchedFile, insertions: number, deletions: number, why: string): FileMeasure {
  const patch = patchWithout(change, why);
  return { insertions, deletions, measured: true, patch, patchComplete: false };
}

function notMeasured(change: PatchedFile): FileMeasure {
  return { ...withoutPatch(change, 0, 0, 'it could not be compared with the base commit'), measured: false };
}

function textOf(bytes: Uint8Array): string | null {
  const text = utf8Of(bytes);
  return text === null || text.includes('\0') ? null : text;
}

/** Counts without an array: a hostile file can have ten million lines. */
function countLines(text: string): number {
  let count = text === '' || text.endsWith('\n') ? 0 : 1;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}

function fitting(measures: readonly FileMeasure[]): Measure['patch'] {
  const shown: string[] = [];
  let room = maxPatchCharacters;
  for (const { patch } of measures) {
    if (patch.length > room) break;
    room -= patch.length;
    shown.push(patch);
  }
  const text = shown.join('');
  // In a name, or in a line that is deleted.
  const safe = withoutSecrets(text);
  const isWhole = shown.length === measures.length && measures.every(({ patchComplete }) => patchComplete);
  return { text: safe, complete: isWhole && safe === text };
}
