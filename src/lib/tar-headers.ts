/**
 * Reads the headers of an untrusted tar stream and skips the contents: ustar, GNU long names, and pax names
 * and times. Our own, because GNU tar unpacks what is checked here: what two readers could understand
 * differently is refused (`TarProblem`), where a library would be lenient.
 */

export type TarType = 'file' | 'folder' | 'symlink' | 'hard-link';

/** Names are strings of bytes (latin1), because a file name need not be UTF-8. */
export interface TarEntry {
  readonly name: string;
  readonly type: TarType;
  /** Permission bits, with set-user-id, set-group-id and sticky. */
  readonly mode: number;
  /** Bytes of content; 0 for everything but a file. */
  readonly size: number;
  /** The target of a link; empty otherwise. */
  readonly linkName: string;
}

/** What is wrong with the archive, for people. Never holds text of the archive. */
export class TarProblem extends Error {
  override readonly name = 'TarProblem';
}

export interface TarReader {
  /** Throws `TarProblem`, and whatever `onEntry` throws. */
  write(chunk: Uint8Array): void;
  /** Throws `TarProblem` if the archive is not complete. */
  end(): void;
}

const blockBytes = 512;
/** Bytes of one long name or pax header. A path has at most 4,096. */
const maxMetadataBytes = 16 * 1024;

const types: Readonly<Record<string, TarType>> = {
  '0': 'file',
  '\0': 'file',
  '1': 'hard-link',
  '2': 'symlink',
  '5': 'folder',
};
const refusedTypes: Readonly<Record<string, string>> = {
  '3': 'a device',
  '4': 'a device',
  '6': 'a fifo',
  S: 'a sparse file',
  g: 'a header for all entries',
};

/** Names that precede the entry that they are for. */
interface Names {
  readonly path?: string;
  readonly linkPath?: string;
}

type State =
  | { readonly kind: 'header' }
  | { readonly kind: 'content'; left: number }
  | { readonly kind: 'metadata'; readonly type: string; readonly bytes: Uint8Array; at: number; left: number }
  | { readonly kind: 'end' };

export function readTarHeaders(onEntry: (entry: TarEntry) => void): TarReader {
  const header = new Uint8Array(blockBytes);
  let held = 0;
  let state: State = { kind: 'header' };
  let names: Names = {};

  function readHeader(): void {
    if (header.every((byte) => byte === 0)) {
      if (Object.keys(names).length > 0) throw new TarProblem('a long name has no entry');
      state = { kind: 'end' };
      return;
    }
    const found = parseHeader(header);
    const padded = Math.ceil(found.size / blockBytes) * blockBytes;
    if (['L', 'K', 'x'].includes(found.type)) {
      if (found.size === 0 || found.size > maxMetadataBytes) throw new TarProblem('a name is too long');
      state = {
        kind: 'metadata',
        type: found.type,
        bytes: new Uint8Array(found.size),
        at: 0,
        left: padded,
      };
      return;
    }
    const type = types[found.type];
    if (type === undefined)
      throw new TarProblem(`it has ${refusedTypes[found.type] ?? 'an entry of an unknown type'}`);
    if (type !== 'file' && found.size !== 0) throw new TarProblem('a folder or a link has content');
    const isLink = type === 'symlink' || type === 'hard-link';
    onEntry({
      name: names.path ?? found.name,
      type,
      mode: found.mode,
      size: found.size,
      linkName: isLink ? (names.linkPath ?? found.linkName) : '',
    });
    names = {};
    state = padded === 0 ? { kind: 'header' } : { kind: 'content', left: padded };
  }

  function readMetadata(type: string, bytes: Uint8Array): void {
    const more = type === 'x' ? paxNames(bytes) : { [type === 'L' ? 'path' : 'linkPath']: longName(bytes) };
    if (Object.keys(more).some((key) => key in names)) throw new TarProblem('an entry has two names');
    names = { ...names, ...more };
    state = { kind: 'header' };
  }

  return {
    write(chunk) {
      for (let at = 0; at < chunk.length;) {
        if (state.kind === 'end') {
          // GNU tar ignores what follows; another reader might not.
          if (chunk.subarray(at).some((byte) => byte !== 0))
            throw new TarProblem('something follows its end');
          return;
        }
        if (state.kind === 'header') {
          const part = chunk.subarray(at, at + blockBytes - held);
          header.set(part, held);
          held += part.length;
          at += part.length;
          if (held < blockBytes) return;
          held = 0;
          readHeader();
          continue;
        }
        const part = chunk.subarray(at, at + state.left);
        at += part.length;
        state.left -= part.length;
        if (state.kind === 'metadata') {
          const wanted = part.subarray(0, state.bytes.length - state.at);
          state.bytes.set(wanted, state.at);
          state.at += wanted.length;
          if (state.left === 0) readMetadata(state.type, state.bytes);
        } else if (state.left === 0) state = { kind: 'header' };
      }
    },
    end() {
      if (state.kind !== 'end') throw new TarProblem('it is cut off, or is no tar archive');
    },
  };
}

