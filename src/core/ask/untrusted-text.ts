/** Removes terminal escapes and invisible characters from sandbox text and bounds it. Renderers escape it. */
import { stripHiddenCharacters } from './hidden-characters.ts';
import { headOf, tailOf } from '../../lib/cut-text.ts';

/** ANSI escapes of ECMA-48: CSI sequences, OSC and other strings with their end, two-character escapes. */
const ansi =
  // oxlint-disable-next-line no-control-regex -- escapes begin with a control character
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\u0007\u001b]{0,4096}(?:\u0007|\u001b\\)|[ -/]*[0-~])|\u009b[0-?]*[ -/]*[@-~]/g;

const clean = (untrusted: string): string =>
  stripHiddenCharacters(untrusted.replace(ansi, '')).toWellFormed();

/** The beginning, at most `max` characters, with an ellipsis. Reads at most four times as much. */
export function firstOf(untrusted: string, max: number): string {
  const text = clean(untrusted.slice(0, max * 4)).trim();
  return text.length <= max ? text : `${headOf(text, max - 1)}…`;
}

/** The end, at most `max` characters, with an ellipsis. Reads at most four times as much. */
export function lastOf(untrusted: string, max: number): string {
  const text = clean(untrusted.slice(-max * 4));
  return text.length <= max ? text : `…${tailOf(text, max - 1)}`;
}
