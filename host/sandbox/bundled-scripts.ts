/**
 * Bundles each of the sandbox's programs into one CommonJS file, once: a start takes 38 ms of processor time,
 * as separate ES modules 51, as TypeScript 90.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

export interface Scripts {
  /** Folder for `/opt/airlock` in an image: the programs of `container/`. */
  readonly container: string;
  /** Folder for `/opt/airlock` in a local sandbox: the same programs, and init. */
  readonly inside: string;
  /** Folder with the supervisor, which runs outside the inner namespaces. */
  readonly supervisor: string;
}

interface Source {
  readonly path: string;
  readonly text: string;
}

/** To `dist/scripts-<hash>`, unless they exist already. Throws with the bundler's message. */
export function bundledScripts(checkout: string): Scripts {
  const container = sourcesIn(join(checkout, 'container'));
  const inside = sourcesIn(join(checkout, 'host/sandbox/inside'));
  const host = sourcesIn(join(checkout, 'host/sandbox'));
  const hash = createHash('sha256').update(process.version);
  // Names the versions of the bundler and of the supervisor's packages.
  hash.update(readFileSync(join(checkout, 'package-lock.json')));
  for (const { path, text } of [...container, ...inside, ...host]) hash.update(`${path}\0${text}\0`);
  const folder = join(checkout, 'dist', `scripts-${hash.digest('hex').slice(0, 16)}`);
  const scripts = {
    container: join(folder, 'container'),
    inside: join(folder, 'inside'),
    supervisor: join(folder, 'supervisor'),
  };
  if (existsSync(folder)) return scripts;

  const draft = `${folder}.${process.pid}`;
  const programs = container.filter(({ text }) => /^runMain\(/m.test(text)).map(({ path }) => path);
  const at = (name: string): string => join(checkout, 'host/sandbox', name);
  bundle(join(draft, 'container'), programs);
  bundle(join(draft, 'inside'), [...programs, at('inside/sandbox-init.ts')]);
  bundle(join(draft, 'supervisor'), [at('supervisor.ts')]);
  try {
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    // Another process can have written the same content first.
    if (!existsSync(folder)) throw error;
  }
  return scripts;
}

function sourcesIn(folder: string): Source[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => join(folder, name))
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }));
}

function bundle(outdir: string, entryPoints: string[]): void {
  mkdirSync(outdir, { recursive: true });
  writeFileSync(join(outdir, 'package.json'), `${JSON.stringify({ type: 'commonjs' })}\n`);
  buildSync({
    bundle: true,
    entryNames: '[name]',
    entryPoints,
    format: 'cjs',
    logLevel: 'silent',
    outdir,
    platform: 'node',
  });
}
