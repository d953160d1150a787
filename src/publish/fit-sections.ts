/** Fits sections into GitHub's limit: each keeps its shortest variant, so that none crowds out another. */

export interface Section {
  /** Fullest first. The last one is short for any input, and always stays. */
  readonly variants: readonly string[];
  /** Lower ranks get room first. */
  readonly rank: number;
}

const separator = '\n\n';
const leftOutNote = '_Some evidence is left out, because the text would be too long for GitHub._';

/** Joins the sections in their order, and says so if one is not complete. `lengthOf`: in the limit's unit. */
export function fitSections(
  sections: readonly Section[],
  max: number,
  lengthOf: (text: string) => number = ({ length }) => length,
): string {
  const cost = (text: string): number => (text === '' ? 0 : lengthOf(text) + separator.length);
  const chosen = sections.map(({ variants }) => variants.at(-1) ?? '');
  const byRank = [...sections.keys()].toSorted(
    (one, other) => (sections[one]?.rank ?? 0) - (sections[other]?.rank ?? 0),
  );
  let room = max - cost(leftOutNote) - chosen.reduce((sum, text) => sum + cost(text), 0);
  let complete = true;
  for (const index of byRank) {
    const variants = sections[index]?.variants ?? [];
    const shortest = chosen[index] ?? '';
    const fitting = variants.findIndex((text) => cost(text) - cost(shortest) <= room);
    const text = variants[fitting] ?? shortest;
    room -= cost(text) - cost(shortest);
    chosen[index] = text;
    complete &&= fitting <= 0;
  }
  const note = complete ? [] : [leftOutNote];
  return joinSections([...chosen.slice(0, -1), ...note, ...chosen.slice(-1)]);
}

export function joinSections(texts: readonly string[]): string {
  return texts.filter((text) => text !== '').join(separator);
}
