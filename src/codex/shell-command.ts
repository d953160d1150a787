/**
 * Codex runs each command through a login shell and reports it as `/bin/bash -lc '…'`: this takes the wrapper off, for
 * display only. What cannot be read as exactly that form stays as it is.
 */
const wrapper = /^(?:\/[\w./-]*\/)?(?:ba|z|da)?sh -l?c (?=\S)/;

/**
 * The first word of a POSIX shell's line, quotes resolved; stops at `max` characters of result. `null` when more words
 * follow it.
 */
function onlyWord(line: string, max: number): string | null {
  let word = '';
  let quote: "'" | '"' | null = null;
  for (let index = 0; index < line.length && word.length < max; index += 1) {
    const character = line.charAt(index);
    if (quote === "'") {
      if (character === quote) quote = null;
      else word += character;
    } else if (character === '\\') {
      const next = line.charAt(index + 1);
      // Inside double quotes a backslash is itself unless one of these follows (POSIX shell, 2.2.3).
      word += quote === '"' && !/[$`"\\]/.test(next) ? `\\${next}` : next;
      index += 1;
    } else if (quote === '"') {
      if (character === quote) quote = null;
      else word += character;
    } else if (character === "'" || character === '"') {
      quote = character;
    } else if (/\s/.test(character)) {
      return null;
    } else {
      word += character;
    }
  }
  return word;
}

/** The command inside the wrapper. Looks at no more than what gives `max` characters. */
export function unwrapShell(untrustedCommand: string, max: number): string {
  const match = wrapper.exec(untrustedCommand.slice(0, 200));
  if (match === null) return untrustedCommand;
  return onlyWord(untrustedCommand.slice(match[0].length), max) ?? untrustedCommand;
}
