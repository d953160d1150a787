/** Checks the versions in the Worker's code, which does not contain package.json. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { airlockVersion, codexVersion } from '../src/version.ts';

const manifest = z
  .object({ version: z.string(), devDependencies: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')));

it('the versions in the code equal those of package.json', () => {
  expect({ airlockVersion, codexVersion }).toEqual({
    airlockVersion: manifest.version,
    codexVersion: manifest.devDependencies['@openai/codex'],
  });
});
