/** Joins what a formatter wrapped: a token that goes on in the next line, also in another literal. */
import { isMixed } from './looks-random.ts';

export interface DerivedText {
  readonly text: string;
  /** Where a part of it is in the outer text. */
  readonly rangeOf: (start: number, end: number) => { readonly start: number; readonly end: number };
}

const lineEnd = /([A-Za-z0-9_./-]{8})["'`]?[ \t]{0,3}[+\\]?[ \t\r]{0,3}$/;
const lineStart = /^[ \t]{0,40}["'`]?(?=[A-Za-z0-9_.-]{4})/;

/** null: no line ends and begins like the two parts of a token. */
export function joinedLines(outer: string): DerivedText | null {
  const parts: string[] = [];
  /** Where a join is in the new text, and how many characters are gone up to there. */
  const joins: { readonly at: number; readonly gone: number }[] = [];
  let gone = 0;
  let from = 0;
  let length = 0;
  for (let at = outer.indexOf('\n'); at >= 0; at = outer.indexOf('\n', at + 1)) {
    const end = lineEnd.exec(outer.slice(Math.max(from, at - 20), at));
    const begin = end === null ? null : lineStart.exec(outer.slice(at + 1, at + 48));
    if (end === null || begin === null || !(/\d/.test(end[1] ?? '') || isMixed(end[1] ?? ''))) continue;
    const until = at - end[0].length + (end[1] ?? '').length;
    parts.push(outer.slice(from, until));
    length += until - from;
    from = at + 1 + begin[0].length;
    gone += from - until;
    joins.push({ at: length, gone });
  }
  if (joins.length === 0) return null;
  const outerPlace = (at: number): number => {
    let [low, high] = [0, joins.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((joins[middle]?.at ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    return at + (joins[low - 1]?.gone ?? 0);
  };
  return {
    text: parts.join('') + outer.slice(from),
    rangeOf: (start, end) => ({ start: outerPlace(start), end: outerPlace(end - 1) + 1 }),
  };
}
