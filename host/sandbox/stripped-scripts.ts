/** Converts the sandbox's programs to JavaScript once, which saves each of their starts 38 ms. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';

export interface Scripts {
  /** Folder for `/opt/airlock` in an image: the scripts of `container/`. */
  readonly container: string;
  /** Folder for `/opt/airlock` in a local sandbox: the same scripts, and init with its imports. */
  readonly inside: string;
  /** Folder with the supervisor and its imports, which run outside the inner namespaces. */
  readonly supervisor: string;
}

const supervisorFiles = ['supervisor.ts', 'sinkhole-dns.ts', 'inherited-descriptors.ts'];
const packageJson = `${JSON.stringify({ type: 'module' })}\n`;

/** To `dist/scripts-<hash>`, unless they exist already. */
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

  const draft = `${folder}.${process.pid}`;
  write(join(draft, 'container'), container);
  write(join(draft, 'inside'), inside);
  write(join(draft, 'supervisor'), supervisor);
  try {
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    // Another process can have written the same content first.
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

/** Renames imports of `./x.ts` to `./x.js`. Type-only imports disappear with the types. */
export function toJavaScript(typescript: string): string {
  return stripTypeScriptTypes(typescript).replace(/(\bfrom\s+|\bimport\s+)'(\.\/[\w-]+)\.ts'/g, "$1'$2.js'");
}
