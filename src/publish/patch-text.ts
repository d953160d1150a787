/** Writes the patch of one file in git's format, for people and for `git apply`. Pure. Escapes nothing. */
import type { ChangedFile, FileMode } from '../core/change-set.ts';
import type { LineEdit } from '../lib/line-diff.ts';

const contextLines = 3;

export interface PatchedFile {
  readonly file: ChangedFile;
  /** null: the file is new. */
  readonly modeBefore: FileMode | null;
}

export function patchOfFile(change: PatchedFile, edits: readonly LineEdit[]): string {
  const { file, modeBefore } = change;
  // Git takes a symlink in place of a file, or the other way round, only as a deletion and a new file.
  if (modeBefore !== null && file.type === 'file' && isLink(modeBefore) !== isLink(file.mode)) {
    const side = (kind: 'delete' | 'insert'): readonly LineEdit[] =>
      edits.filter((edit) => edit.kind === kind || edit.kind === 'keep').map(({ line }) => ({ kind, line }));
    const gone = { file: { type: 'deletion', path: file.path }, modeBefore } as const;
    return patchOfFile(gone, side('delete')) + patchOfFile({ file, modeBefore: null }, side('insert'));
  }
  const changed = hunks(edits);
  if (changed === '') return header(change);
  const before = modeBefore === null ? '/dev/null' : quoted(`a/${file.path}`);
  const after = file.type === 'deletion' ? '/dev/null' : quoted(`b/${file.path}`);
  return `${header(change)}--- ${before}\n+++ ${after}\n${changed}`;
}

const isLink = (mode: FileMode): boolean => mode === '120000';

/** The header alone, with the reason why the content is not there. */
export function patchWithout(change: PatchedFile, why: string): string {
  return `${header(change)}# Not shown: ${why}.\n`;
}

function header({ file, modeBefore }: PatchedFile): string {
  const lines = [`diff --git ${quoted(`a/${file.path}`)} ${quoted(`b/${file.path}`)}`];
  if (file.type === 'deletion') lines.push(`deleted file mode ${modeBefore ?? '100644'}`);
  else if (modeBefore === null) lines.push(`new file mode ${file.mode}`);
  else if (modeBefore !== file.mode) lines.push(`old mode ${modeBefore}`, `new mode ${file.mode}`);
  return `${lines.join('\n')}\n`;
}

/** The gate allows no control character and no backslash in a path. */
function quoted(path: string): string {
  return path.includes('"') ? `"${path.replaceAll('"', '\\"')}"` : path;
}

function hunks(edits: readonly LineEdit[]): string {
  const isNear = nearChanges(edits);
  let text = '';
  let oldLine = 1;
  let newLine = 1;
  for (let at = 0; at < edits.length;) {
    if (isNear[at] !== true) {
      oldLine += 1;
      newLine += 1;
      at += 1;
      continue;
    }
    const from = at;
    while (isNear[at] === true) at += 1;
    const hunk = edits.slice(from, at);
    const oldCount = hunk.filter(({ kind }) => kind !== 'insert').length;
    const newCount = hunk.filter(({ kind }) => kind !== 'delete').length;
    // An empty side starts at the line before it.
    const oldStart = oldCount === 0 ? oldLine - 1 : oldLine;
    const newStart = newCount === 0 ? newLine - 1 : newLine;
    text += `@@ -${oldStart},${oldCount} +${newStart},${newCount} @@\n${hunk.map(lineText).join('')}`;
    oldLine += oldCount;
    newLine += newCount;
  }
  return text;
}

function nearChanges(edits: readonly LineEdit[]): readonly boolean[] {
  const near = edits.map(() => false);
  for (const [at, { kind }] of edits.entries()) {
    if (kind === 'keep') continue;
    near.fill(true, Math.max(0, at - contextLines), at + contextLines + 1);
  }
  return near;
}

const marks = { keep: ' ', delete: '-', insert: '+' } as const;

function lineText({ kind, line }: LineEdit): string {
  return line.endsWith('\n')
    ? `${marks[kind]}${line}`
    : `${marks[kind]}${line}\n\\ No newline at end of file\n`;
}
