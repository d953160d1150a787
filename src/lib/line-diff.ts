/** Counts inserted and deleted lines and finds the edit script: Myers' greedy algorithm, bounded. */

export interface LineEdit {
  readonly kind: 'keep' | 'delete' | 'insert';
  readonly line: string;
}

/** Edits and lines up to which the script is the shortest. More would let one file block a Worker. */
const maxEdits = 500;
const maxLines = 10_000;

/** Splits after each line end, so that a missing one at the end of a text is part of its last line. */
export function linesOf(text: string): string[] {
  const lines = text.split(/(?<=\n)/);
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

export function diffLines(before: readonly string[], after: readonly string[]): readonly LineEdit[] {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  const oldLines = before.slice(head, before.length - tail);
  const newLines = after.slice(head, after.length - tail);
  const keep = (line: string): LineEdit => ({ kind: 'keep', line });
  return [
    ...before.slice(0, head).map(keep),
    ...(shortestEdits(oldLines, newLines) ?? replaced(oldLines, newLines)),
    ...before.slice(before.length - tail).map(keep),
  ];
}

function replaced(oldLines: readonly string[], newLines: readonly string[]): LineEdit[] {
  return [
    ...oldLines.map((line): LineEdit => ({ kind: 'delete', line })),
    ...newLines.map((line): LineEdit => ({ kind: 'insert', line })),
  ];
}

/** null: there are more than `maxEdits`, or too many lines to look for them. */
function shortestEdits(a: readonly string[], b: readonly string[]): LineEdit[] | null {
  if (a.length === 0 || b.length === 0) return replaced(a, b);
  if (a.length + b.length > maxLines) return null;
  const most = Math.min(maxEdits, a.length + b.length);
  // The furthest line of `a` on each diagonal; `trace[d]` is its state before `d` edits.
  const furthest = new Int32Array(2 * most + 3);
  const centre = most + 1;
  const trace: Int32Array[] = [];
  for (let edits = 0; edits <= most; edits += 1) {
    trace.push(furthest.slice(centre - edits - 1, centre + edits + 2));
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      let x = startOf(furthest, centre, diagonal, edits);
      while (x < a.length && x - diagonal < b.length && a[x] === b[x - diagonal]) x += 1;
      furthest[centre + diagonal] = x;
      if (x >= a.length && x - diagonal >= b.length) return scriptOf(trace, a, b);
    }
  }
  return null;
}

/** Whether the diagonal is reached by an insertion (from the diagonal above) or by a deletion. */
function isInsertion(furthest: Int32Array, centre: number, diagonal: number, edits: number): boolean {
  const below = furthest[centre + diagonal - 1] ?? 0;
  const above = furthest[centre + diagonal + 1] ?? 0;
  return diagonal === -edits || (diagonal !== edits && below < above);
}

function startOf(furthest: Int32Array, centre: number, diagonal: number, edits: number): number {
  if (edits === 0) return 0;
  return isInsertion(furthest, centre, diagonal, edits)
    ? (furthest[centre + diagonal + 1] ?? 0)
    : (furthest[centre + diagonal - 1] ?? 0) + 1;
}

function scriptOf(trace: readonly Int32Array[], a: readonly string[], b: readonly string[]): LineEdit[] {
  const script: LineEdit[] = [];
  let x = a.length;
  let y = b.length;
  for (let edits = trace.length - 1; edits >= 0; edits -= 1) {
    const furthest = trace[edits] ?? new Int32Array();
    const centre = edits + 1;
    const diagonal = x - y;
    const inserted = edits > 0 && isInsertion(furthest, centre, diagonal, edits);
    const start = startOf(furthest, centre, diagonal, edits);
    for (; x > start; x -= 1, y -= 1) script.push({ kind: 'keep', line: a[x - 1] ?? '' });
    if (edits === 0) break;
    if (inserted) {
      y -= 1;
      script.push({ kind: 'insert', line: b[y] ?? '' });
    } else {
      x -= 1;
      script.push({ kind: 'delete', line: a[x] ?? '' });
    }
  }
  return script.toReversed();
}
