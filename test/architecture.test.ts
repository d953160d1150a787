/** Enforces the layers of `docs/architecture.md`: imports per folder, no circles, no catch-all files. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = dirname(import.meta.dirname);
const programFolders = ['src', 'host', 'cli', 'simulators', 'probes', 'chaos', 'container'];

/**
 * Folder or file → what it may import from. The longest matching row decides. An entry covers everything
 * below it, except paths with a row of their own, which must be named.
 */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'src/lib': [],
  'src/core': ['src/lib'],
  'src/core/ask': ['src/lib', 'src/core'],
  'src/core/access': ['src/lib', 'src/core'],
  'src/core/attachments': ['src/lib', 'src/core', 'src/core/ask'],
  'src/core/ports': ['src/lib', 'src/core', 'src/core/ask', 'src/core/attachments'],
  'src/config': ['core'],
  'src/codex': ['core'],
  'src/egress': ['core'],
  'src/github': ['core'],
  'src/publish': ['core', 'src/github', 'src/version.ts'],
  'src/sandbox': ['core', 'src/egress'],
  'src/slack': ['core'],
  'src/doctor': ['core', 'src/config', 'src/github', 'src/settings.ts', 'src/version.ts'],
  'src/tasks': ['core'],
  'src/tasks/queue': ['core', 'src/tasks'],
  'src/tasks/record': ['core', 'src/tasks'],
  'src/tasks/workflow': ['core', 'src/tasks'],
  'src/web': ['core'],
  'src/settings.ts': ['src/lib'],
  'src/version.ts': [],
  'src/compose': ['everything in src'],
  'src/index.ts': ['everything in src'],
  'src/index-sdk.ts': ['everything in src'],
  host: ['everything in src'],
  simulators: ['everything in src', 'host'],
  cli: ['everything in src', 'host', 'simulators'],
  probes: [
    'everything in src',
    'host',
    'cli',
    'simulators',
    'probes/attacks',
    'probes/inside',
    // The bot as on Cloudflare, for `--sandbox`.
    'test/cloudflare/cloudflare-bot.ts',
    'test/fake-engine/engine.ts',
  ],
  chaos: ['everything in src', 'host', 'cli', 'simulators'],
  'probes/attacks': ['src/lib', 'src/core', 'probes/inside'],
  'probes/inside': [],
};
const core = [
  'src/lib',
  'src/core',
  'src/core/ask',
  'src/core/access',
  'src/core/attachments',
  'src/core/ports',
];

interface Import {
  readonly from: string;
  /** Path of the imported file in the project, or name of a package. */
  readonly to: string;
  readonly typeOnly: boolean;
}

function filesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
    join(folder, name),
  );
}

