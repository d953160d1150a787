/**
 * One change set of the corpus: files before, what happens to them, and what has to come of it. A path is a
 * string; `\udcXX` is a byte that is not UTF-8, as Python writes it.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { GatePolicy } from '../../../src/core/gate-policy.ts';

export type Content = string | Uint8Array;
/** `mode`: of a file, any that a file system knows. `commit`: a submodule, only before the change. */
export type Entry =
  | Content
  | { readonly mode: number; readonly content: Content }
  | { readonly link: Content }
  | { readonly commit: string }
  | { readonly hardLinkTo: string }
  | { readonly special: 'folder' | 'fifo' }
  | null;
export type Files = Readonly<Record<string, Entry>>;

export interface ChangeRow {
  readonly name: string;
  readonly before: Files;
  /** null deletes a file or a folder. What was at a path makes room. */
  readonly edit: Files;
  /** `allow` if missing; `hold CODE`; `never CODE` if nobody can approve it; `mark`, part of a remark. */
  readonly verdict?: string;
  /** The repository's own rules. */
  readonly gate?: Partial<GatePolicy>;
  /** A person approves it, so that it is published. */
  readonly approved?: true;
  /** `path why` of what the collector leaves out, and the number of files if more. It stays as before. */
  readonly leftOut?: readonly string[];
}

export const folder: Entry = { special: 'folder' };
export const fifo: Entry = { special: 'fifo' };
export const run = (content: Content = '#!/bin/sh\n'): Entry => ({ mode: 0o755, content });
export const link = (to: Content): Entry => ({ link: to });
export const utf16 = (text: string): Buffer => Buffer.from(`\ufeff${text}`, 'utf16le');
export const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** The name as git's output read byte by byte. */
export function byteString(path: string): string {
  const lone = /([\udc80-\udcff])/u;
  return path
    .split(lone)
    .map((part) =>
      lone.test(part)
        ? String.fromCharCode(part.charCodeAt(0) - 0xdc00)
        : Buffer.from(part, 'utf8').toString('latin1'),
    )
    .join('');
}

const onDisk = (directory: string, path: string): Buffer =>
  Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(byteString(path), 'latin1')]);

/** Makes the files of a row in a folder, in their order. Returns the paths of those that are there. */
export function writeFiles(directory: string, files: Files): readonly Buffer[] {
  mkdirSync(directory, { recursive: true });
  for (const [path, entry] of Object.entries(files)) {
    const at = onDisk(directory, path);
    rmSync(at, { recursive: true, force: true });
    if (entry === null) continue;
    mkdirSync(onDisk(directory, dirname(path)), { recursive: true });
    if (typeof entry === 'string' || entry instanceof Uint8Array) writeFileSync(at, entry);
    else if ('link' in entry) symlinkSync(Buffer.from(entry.link), at);
    else if ('hardLinkTo' in entry) linkSync(onDisk(directory, entry.hardLinkTo), at);
    else if ('commit' in entry) throw new Error('only clone makes a submodule');
    else if ('special' in entry) {
      if (entry.special === 'folder') mkdirSync(at);
      else execFileSync('mkfifo', [join(directory, path)]);
    } else {
      writeFileSync(at, entry.content);
      chmodSync(at, entry.mode);
    }
  }
  const there = Object.entries(files).filter(([, entry]) => entry !== null);
  return there.map(([path]) => onDisk(directory, path));
}

/** Commits of `git fast-import`, each without parents: the branches of the map, in their order. */
export function importStream(branches: ReadonlyMap<string, Files>): Buffer {
  const parts: (string | Uint8Array)[] = [];
  const data = (content: Content): void => {
    const bytes = Buffer.from(content);
    parts.push(`data ${bytes.length}\n`, bytes, '\n');
  };
  for (const [branch, files] of branches) {
    parts.push(`commit refs/heads/${branch}\ncommitter Somebody <somebody@example.test> 1700000000 +0000\n`);
    data('base');
    for (const [path, entry] of Object.entries(files)) {
      const name = `"${byteString(path).replaceAll(/["\\\n]/g, (found) => (found === '\n' ? '\\n' : `\\${found}`))}"\n`;
      const bytes = Buffer.from(name, 'latin1');
      if (typeof entry === 'string' || entry instanceof Uint8Array) {
        parts.push('M 100644 inline ', bytes);
        data(entry);
      } else if (entry !== null && 'commit' in entry) parts.push(`M 160000 ${entry.commit} `, bytes);
      else if (entry !== null && 'link' in entry) {
        parts.push('M 120000 inline ', bytes);
        data(entry.link);
      } else if (entry !== null && 'content' in entry) {
        parts.push(`M ${(entry.mode & 0o100) === 0 ? '100644' : '100755'} inline `, bytes);
        data(entry.content);
      } else throw new Error(`${path} cannot be in a commit`);
    }
  }
  return Buffer.concat(parts.map((part) => Buffer.from(part)));
}
