/** Finds the word that somebody meant when they mistyped it. For short words: quadratic time. */

/** Damerau–Levenshtein distance (optimal string alignment): wrong, missing, extra or swapped letters. */
function editDistance(typed: string, meant: string): number {
  const rows: number[][] = [Array.from({ length: meant.length + 1 }, (_, index) => index)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? Number.POSITIVE_INFINITY;
  for (let row = 1; row <= typed.length; row += 1) {
    const next = [row];
    rows.push(next);
    for (let column = 1; column <= meant.length; column += 1) {
      const same = typed[row - 1] === meant[column - 1];
      const swapped = typed[row - 1] === meant[column - 2] && typed[row - 2] === meant[column - 1];
      next.push(
        Math.min(
          at(row - 1, column) + 1,
          at(row, column - 1) + 1,
          at(row - 1, column - 1) + (same ? 0 : 1),
          swapped ? at(row - 2, column - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
  }
  return at(typed.length, meant.length);
}

/** The closest word with at most one typo, or two if the word has more than five letters; null if none is. */
export function resembles(typed: string, words: readonly string[]): string | null {
  const near = words
    .map((meant) => ({ meant, off: editDistance(typed, meant) }))
    .filter(({ meant, off }) => off <= (meant.length > 5 ? 2 : 1))
    .sort((a, b) => a.off - b.off);
  return near[0]?.meant ?? null;
}
