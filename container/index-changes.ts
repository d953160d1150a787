/**
 * Reads what git says about an index: its differences from a commit, and the objects behind them.
 * Output is taken as bytes in a latin1 string, because a path need not be UTF-8.
 */
import { once } from 'node:events';
import { spawnGit } from './git.ts';

/** Splits the output of a git command with `-z`. */
export function nulRecords(output: string): string[] {
  return output.split('\0').filter((record) => record !== '');
}

export interface IndexChange {
  readonly path: string;
  /** The new mode in six octal digits; zeros for a deletion. */
  readonly mode: string;
  /** The mode in the commit; zeros for an addition. */
  readonly modeBefore: string;
  readonly object: string;
  readonly deleted: boolean;
}

/** Splits the output of `diff-index --raw --numstat -z --no-renames`: first all raw records, then all counts. */
export function parseDiffIndex(output: string): {
  readonly changes: readonly IndexChange[];
  readonly insertions: number;
  readonly deletions: number;
} {
  const tokens = nulRecords(output);
  const changes: IndexChange[] = [];
  let insertions = 0;
  let deletions = 0;
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at] ?? '';
    const record = /^:(\d{6}) (\d{6}) [0-9a-f]{40} ([0-9a-f]{40}) ([A-Z])$/.exec(token);
    if (record !== null) {
      at += 1;
      const [, modeBefore = '', mode = '', object = '', status] = record;
      changes.push({ path: tokens[at] ?? '', mode, modeBefore, object, deleted: status === 'D' });
      continue;
    }
    // A binary file has dashes for its counts.
    const counts = /^(\d+)\t(\d+)\t/.exec(token);
    insertions += Number(counts?.[1] ?? 0);
    deletions += Number(counts?.[2] ?? 0);
  }
  return { changes, insertions, deletions };
}

/**
 * The contents of blobs in the order asked, at most one in memory at a time.
 * @throws when git ends early or an object is not a blob.
 */
export async function* readObjects(
  objects: readonly string[],
  where: { readonly environment: Record<string, string>; readonly cwd: string },
): AsyncGenerator<Buffer> {
  if (objects.length === 0) return;
  const child = spawnGit(['cat-file', '--batch'], where);
  const exited = once(child, 'close');
  child.stderr.resume();
  // A git that ends early is noticed by the count below, not by our broken pipe.
  child.stdin.on('error', () => undefined);
  child.stdin.end(objects.map((object) => `${object}\n`).join(''));

  let held: Buffer[] = [];
  let heldBytes = 0;
  /** What the next step needs: a header line (null), or this many bytes and a newline. */
  let size: number | null = null;
  let given = 0;
  const chunks: AsyncIterable<Buffer> = child.stdout;
  for await (const chunk of chunks) {
    held.push(chunk);
    heldBytes += chunk.length;
    if (size !== null && heldBytes < size + 1) continue;
    let bytes = Buffer.concat(held);
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
      given += 1;
      bytes = bytes.subarray(size + 1);
      size = null;
    }
    held = [bytes];
    heldBytes = bytes.length;
  }
  await exited;
  if (given !== objects.length) throw new Error('git ended before it had given every object');
}
