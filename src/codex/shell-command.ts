/** Removes Codex's login shell, `/bin/bash -lc '…'`, from a command, for display only. */
const wrapper = /^(?:\/[\w./-]*\/)?(?:ba|z|da)?sh -l?c (?=\S)/;

/** The only word of a shell line, unquoted and cut at `max` characters; null if more words follow. */
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
      // Inside double quotes a backslash is literal unless one of these follows (POSIX shell, 2.2.3).
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

/** Returns the command inside the wrapper. Reads only as much as `max` characters of result need. */
export function unwrapShell(untrustedCommand: string, max: number): string {
  const match = wrapper.exec(untrustedCommand.slice(0, 200));
  if (match === null) return untrustedCommand;
  return onlyWord(untrustedCommand.slice(match[0].length), max) ?? untrustedCommand;
}
