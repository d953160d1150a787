/** Checks that everything named in the documentation exists: settings, keys, scripts, links. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { configSchema } from '../src/config/schema.ts';
import { gateRules } from '../src/core/gate-rules.ts';
import { eventNeeds, permissionNeeds } from '../src/doctor/app-needs.ts';
import { settingNames } from '../src/settings.ts';

const root = dirname(import.meta.dirname);
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const pages = [
  'README.md',
  'AGENTS.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];
const scripts = Object.keys(
  z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(read('package.json'))).scripts,
);

const schemaNode = z.looseObject({
  properties: z.record(z.string(), z.unknown()).optional(),
  additionalProperties: z.unknown().optional(),
});
/** Returns keys as the page groups them: `limits.minutes`, not `repositories.x.limits.minutes`. */
function keysOf(schema: unknown, path = ''): string[] {
  const node = schemaNode.safeParse(schema);
  if (!node.success) return [];
  const { properties = {}, additionalProperties } = node.data;
  const own = Object.entries(properties).flatMap(([key, value]) => {
    const grouped = ['github', 'defaults', 'repositories'].includes(key) ? '' : `${path}${key}.`;
    const inner = keysOf(value, grouped);
    return inner.length > 0 && grouped !== '' ? inner : [`${path}${key}`, ...inner];
  });
  return [...own, ...keysOf(additionalProperties, path)];
}

/** Returns the anchor that GitHub gives a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');
const anchorsOf = (markdown: string): string[] =>
  [...markdown.matchAll(/^#{1,6} (.+)$/gm)].map((match) => anchorOf(match[1] ?? ''));
const linksOf = (markdown: string): string[] =>
  [...markdown.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] ?? '')
    .filter((target) => !/^(?:https?|mailto):/.test(target));

it('lists each rule of the gate with its effect', () => {
  const effects = {
    'hold-always': 'held for a person to commit',
    hold: 'held until somebody approves',
    mark: 'marked',
  };
  const allowed = { never: 'no', paths: 'for some paths', always: 'yes' };
  const [, section = ''] = read('docs/configuration.md').split('\n### The gate\n');
  const rows = section.split('\n### ')[0]?.matchAll(/^\| `.*$/gm) ?? [];
  expect([...rows].map(([row]) => row.replaceAll(/ +/g, ' '))).toEqual(
    gateRules.map(
      ({ code, finds, effect, allow }) =>
        `| \`${code}\` | ${finds} | ${effects[effect]} | ${allowed[allow]} |`,
    ),
  );
});

it('fills in the form for a new GitHub App with exactly what the doctor asks for', () => {
  const link =
    /\((https:\/\/github\.com\/settings\/apps\/new\?[^)]+)\)/.exec(read('docs/setup.md'))?.[1] ?? '';
  const { searchParams } = new URL(link);
  expect(searchParams.getAll('events[]').toSorted()).toEqual(Object.keys(eventNeeds).toSorted());
  const rest = [...searchParams].filter(([name]) => name !== 'events[]');
  const permissions = Object.entries(permissionNeeds).map(([name, { level }]) => [name, level]);
  expect(Object.fromEntries(rest)).toEqual({
    public: 'false',
    webhook_active: 'true',
    ...Object.fromEntries(permissions),
  });
  for (const { title } of Object.values(eventNeeds))
    expect(read('docs/setup.md').replaceAll('**', '')).toContain(title);
});

describe('docs/configuration.md', () => {
  const page = read('docs/configuration.md');
  it.each([...new Set(keysOf(z.toJSONSchema(configSchema)))])('explains the key %s', (key) => {
    expect(page).toContain(key === '$schema' ? `"${key}"` : `\`${key}\``);
  });
  it.each([
    ...settingNames,
    'PORT',
    'AIRLOCK_HOST',
    'AIRLOCK_CONFIG',
    'AIRLOCK_STATE',
    'AIRLOCK_DRAIN_SECONDS',
  ])('has a row for the setting %s', (name) => {
    expect(page).toMatch(new RegExp(`^\\| \`${name}\``, 'm'));
  });
});

describe('docs/api.md', () => {
  const page = read('docs/api.md');
  const sources = ['index.ts', ...readdirSync(join(root, 'src/web')).map((name) => `web/${name}`)]
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => read(`src/${name}`))
    .join('\n');
  const documented = [...page.matchAll(/^\| (\d{3}) +\| `([a-z-]+)`/gm)].map(
    ([, status, code]) => `${status} ${code}`,
  );
  it('names each error code with its status, and no other', () => {
    const answered = [...sources.matchAll(/problem\(\s*c,\s*(\d{3}),\s*'([a-z-]+)'/g)].map(
      ([, status, code]) => `${status} ${code}`,
    );
    expect(documented.toSorted()).toEqual([...new Set([...answered, '503 not-configured'])].toSorted());
    expect(sources).toContain("code: 'not-configured'");
  });
});

describe('the table of claims in docs/security.md', () => {
  const rows = (read('docs/security.md').split('\n## See for yourself\n')[1] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| ') && line.includes('`'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, claim = '', test = '', command = '', seconds = '']) => ({ claim, test, command, seconds }));
  it('has claims', () => expect(rows.length).toBeGreaterThan(8));
  it.each(rows)('names a test, a command that runs it, and seconds: $claim', ({ test, command, seconds }) => {
    const file = test.slice(1, -1);
    expect(existsSync(join(root, file))).toBe(true);
    const [, script = '', path] = /^`npm (?:run )?([a-z]+)(?: -- (\S+)(?: \d+)?)?`$/.exec(command) ?? [];
    expect(scripts).toContain(script);
    // `npm test` runs the files whose path begins with its argument; another script is the test's program.
    const runsIt = script === 'test' ? file.startsWith(path ?? '?') : true;
    expect({ command, runsIt }).toEqual({ command, runsIt: true });
    expect(seconds).toMatch(/^\d+$/);
  });
});

describe.each(pages)('%s', (path) => {
  const page = read(path);
  it('names only scripts that exist', () => {
    const named = [...page.matchAll(/npm (run )?([a-z][\w-]*)/g)].flatMap(([, run, name = '']) =>
      run !== undefined || name === 'start' || name === 'test' ? [name] : [],
    );
    expect(named.filter((name) => !scripts.includes(name))).toEqual([]);
  });
  it('links to files and headings that exist', () => {
    const broken = linksOf(page).filter((link) => {
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? path : join(dirname(path), file);
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && !anchorsOf(read(target)).includes(anchor);
    });
    expect(broken).toEqual([]);
  });
  it('names only files of the project that exist', () => {
    const named = [
      ...page.matchAll(
        /`((?:src|host|cli|simulators|probes|chaos|container|test|bench|scripts|docs)\/[\w./-]*\.(?:ts|mjs|md|svg))`/g,
      ),
    ].map((match) => match[1] ?? '');
    expect(named.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });
});

it.each([
  ['README.md', 200],
  ['AGENTS.md', 120],
])('%s has at most %d lines', (path, most) => {
  expect(read(path).split('\n').length - 1).toBeLessThanOrEqual(most);
});
