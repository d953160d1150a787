/**
 * The programs that run in and around a sandbox, as JavaScript: types are stripped once here instead of at each of a
 * task's six process starts, where it costs 38 ms every time (measured with Node 26). Nothing else is changed in them.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';

export interface Scripts {
  /** What becomes `/opt/airlock` in an image: the scripts of `container/`. */
  readonly container: string;
  /** What becomes `/opt/airlock` in a sandbox of this machine: the same, and init with its parts. */
  readonly inside: string;
  /** The supervisor and what it imports, outside the inner namespaces. */
  readonly supervisor: string;
}

const supervisorFiles = ['supervisor.ts', 'sinkhole-dns.ts'];
const packageJson = `${JSON.stringify({ type: 'module' })}\n`;

/** Writes them below `dist/` of the checkout, unless they are there already; later calls cost a few reads. */
export function strippedScripts(checkout: string): Scripts {
  const noTest = (name: string): boolean => !name.endsWith('.test.ts');
  const container = sourcesIn(join(checkout, 'container'), noTest);
  const inside = [...container, ...sourcesIn(join(checkout, 'host/sandbox/inside'), noTest)];
  const supervisor = sourcesIn(join(checkout, 'host/sandbox'), (name) => supervisorFiles.includes(name));
  const hash = createHash('sha256').update(process.version);
  for (const [name, text] of [...inside, ...supervisor]) hash.update(`${name}\0${text}\0`);
  const folder = join(checkout, 'dist', `scripts-${hash.digest('hex').slice(0, 16)}`);
  const scripts = {
    container: join(folder, 'container'),
    inside: join(folder, 'inside'),
    supervisor: join(folder, 'supervisor'),
  };
  if (existsSync(folder)) return scripts;

  const fresh = `${folder}.${process.pid}`;
  write(join(fresh, 'container'), container);
  write(join(fresh, 'inside'), inside);
  write(join(fresh, 'supervisor'), supervisor);
  try {
    renameSync(fresh, folder);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    // Another process may have been faster with the same content.
    if (!existsSync(folder)) throw error;
  }
  return scripts;
}

function sourcesIn(folder: string, wanted: (name: string) => boolean): [name: string, text: string][] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.ts') && wanted(name))
    .map((name) => [name, readFileSync(join(folder, name), 'utf8')]);
}

function write(folder: string, sources: readonly (readonly [name: string, text: string])[]): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), packageJson);
  for (const [name, text] of sources) writeFileSync(join(folder, jsName(name)), toJavaScript(text));
}

const jsName = (name: string): string => name.replace(/\.ts$/, '.js');

/** Imports of a neighbour (`./x.ts`) follow it to its new name; those of types are gone with the types. */
export function toJavaScript(typescript: string): string {
  return stripTypeScriptTypes(typescript).replace(/(\bfrom\s+|\bimport\s+)'(\.\/[\w-]+)\.ts'/g, "$1'$2.js'");
}
