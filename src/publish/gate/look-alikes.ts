/** Finds names whose letters come from several scripts and look like one. Pure. */
import { headOf } from '../../lib/cut-text.ts';
import { codePoints, isPlain } from './hidden-text.ts';

/** Letters that most fonts draw like ASCII letters. Greek ones that mathematics uses are not among them. */
const letters = [
  'авеорсухѕіјһԁԛԝАВЕЅЗІЈКМНОРСТУХԚԜҮҺ',
  'οΑΒΕΖΗΙΚΜΝΟΡΤΥΧ',
  'ɑɡᴠօսոհ',
  // Cherokee, Lisu, Coptic, Deseret.
  String.raw`\u13A0-\u13F5\uA4D0-\uA4F7\u2C80-\u2CB1\u{10400}-\u{1044F}`,
  // Fullwidth letters, Roman numerals, letters of mathematics: some languages read them as ASCII letters.
  String.raw`\uFF21-\uFF3A\uFF41-\uFF5A\u2160-\u217F\u{1D400}-\u{1D7FF}`,
].join('');
const lookAlike = new RegExp(`[${letters}]`, 'gu');
const otherScript = new RegExp(`(?![${letters}]|\\p{Script=Latin})\\p{L}`, 'u');
/** Like `;`, `!` and `:`. */
const signs = /[\u037E\u01C3\uA789]/u;

/** Returns the token with its unusual letters, such as `раypal (U+0440 U+0430)`; null if there is none. */
export function lookAlikeIn(line: string, isForeign: () => boolean): string | null {
  if (isPlain(line)) return null;
  for (const [token] of line.matchAll(/[\p{L}\p{M}\p{N}_$]{3,}/gu)) {
    const found = token.match(lookAlike);
    if (found === null) continue;
    const rest = token.replaceAll(lookAlike, '');
    if (/[^\p{ASCII}\p{N}]/u.test(rest)) continue;
    if (/[A-Za-z]/.test(rest) || (found.length > 2 && !isForeign()))
      return `${headOf(token, 60)} (${codePoints(found.join(''))})`;
  }
  const sign = isForeign() ? null : signs.exec(line);
  return sign === null ? null : codePoints(sign[0]);
}

/** True if the text has ordinary words of another script: then a word of look-alikes alone is one, too. */
export const isForeign = (text: string): boolean => otherScript.test(text);
