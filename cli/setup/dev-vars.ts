/**
 * Changes settings in the text of `.dev.vars` and stores it. Keeps every other line as it is: comments,
 * settings that Airlock does not know. The file is replaced as a whole, and only its owner can read it.
 */
import { randomBytes } from 'node:crypto';
import { open, readFile, realpath, rename, rm } from 'node:fs/promises';
import { parseEnv } from 'node:util';
import { StartProblem } from '../../host/environment.ts';

/** One setting with its value, which can have several lines in quotes; or any other line. */
const entryPattern =
  /^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*=[ \t]*(?:"[^"]*"|'[^']*'|`[^`]*`|[^\n]*)[^\n]*(?:\n|$)|^[^\n]*(?:\n|$)/gm;

/** Null removes a setting. A value in the place of its first line; a new one at the end. */
export function withSettings(text: string, changes: Readonly<Record<string, string | null>>): string {
  const left = new Map(Object.entries(changes));
  const seen = new Set<string>();
  const kept = text
    .replaceAll('\r\n', '\n')
    .replaceAll(entryPattern, (entry: string, name: string | undefined) => {
      if (name === undefined || !Object.hasOwn(changes, name)) return entry;
      const value = changes[name] ?? null;
      left.delete(name);
      // The last line of a name counts, so that there may be only one.
      if (value === null || seen.has(name)) return '';
      seen.add(name);
      return lineOf(name, value);
    });
  const added = [...left].flatMap(([name, value]) => (value === null ? [] : [lineOf(name, value)]));
  if (added.length === 0) return kept;
  return `${kept}${kept === '' || kept.endsWith('\n') ? '' : '\n'}${added.join('')}`;
}

/** Throws if no kind of quotes can hold the value: what is read has to be what was written. */
function lineOf(name: string, value: string): string {
  const forms = /^[\w./:+=@-]*$/.test(value) ? [value] : [`"${value}"`, `'${value}'`, `\`${value}\``];
  const line = forms.map((form) => `${name}=${form}\n`).find((form) => parseEnv(form)[name] === value);
  if (line === undefined) throw new StartProblem(`${name} has quotes that .dev.vars cannot hold`);
  return line;
}

/** Resolves to an empty text if there is no file. */
export async function readText(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  });
}

/** Through a symlink, whose target is replaced. A reader sees the old text or the new one. */
export async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const temporary = `${target}.${randomBytes(6).toString('hex')}`;
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    const why = error instanceof Error ? error.message : String(error);
    throw new StartProblem(`${path} cannot be written: ${why}`);
  }
}
