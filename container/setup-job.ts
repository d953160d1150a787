/** A test keeps it in agreement with `setupJob` of `src/core/setup.ts`. */
import type { SetupJob } from '../src/core/setup.ts';

/** Throws an `Error` that names the missing or invalid key. */
export function parseSetupJob(text: string): SetupJob {
  const value: unknown = JSON.parse(text);
  const read = (name: string): unknown =>
    typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  const bad = (name: string) => new Error(`the job's ${name} is missing or invalid`);
  const string = (name: string, shape: RegExp): string => {
    const found = read(name);
    if (typeof found !== 'string' || !shape.test(found)) throw bad(name);
    return found;
  };
  const count = (name: string): number => {
    const found = read(name);
    if (typeof found !== 'number' || !Number.isSafeInteger(found) || found < 0) throw bad(name);
    return found;
  };
  const strings = (name: string, shape: RegExp): readonly string[] => {
    const found = read(name);
    const isGood = (one: unknown): one is string => typeof one === 'string' && shape.test(one);
    if (!Array.isArray(found) || !found.every(isGood)) throw bad(name);
    return found;
  };
  return {
    directory: string('directory', /^\/./),
    objectStore: string('objectStore', /^\/./),
    base: string('base', /^[0-9a-f]{40}$/),
    run: string('run', /./s),
    timeoutMs: count('timeoutMs'),
    lfs: read('lfs') === true,
    pack: read('pack') === true,
    packedFolder: string('packedFolder', /^\/./),
    packageFolders: strings('packageFolders', /^\//),
    neverCached: strings('neverCached', /./),
    maxPackedBytes: count('maxPackedBytes'),
    maxOutputCharacters: count('maxOutputCharacters'),
    maxLeftPaths: count('maxLeftPaths'),
    endOtherProcesses: read('endOtherProcesses') === true,
    keepProcesses: read('keepProcesses') === true,
  };
}
