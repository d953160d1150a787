/** Parses the differences between an index and a commit, as latin1 strings, and reads the objects. */
import { once } from 'node:events';
import type { Git } from './fresh-git.ts';
import { spawnGit } from './git.ts';

/** Splits the output of a git command with `-z`. */
export function nulRecords(output: string): string[] {
  return output.split('\0').filter((record) => record !== '');
}

export interface IndexEntry {
  /** Six octal digits; `160000` is a submodule. */
  readonly mode: string;
  readonly object: string;
}

/** Lists the index by path. */
export async function indexEntries(git: Git): Promise<ReadonlyMap<string, IndexEntry>> {
  const output = await git(['ls-files', '-z', '--stage'], { maxBytes: 256 * 1024 * 1024 });
  return new Map(
    nulRecords(output).map((record) => {
      const [mode = '', object = ''] = record.split(' ', 2);
      return [record.slice(record.indexOf('\t') + 1), { mode, object }];
    }),
  );
}

export interface IndexChange {
  readonly path: string;
  /** The new mode, six octal digits; zeros for a deletion. */
  readonly mode: string;
  readonly object: string;
  readonly deleted: boolean;
}

/** Of `diff-index --raw -z --no-renames`: each record is followed by its path. */
export function parseDiffIndex(output: string): readonly IndexChange[] {
  const tokens = nulRecords(output);
  return tokens.flatMap((token, at) => {
    const record = /^:\d{6} (\d{6}) [0-9a-f]{40} ([0-9a-f]{40}) ([A-Z])$/.exec(token);
    if (record === null || at % 2 === 1) return [];
    const [, mode = '', object = '', status] = record;
    return [{ path: tokens[at + 1] ?? '', mode, object, deleted: status === 'D' }];
  });
}

/** In the given order, one in memory at a time. @throws when git ends early or it is no blob. */
export async function* readObjects(
  objects: readonly string[],
  context: { readonly environment: Record<string, string>; readonly cwd: string },
): AsyncGenerator<Buffer> {
  if (objects.length === 0) return;
  const child = spawnGit(['cat-file', '--batch'], context);
  const exited = once(child, 'close');
  child.stderr.resume();
  // If git ends early, the count below reports it, not our broken pipe.
  child.stdin.on('error', () => undefined);
  child.stdin.end(objects.map((object) => `${object}\n`).join(''));

  let buffered: Buffer[] = [];
  let bufferedBytes = 0;
  /** Size of the current object; null while its header line is still to come. */
  let size: number | null = null;
  let yielded = 0;
  const chunks: AsyncIterable<Buffer> = child.stdout;
  for await (const chunk of chunks) {
    buffered.push(chunk);
    bufferedBytes += chunk.length;
    if (size !== null && bufferedBytes < size + 1) continue;
    let bytes = Buffer.concat(buffered);
    for (;;) {
      if (size === null) {
        const end = bytes.indexOf(0x0a);
        if (end < 0) break;
        const header = /^[0-9a-f]{40} blob (\d+)$/.exec(bytes.toString('latin1', 0, end));
        if (header === null) throw new Error('an object that was just written cannot be read');
        size = Number(header[1]);
        bytes = bytes.subarray(end + 1);
      }
      if (bytes.length < size + 1) break;
      yield bytes.subarray(0, size);
      yielded += 1;
      bytes = bytes.subarray(size + 1);
      size = null;
    }
    buffered = [bytes];
    bufferedBytes = bytes.length;
  }
  await exited;
  if (yielded !== objects.length) throw new Error('git ended before it had returned every object');
}
