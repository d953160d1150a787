/**
 * Makes text from the sandbox fit to keep: terminal escapes and invisible characters gone, length bounded.
 * Does not escape: that is for whoever puts it on a surface.
 */
import { stripHiddenCharacters } from '../core/ask/hidden-characters.ts';
import { headOf, tailOf } from '../lib/cut-text.ts';

/**
 * ANSI escapes as ECMA-48 has them: CSI sequences (colours, cursor), OSC and other strings up to their end (titles,
 * links), and the two-character ones. They go whole: without their ESC their rest would stand there as text.
 */
const ansi =
  // oxlint-disable-next-line no-control-regex -- escapes begin with a control character
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\u0007\u001b]{0,4096}(?:\u0007|\u001b\\)|[ -/]*[0-~])|\u009b[0-?]*[ -/]*[@-~]/g;

const clean = (untrusted: string): string =>
  stripHiddenCharacters(untrusted.replace(ansi, '')).toWellFormed();

/** The beginning, at most `max` characters, an ellipsis at the cut. Looks at no more than four times that. */
export function firstOf(untrusted: string, max: number): string {
  const text = clean(untrusted.slice(0, max * 4)).trim();
  return text.length <= max ? text : `${headOf(text, max - 1)}…`;
}

/** The end, at most `max` characters, an ellipsis at the cut. Looks at no more than four times that. */
export function lastOf(untrusted: string, max: number): string {
  const text = clean(untrusted.slice(-max * 4));
  return text.length <= max ? text : `…${tailOf(text, max - 1)}`;
}
