/** Decodes base64 that holds text, such as the values of a Kubernetes secret, or a key in a CI variable. */
import type { DerivedText } from './joined-lines.ts';

/** Bounds what is in memory at once. */
const batchCharacters = 64 * 1024;
/** Lines of wrapped base64 that are indented by no more are decoded as one. */
const maxIndent = 40;

/**
 * Yields what is decoded in batches. A long run is matched in pieces, because a pattern without a bound would
 * use up the stack. Runs that do not begin with text are left alone: they are binary.
 */
export function* embeddedTexts(outer: string): Generator<DerivedText> {
  let batch = newBatch();
  let last = -1;
  for (const { 0: run, index: start } of outer.matchAll(/[A-Za-z0-9+/]{24,8192}/g)) {
    // `atob` needs no padding, but one character alone is no byte.
    const whole = run.length % 4 === 1 ? run.slice(0, -1) : run;
    const continues = last >= 0 && start - last <= maxIndent && outer.slice(last, start).trim() === '';
    if (!continues && !/^[\t\n\r\0 -~]+$/.test(atob(whole.slice(0, 16)))) continue;
    if (!continues && batch.length > batchCharacters) {
      yield textOf(batch);
      batch = newBatch();
    }
    const part = `${continues ? '' : '\n'}${atob(whole)}`;
    last = start + run.length;
    batch.places.push({ at: batch.length, start, end: last });
    batch.parts.push(part);
    batch.length += part.length;
  }
  if (batch.length > 0) yield textOf(batch);
}

interface Place {
  readonly at: number;
  readonly start: number;
  readonly end: number;
}
interface Batch {
  length: number;
  readonly parts: string[];
  readonly places: Place[];
}
const newBatch = (): Batch => ({ length: 0, parts: [], places: [] });

const textOf = ({ parts, places }: Batch): DerivedText => ({
  text: parts.join(''),
  // The whole run of base64.
  rangeOf: (at) => places.findLast((place) => place.at <= at) ?? { start: 0, end: 0 },
});
