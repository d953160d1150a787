/** Proves that lint refuses Node's API in `src/`; the compiler does not, because of Bolt's types. */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = dirname(import.meta.dirname);
const keepNodeOut = /no-restricted-globals|no-restricted-properties|no-nodejs-modules|no-require-imports/;

const nodeOnly = [
  "import { readFileSync } from 'node:fs';",
  "import { createHash } from 'crypto';",
  "import type { Readable } from 'node:stream';",
  "export { join } from 'node:path';",
  "export const imported = import('node:http');",
  "export const required = require('fs');",
  'export const environment = process.env;',
  "export const found = process.getBuiltinModule('fs');",
  'export const hidden = globalThis.process;',
  "export const bytes = Buffer.from('x');",
  "export const moreBytes = globalThis.Buffer.from('x');",
  'export const world = global;',
  'export const soon = setImmediate(() => 1);',
  'export const never = clearImmediate;',
  'export const folder = __dirname;',
  'export const file = __filename;',
  'export const here = import.meta.dirname;',
  'export const self = import.meta.filename;',
];
const workerOnly = [
  "import { DurableObject } from 'cloudflare:workers';",
  'export const random = crypto.getRandomValues(new Uint8Array(4));',
  'export const later = setTimeout(() => 1, 1);',
  "export const answer = fetch('https://a.example', { signal: AbortSignal.timeout(1) });",
  "export const encoded = new TextEncoder().encode('x');",
];

let folder: string;
/** Writes the file and returns the numbers (from 1) of the lines that the rules refuse. */
async function refusedLines(name: string, lines: readonly string[]): Promise<number[]> {
  await writeFile(join(folder, 'src', name), `${lines.join('\n')}\n`);
  const output = await new Promise<string>((resolve) => {
    const argv = ['-c', '.oxlintrc.json', '--format', 'unix', join('src', name)];
    execFile('oxlint', argv, { cwd: folder, timeout: 120_000 }, (_, stdout) => resolve(stdout));
  });
  const found = output.split('\n').flatMap((line) => {
    const at = /^[^:]+:(\d+):\d+: /.exec(line);
    return at !== null && keepNodeOut.test(line) ? [Number(at[1])] : [];
  });
  return [...new Set(found)].toSorted((a, b) => a - b);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'airlock-lint-'));
  await mkdir(join(folder, 'src'));
  await copyFile(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

it('refuses each use of Node', async () => {
  const refused = await refusedLines('uses-node.ts', nodeOnly);
  expect(refused.map((line) => nodeOnly[line - 1])).toEqual(nodeOnly);
});

it('accepts what workerd provides', async () => {
  expect(await refusedLines('uses-workerd.ts', workerOnly)).toEqual([]);
});
