/**
 * Encodes a call for the SDK, whose `exec` takes a shell string and logs it. So the string has a fixed
 * program, numbers, names and quoted paths; everything else is its standard input, which travels in files.
 * Pure.
 */

/** Belongs to root in the container; commands run as another user, who cannot read it. */
export const inputFolder = '/var/lib/airlock/input';
export const makeInputFolder = `umask 077 && mkdir -p -- ${inputFolder}`;

/**
 * Bytes of a file per message to the container. The SDK's server closes the whole connection at a message
 * over 16 MiB, and every call in it fails. As base64 a part stays below 8 MiB.
 */
const maxPartBytes = 4 * 1024 * 1024;

/** Splits an input into files; their order is that of the bytes. */
export function splitInput(name: string, bytes: Uint8Array): { path: string; base64: string }[] {
  const count = Math.max(1, Math.ceil(bytes.length / maxPartBytes));
  return Array.from({ length: count }, (_, at) => ({
    path: `${inputFolder}/${name}.${at}`,
    base64: encodeBase64(bytes.subarray(at * maxPartBytes, (at + 1) * maxPartBytes)),
  }));
}

/** The exit code is the program's. The files are deleted once they are read. */
export function shellCommand(argv: readonly string[], inputPaths: readonly string[]): string {
  const program = argv.map((word) => quoteWord(word)).join(' ');
  if (inputPaths.length === 0) return `${program} </dev/null`;
  const paths = inputPaths.map((path) => quoteWord(path)).join(' ');
  return `{ cat -- ${paths}; rm -f -- ${paths}; } | ${program}`;
}

/**
 * Quotes for a POSIX shell: within single quotes only the quote itself is special. No program argument can
 * have a NUL.
 */
export function quoteWord(word: string): string {
  if (word.includes('\0')) throw new TypeError('a NUL cannot be part of an argument');
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function encodeBase64(bytes: Uint8Array): string {
  let binary = '';
  // In parts, because a call takes a limited number of arguments.
  for (let at = 0; at < bytes.length; at += 0x8000)
    binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(binary);
}
