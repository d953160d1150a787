import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../project-root.ts';
import { bundledScripts } from './bundled-scripts.ts';

const programs = [
  'canary',
  'clone',
  'codex-driver',
  'collect',
  'guidance',
  'merge',
  'setup',
  'setup-inputs',
  'unpack-setup',
];

describe('bundledScripts', () => {
  it.each([
    ['container', programs],
    ['inside', [...programs, 'sandbox-init']],
    ['supervisor', ['supervisor']],
  ] as const)('writes the programs of %s as JavaScript that needs only Node', (kind, names) => {
    const folder = bundledScripts(projectRoot)[kind];
    const files = names.map((name) => `${name}.js`);
    expect(readdirSync(folder).sort()).toEqual([...files, 'package.json'].sort());
    for (const file of files) {
      const text = readFileSync(join(folder, file), 'utf8');
      expect(() => new Script(text)).not.toThrow();
      const needed = [...text.matchAll(/\b(?:require|import)\(\s*["'`]([^"'`]*)/g)].map(([, name]) => name);
      // `buffer`: of dns-packet.
      expect(needed.filter((name) => name !== 'buffer' && !name?.startsWith('node:'))).toEqual([]);
      expect(text).not.toMatch(/^(?:import|export)\b/m);
    }
  });
});
