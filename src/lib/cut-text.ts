/** Cuts text to a number of UTF-16 units without leaving half of a surrogate pair at the cut. */

/** Keeps the beginning: at most `max` units. */
export function headOf(text: string, max: number): string {
  return text.length <= max ? text : text.slice(0, max).replace(/[\uD800-\uDBFF]$/, '');
}

/** Keeps the end: at most `max` units. */
export function tailOf(text: string, max: number): string {
  return text.length <= max ? text : text.slice(text.length - max).replace(/^[\uDC00-\uDFFF]/, '');
}
