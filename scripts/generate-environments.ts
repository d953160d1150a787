/**
 * Writes the environments of `wrangler.jsonc` from its top level, and the types of its bindings. With
 * `--check` it writes nothing, and exits with 1 if one of them is out of date. `--sandbox KIND [--env NAME]`
 * changes what runs the sandboxes of one environment.
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual, parseArgs, promisify } from 'node:util';
import { applyEdits, modify } from 'jsonc-parser';
import { generated } from '../cli/deploy/deployment-environments.ts';
import { sandboxChoice } from '../cli/deploy/sandbox-choice.ts';
import { projectRoot } from '../host/project-root.ts';
import { readWranglerConfig, wranglerConfigFile } from '../cli/deploy/read-wrangler-config.ts';

const run = promisify(execFile);
const { values } = parseArgs({
  options: { check: { type: 'boolean' }, sandbox: { type: 'string' }, env: { type: 'string' } },
  // The generator of the schema reads the same command line.
  strict: false,
});
const isCheck = values.check === true;
const wranglerMs = 120_000;
const types = 'src/worker-configuration.d.ts';

const config = await readWranglerConfig();
const wanted = generated(config, sandboxChoice(values));
const outdated = (['main', 'containers', 'env'] as const).filter(
  (key) => !isDeepStrictEqual(config[key], wanted[key]),
);
if (outdated.length > 0) {
  if (isCheck) fail('the environments of wrangler.jsonc do not match its top level');
  else {
    const formattingOptions = { insertSpaces: true, tabSize: 2 };
    let text = await readFile(wranglerConfigFile, 'utf8');
    for (const key of outdated)
      text = applyEdits(text, modify(text, [key], wanted[key], { formattingOptions }));
    await writeFile(wranglerConfigFile, text);
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
