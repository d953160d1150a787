/** Cuts text to a number of UTF-16 units without leaving half of a surrogate pair at the cut. */

/** Keeps the beginning: at most `max` units. */
export function headOf(text: string, max: number): string {
  return text.length <= max ? text : text.slice(0, max).replace(/[\uD800-\uDBFF]$/, '');
}

/** Keeps the end: at most `max` units. */
export function tailOf(text: string, max: number): string {
  return text.length <= max ? text : text.slice(text.length - max).replace(/^[\uDC00-\uDFFF]/, '');
}

/** Keeps the beginning and the end, at most `max` units in all, and says what is left out between them. */
export function withoutMiddle(text: string, max: number): string {
  if (text.length <= max) return text;
  const note = `\n[${text.length - max} characters or more are left out here]\n`;
  const half = Math.max(0, Math.floor((max - note.length) / 2));
  return `${headOf(text, half)}${note}${tailOf(text, half)}`;
}
