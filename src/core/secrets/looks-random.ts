/** Tells a random token from a filler (`xxxxxxxx`) and from a long name made of words. */

/** A window of a random token uses that many different characters, also a hexadecimal one. */
const window = 20;
const minDifferent = 8;
const minRun = 12;
const maxToken = 4096;

/** Uses many characters, and mixes digits with letters, or capitals with small letters. */
export const looksRandom = (token: string): boolean =>
  windowsOf(token).some((part) => new Set(part).size >= minDifferent && isMixed(part));

/** Digits among letters, or capitals among small letters as no word has them. */
export function isMixed(part: string): boolean {
  if (/\d/.test(part)) return /[A-Za-z]/.test(part);
  // Words in camel case have one capital now and then.
  return (
    /[A-Z]{2}/.test(part) && (part.match(/[a-z](?=[A-Z])|[A-Z](?=[a-z])/g) ?? []).length * 3 > part.length
  );
}

function windowsOf(token: string): readonly string[] {
  return (token.slice(0, maxToken).match(/[A-Za-z0-9]+/g) ?? [])
    .filter((run) => run.length >= minRun)
    .flatMap((run) => {
      const count = Math.max(1, Math.ceil((run.length - window) / 4) + 1);
      return Array.from({ length: Math.min(count, 100) }, (_, index) =>
        run.slice(index * 4, index * 4 + window),
      );
    });
}
