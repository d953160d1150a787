/**
 * Writes the environments of `wrangler.jsonc` from its top level, and the types of its bindings. With
 * `--check` it writes nothing, and exits with 1 if one of them is out of date.
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual, promisify } from 'node:util';
import { applyEdits, modify } from 'jsonc-parser';
import { environmentsOf } from '../cli/deploy/deployment-environments.ts';
import { projectRoot } from '../host/project-root.ts';
import { readWranglerConfig, wranglerConfigFile } from '../cli/deploy/read-wrangler-config.ts';

const run = promisify(execFile);
const isCheck = process.argv.includes('--check');
const wranglerMs = 120_000;
const types = 'src/worker-configuration.d.ts';

const config = await readWranglerConfig();
const wanted = environmentsOf(config);
if (!isDeepStrictEqual(config.env, wanted)) {
  if (isCheck) fail('the environments of wrangler.jsonc do not match its top level');
  else {
    const text = await readFile(wranglerConfigFile, 'utf8');
    const formattingOptions = { insertSpaces: true, tabSize: 2 };
    await writeFile(
      wranglerConfigFile,
      applyEdits(text, modify(text, ['env'], wanted, { formattingOptions })),
    );
    await run('oxfmt', [wranglerConfigFile], { timeout: wranglerMs });
  }
}
try {
  const wrangler = join(projectRoot, 'node_modules/wrangler/bin/wrangler.js');
  const args = ['types', '--include-runtime=false', ...(isCheck ? ['--check'] : []), types];
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: '1', NO_COLOR: '1' };
  await run(process.execPath, [wrangler, ...args], { cwd: projectRoot, env, timeout: wranglerMs });
} catch (error) {
  fail(`${types} does not match wrangler.jsonc (${String(error).slice(0, 500)})`);
}

function fail(problem: string): void {
  console.error(`${problem}: run \`npm run generate\``);
  process.exitCode = 1;
}
