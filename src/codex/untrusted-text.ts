/**
 * Removes terminal escapes and invisible characters from sandbox text and bounds its length. Renderers escape
 * it.
 */
import { stripHiddenCharacters } from '../core/ask/hidden-characters.ts';
import { headOf, tailOf } from '../lib/cut-text.ts';

/**
 * Matches ANSI escapes of ECMA-48: CSI sequences (colors, cursor), OSC and other strings with their end
 * (titles, links), and two-character escapes. Removes them whole, because the rest would show as text without
 * its ESC.
 */
const ansi =
  // oxlint-disable-next-line no-control-regex -- escapes begin with a control character
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\u0007\u001b]{0,4096}(?:\u0007|\u001b\\)|[ -/]*[0-~])|\u009b[0-?]*[ -/]*[@-~]/g;

const clean = (untrusted: string): string =>
  stripHiddenCharacters(untrusted.replace(ansi, '')).toWellFormed();

/**
 * Returns the beginning, at most `max` characters, with an ellipsis at the cut. Reads at most four times as
 * much.
 */
export function firstOf(untrusted: string, max: number): string {
  const text = clean(untrusted.slice(0, max * 4)).trim();
  return text.length <= max ? text : `${headOf(text, max - 1)}…`;
}

/**
 * Returns the end, at most `max` characters, with an ellipsis at the cut. Reads at most four times as much.
 */
export function lastOf(untrusted: string, max: number): string {
  const text = clean(untrusted.slice(-max * 4));
  return text.length <= max ? text : `…${tailOf(text, max - 1)}`;
}
