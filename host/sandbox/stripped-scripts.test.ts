import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../project-root.ts';
import { strippedScripts, toJavaScript } from './stripped-scripts.ts';

describe('strippedScripts', () => {
  it.each([
    [
      "import { a } from './b.ts';\nconst c: number = a;",
      /^import \{ a \} from '\.\/b\.js';\nconst c\s+= a;$/,
    ],
    ["import './b.ts';", /^import '\.\/b\.js';$/],
    ["import {\n  a,\n} from './b-c.ts';", /from '\.\/b-c\.js';$/],
    ["import type { T } from '../src/core/x.ts';", /^\s*$/],
    ["const text = 'see ./b.ts';", /'see \.\/b\.ts'/],
  ])('converts %j', (typescript, javascript) => {
    expect(toJavaScript(typescript)).toMatch(javascript);
  });

  it('writes every script as JavaScript that imports only Node modules and other scripts', () => {
    const { container, inside, supervisor } = strippedScripts(projectRoot);
    const written = readdirSync(inside).filter((name) => name.endsWith('.js'));
    const inImage = readdirSync(container).filter((name) => name.endsWith('.js'));
    const programsOf = (folder: string): string[] =>
      readdirSync(join(projectRoot, folder))
        .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
        .map((name) => name.replace(/\.ts$/, '.js'));
    expect(inImage.sort()).toEqual(programsOf('container').sort());
    expect(written.sort()).toEqual([...inImage, ...programsOf('host/sandbox/inside')].sort());
    for (const name of written) {
      execFileSync(process.execPath, ['--check', join(inside, name)]);
      const imports = [
        ...readFileSync(join(inside, name), 'utf8').matchAll(
          /^\s*(?:import|export)[^;'"]*?from\s+'([^']+)'/gm,
        ),
      ].map((match) => match[1] ?? '');
      expect(
        imports.filter(
          (target) =>
            !target.startsWith('node:') && !(target.startsWith('./') && written.includes(target.slice(2))),
        ),
      ).toEqual([]);
    }
    expect(readdirSync(supervisor).sort()).toEqual([
      'inherited-descriptors.js',
      'package.json',
      'sinkhole-dns.js',
      'supervisor.js',
    ]);
  });
});