function importsUnder(folder: string): Import[] {
  const files = filesUnder(folder).filter((name) => /(?<!\.test|\.d)\.(?:m?ts|tsx)$/.test(name));
  return files.flatMap((from) => {
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

const rows = Object.keys(mayImport).sort((left, right) => right.length - left.length);
/** Returns the row of the table that applies to a path; undefined if none does. */
const rowOf = (path: string) => rows.find((row) => path === row || path.startsWith(`${row}/`));
const isOurs = (path: string) => new RegExp(`^(${programFolders.join('|')}|scripts|test|bench)/`).test(path);
const production = programFolders.flatMap((folder) => importsUnder(folder));

describe('the import table', () => {
  it('has a row for every folder and file of src', () => {
    const entries = readdirSync(join(root, 'src'), { withFileTypes: true })
      .filter(({ name }) => !/\.(d\.ts|test\.ts|json)$/.test(name))
      .map(({ name }) => `src/${name}`);
    expect(entries.filter((entry) => !(entry in mayImport))).toEqual([]);
  });

  it.each(Object.entries(mayImport))('lets %s import from %j and itself only', (row, allowed) => {
    const seen = new Set([
      row,
      ...allowed.flatMap((name) =>
        name === 'core'
          ? core
          : name === 'everything in src'
            ? rows.filter((of) => of.startsWith('src/'))
            : [name],
      ),
    ]);
    const wrong = production
      .filter(({ from, to }) => rowOf(from) === row && isOurs(to))
      .filter(({ to }) => !seen.has(rowOf(to) ?? to) && !to.endsWith('.json'));
    expect(wrong).toEqual([]);
  });

  it('keeps src from importing any other folder of the project', () => {
    const wrong = production.filter(
      ({ from, to }) => from.startsWith('src/') && isOurs(to) && !to.startsWith('src/'),
    );
    expect(wrong).toEqual([]);
  });

  it('keeps imports of Node modules out of src', () => {
    expect(production.filter(({ from, to }) => from.startsWith('src/') && to.startsWith('node:'))).toEqual(
      [],
    );
  });

  it('lets the sandbox scripts import only each other, Node and types', () => {
    const wrong = production
      .filter(({ from }) => from.startsWith('container/') || from.startsWith('host/sandbox/inside/'))
      .filter(
        ({ from, to, typeOnly }) =>
          !(
            to.startsWith('node:') ||
            dirname(to) === dirname(from) ||
            (typeOnly && to.startsWith('src/core/'))
          ),
      );
    expect(wrong).toEqual([]);
  });

  it('has no circle of imports', () => {
    const edges = new Map<string, string[]>();
    for (const { from, to } of production) if (isOurs(to)) edges.set(from, [...(edges.get(from) ?? []), to]);
    expect(circleIn(edges)).toEqual([]);
  });

  it('finds a circle where there is one', () => {
    const edges = new Map([
      ['a', ['b']],
      ['b', ['c', 'd']],
      ['d', ['b']],
    ]);
    expect(circleIn(edges)).toEqual(['b', 'd', 'b']);
  });

  it('decides between Cloudflare and one machine only in src/compose/platform.ts', () => {
    const deciding = filesUnder('src').filter(
      (name) => name.endsWith('.ts') && /\bSANDBOX_HOST\b/.test(readFileSync(join(root, name), 'utf8')),
    );
    // `env.ts` declares the binding.
    expect(deciding.toSorted()).toEqual(['src/compose/env.ts', 'src/compose/platform.ts']);
  });

  it('has no barrels and no catch-all files', () => {
    const files = programFolders.flatMap((folder) => filesUnder(folder));
    expect(
      files.filter((name) => /(^|\/)(utils?|helpers?|types|common)\.ts$|\/.*\/index\.ts$/.test(name)),
    ).toEqual([]);
  });

  it('keeps fixtures out of src', () => {
    const files = filesUnder('src').filter((name) =>
      /(^|\/)(fixtures?|samples?|example)[-/.]|sample-|example-/.test(name),
    );
    expect(files).toEqual([]);
  });
});

/** Returns one circle as a path that ends where it begins; [] if there is none. */
function circleIn(edges: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (node: string): readonly string[] => {
    const at = path.indexOf(node);
    if (at >= 0) return [...path.slice(at), node];
    if (done.has(node)) return [];
    path.push(node);
    for (const next of edges.get(node) ?? []) {
      const circle = visit(next);
      if (circle.length > 0) return circle;
    }
    path.pop();
    done.add(node);
    return [];
  };
  for (const node of edges.keys()) {
    const circle = visit(node);
    if (circle.length > 0) return circle;
  }
  return [];
}

describe('a file of a program', () => {
  it('has at most 300 lines, or says in its header why it is longer', () => {
    const long = programFolders
      .flatMap((folder) => filesUnder(folder))
      .filter((name) => /(?<!\.test)\.tsx?$/.test(name))
      .map((name) => ({ name, text: readFileSync(join(root, name), 'utf8') }))
      .map(({ name, text }) => ({ name, lines: text.split('\n').length - 1, head: text.slice(0, 1000) }))
      .filter(({ lines, head }) => lines > 300 && !head.includes('Longer than 300 lines because'))
      .map(({ name, lines }) => ({ name, lines }));
    expect(long).toEqual([]);
  });
});
