/** Builds regular expressions from lists of words that people can read. */

/** A group of the alternatives, which commas separate. Line breaks are white space. */
export function anyOf(list: string): string {
  const words = list.split(',').map((word) => word.trim());
  return `(?:${words.filter((word) => word !== '').join('|')})`;
}

/** Matches one of the alternatives as a whole word. */
export const wholeWords = (list: string, flags = 'iu'): RegExp =>
  new RegExp(`(?<![\\p{L}\\p{N}])${anyOf(list)}(?![\\p{L}\\p{N}])`, flags);
