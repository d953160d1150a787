/** The layers of `docs/architecture.md`, held by a test: arrows point down only. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = dirname(import.meta.dirname);

/** Folder or file of `src/` → what it may import from. A folder always sees itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  config: ['core'],
  codex: ['core'],
  egress: ['core'],
  github: ['core'],
  publish: ['core', 'github'],
  sandbox: ['core', 'egress'],
  slack: ['core'],
  doctor: ['core', 'config', 'github', 'settings.ts', 'version.ts'],
  tasks: ['core'],
  web: ['core'],
  'settings.ts': [],
  'version.ts': [],
  'platform.ts': [],
  'app.ts': ['web'],
  'env.ts': ['core', 'sandbox', 'tasks'],
  'compose-doctor.ts': ['core', 'doctor', 'tasks', 'web', 'env.ts', 'version.ts'],
  'composition.ts': [
    'core',
    'config',
    'codex',
    'egress',
    'github',
    'publish',
    'sandbox',
    'slack',
    'tasks',
    'web',
    'app.ts',
    'env.ts',
    'platform.ts',
    'settings.ts',
    'version.ts',
  ],
  'compose-sweep.ts': ['tasks', 'composition.ts', 'env.ts', 'platform.ts'],
  'index.ts': [
    'core',
    'sandbox',
    'tasks',
    'composition.ts',
    'compose-doctor.ts',
    'compose-sweep.ts',
    'env.ts',
    'platform.ts',
  ],
};

interface Import {
  readonly from: string;
  /** Path of the target in the project, or the name of a package. */
  readonly to: string;
  readonly typeOnly: boolean;
}

function importsUnder(folder: string): Import[] {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.m?ts$/.test(name),
  );
  return files.flatMap((name) => {
    const from = join(folder, name);
    const text = readFileSync(join(root, from), 'utf8');
    return [
      ...text.matchAll(
        /^\s*(?:import|export)\s(type\s)?[^;'"]*?from\s+'([^']+)'|^\s*import\s+'([^']+)'|import\('([^']+)'\)/gm,
      ),
    ].map((match) => {
      const target = match[2] ?? match[3] ?? match[4] ?? '';
      const to = target.startsWith('.') ? normalize(join(dirname(from), target)) : target;
      return { from, to, typeOnly: match[1] !== undefined };
    });
  });
}

/** `src/core/task.ts` → `core`, `src/web/app.ts` → `app.ts`. */
const layerOf = (path: string) => relative('src', path).split('/')[0] ?? '';
const isOurs = (path: string) =>
  /^(src|host|cli|simulators|probes|container|scripts|test|bench)\//.test(path);
const production = importsUnder('src').filter(({ from }) => !from.endsWith('.test.ts'));

describe('the import table', () => {
  it('names every folder of src', () => {
    const layers = readdirSync(join(root, 'src')).filter((name) => !/\.(d\.ts|test\.ts|json)$/.test(name));
    expect(Object.keys(mayImport).sort()).toEqual(layers.sort());
  });

  it.each(Object.entries(mayImport))('%s imports from %j and itself', (layer, allowed) => {
    const wrong = production
      .filter(({ from, to }) => layerOf(from) === layer && to.startsWith('src/'))
      .filter(({ to }) => ![layer, ...allowed].includes(layerOf(to)));
    expect(wrong).toEqual([]);
  });

  it('keeps src free of what drives it', () => {
    expect(production.filter(({ to }) => isOurs(to) && !to.startsWith('src/'))).toEqual([]);
  });

  it('keeps Node out of src', () => {
    expect(production.filter(({ to }) => to.startsWith('node:'))).toEqual([]);
  });

  it('lets the scripts in the sandbox import nothing but each other, Node and types', () => {
    const wrong = importsUnder('container')
      .filter(({ from }) => !from.endsWith('.test.ts'))
      .filter(
        ({ to, typeOnly }) =>
          !(
            to.startsWith('node:') ||
            to.startsWith('container/') ||
            (typeOnly && to.startsWith('src/core/'))
          ),
      );
    expect(wrong).toEqual([]);
  });

  it('has no barrels and no drawers', () => {
    const files = ['src', 'host', 'cli', 'simulators', 'probes', 'container'].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }),
    );
    expect(
      files.filter((name) => /(^|\/)(utils?|helpers?|types|common)\.ts$|.\/index\.ts$/.test(name)),
    ).toEqual([]);
  });
});

describe('the project’s text', () => {
  it('keeps files under 300 lines', () => {
    const long = ['src', 'host', 'cli', 'simulators', 'probes', 'container']
      .flatMap((folder) =>
        readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
          join(folder, name),
        ),
      )
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => ({ name, lines: readFileSync(join(root, name), 'utf8').split('\n').length - 1 }))
      .filter(({ lines }) => lines > 300);
    expect(long).toEqual([]);
  });
});
