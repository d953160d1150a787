import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const module = join(import.meta.dirname, '../../container/run-main.ts');

it.each([
  ['has ended', 'async () => {}', 0],
  ['returns a number', 'async () => 7', 7],
  ['sets the exit code', 'async () => { process.exitCode = 5; }', 5],
  ['rejects', 'async () => { throw new Error("no"); }', 1],
  ['can never settle', '() => new Promise(() => {})', 13],
])('exits with its own code when the main function of a script %s', (_, main, code) => {
  const script = `import { runMain } from ${JSON.stringify(module)}; runMain(${main});`;
  expect(spawnSync(process.execPath, ['--input-type=module', '-e', script]).status).toBe(code);
});