interface Header {
  readonly name: string;
  readonly mode: number;
  readonly size: number;
  readonly type: string;
  readonly linkName: string;
}

function parseHeader(block: Uint8Array): Header {
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  const magic = text(block, 257, 265);
  const isPosix = magic === 'ustar\x0000';
  if (!isPosix && magic !== 'ustar  \0') throw new TarProblem('it is no tar archive');
  if (octal(block, 148, 156) !== sum) throw new TarProblem('a checksum is wrong');
  // GNU tar keeps times where POSIX has the prefix.
  const prefix = isPosix ? untilNul(text(block, 345, 500)) : '';
  const name = untilNul(text(block, 0, 100));
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    mode: octal(block, 100, 108),
    size: octal(block, 124, 136),
    type: text(block, 156, 157),
    linkName: untilNul(text(block, 157, 257)),
  };
}

/** Octal digits only: GNU's binary numbers are for sizes over 8 GiB, which are refused anyway. */
function octal(block: Uint8Array, from: number, to: number): number {
  const found = /^ *([0-7]+)[ \0]*$/.exec(text(block, from, to))?.[1];
  if (found === undefined) throw new TarProblem('a number is not octal');
  return Number.parseInt(found, 8);
}

function longName(bytes: Uint8Array): string {
  const whole = text(bytes, 0, bytes.length);
  const name = untilNul(whole);
  if (name === '' || whole.slice(name.length).replaceAll('\0', '') !== '')
    throw new TarProblem('a long name is malformed');
  return name;
}

/** Keys of a pax header that change nothing but times. */
const timeKeys = new Set(['mtime', 'atime', 'ctime']);

function paxNames(bytes: Uint8Array): Names {
  const found = new Map<string, string>();
  for (let at = 0; at < bytes.length;) {
    const length = Number(/^([1-9]\d{0,5}) /.exec(text(bytes, at, Math.min(at + 8, bytes.length)))?.[1] ?? 0);
    const record = text(bytes, at, Math.min(at + length, bytes.length));
    const [, key, value] = /^\d+ ([^=\n\0]+)=([^\0]*)\n$/.exec(record) ?? [];
    if (record.length !== length || key === undefined || value === undefined || found.has(key))
      throw new TarProblem('a pax header is malformed');
    found.set(key, value);
    at += length;
  }
  const path = found.get('path');
  const linkPath = found.get('linkpath');
  if ([...found.keys()].some((key) => key !== 'path' && key !== 'linkpath' && !timeKeys.has(key)))
    throw new TarProblem('a pax header has an unknown key');
  return { ...(path === undefined ? {} : { path }), ...(linkPath === undefined ? {} : { linkPath }) };
}

function text(bytes: Uint8Array, from: number, to: number): string {
  let found = '';
  for (let at = from; at < to; at += 1) found += String.fromCharCode(bytes[at] ?? 0);
  return found;
}

function untilNul(value: string): string {
  const end = value.indexOf('\0');
  return end === -1 ? value : value.slice(0, end);
}
