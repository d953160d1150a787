/** Finds the word that a person probably meant, for “did you mean”. */

/** Optimal string alignment distance: insertions, deletions, replacements, swaps of neighbours. */
function distance(a: string, b: string): number {
  let previous: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, (previous[j - 2] ?? 0) + 1);
      next.push(best);
    }
    previous = row;
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The closest candidate, the first of several; null if none is within its own limit of typos. */
function closest(
  word: string,
  candidates: readonly string[],
  most: (candidate: string) => number,
): string | null {
  let best: string | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const steps = distance(word, candidate.toLowerCase());
    if (steps < bestDistance && steps <= most(candidate)) [best, bestDistance] = [candidate, steps];
  }
  return best;
}

/** The known word that was probably meant, at most `most` letters away; null if none is similar. */
export function nearest(
  word: string,
  known: readonly string[],
  most = Math.max(2, Math.floor(Math.min(word.length, 100) / 3)),
): string | null {
  const wanted = word.slice(0, 100).toLowerCase();
  return closest(wanted, known, (candidate) => Math.min(most, candidate.length - 1));
}

/** As `nearest`, for prose: one typo, or two if the known word has more than five letters. */
export function resembles(word: string, known: readonly string[]): string | null {
  return closest(word, known, (candidate) => (candidate.length > 5 ? 2 : 1));
}
