/**
 * `npm run deploy:check`: checks a deployment as far as possible without an account or a container engine:
 * bundles the Worker for each environment and each kind of sandbox, prints the sizes, and compares
 * `wrangler.jsonc` with the configuration.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runCommand } from '../cli/command/run-command.ts';
import { buildWorker, maxBundleKiB, sandboxKinds, uploadArguments } from '../host/build-worker.ts';
import { withConfigFile } from '../cli/deploy/config-file.ts';
import {
  environmentNames,
  generated,
  imagesProblems,
  instancesProblems,
} from '../cli/deploy/deployment-environments.ts';
import { readConfig } from '../host/environment.ts';
import { machineNames } from '../src/config/resolve-repository.ts';
import { projectRoot } from '../host/project-root.ts';
import { readWranglerConfig } from '../cli/deploy/read-wrangler-config.ts';

const run = promisify(execFile);
const buildMs = 180_000;

await runCommand({
  name: 'npm run deploy:check',
  about:
    'Checks a deployment as far as possible without an account or a container engine: bundles the Worker for\n' +
    'each environment and each kind of sandbox, prints the sizes, and compares wrangler.jsonc with the\n' +
    'configuration.',
  options: {},
  more: 'Exit status: 0 no problem found, 1 a problem, 2 wrong usage.',
  run: checkDeployment,
});

async function checkDeployment(): Promise<number> {
  const problems: string[] = [];
  const fail = (problem: string): void => {
    problems.push(problem);
    console.error(`✗ ${problem}`);
  };
  const { config } = await readConfig(join(projectRoot, 'airlock.config.jsonc'), 'airlock.config.jsonc');
  const present = await readWranglerConfig();
  for (const problem of [
    ...instancesProblems(present, config.slots.total),
    ...imagesProblems(present, machineNames(config).images),
  ])
    fail(problem);
  for (const kind of sandboxKinds) {
    const upload = uploadArguments(await buildWorker((line) => console.error(line), kind));
    for (const environment of [null, ...environmentNames]) {
      const name = `${kind.padEnd(6)}  ${(environment ?? 'top level').padEnd(10)}`;
      const limit = maxBundleKiB[kind];
      try {
        const { size, containers } = await withConfigFile(
          generated(present, { environment, kind }),
          async (file) => await dryRun([...upload, ...file], environment ?? ''),
        );
        const line = `${name}  ${size} KiB gzip   ${containers.join(', ')}`;
        if (size > limit) fail(`${line}: over the limit of ${limit} KiB`);
        else console.log(`✓ ${line}`);
      } catch (error) {
        const output = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
        fail(`${name}: wrangler could not check the Worker:\n${output}`);
      }
    }
  }
  return problems.length === 0 ? 0 : 1;
}

async function dryRun(
  upload: readonly string[],
  environment: string,
): Promise<{ size: number; containers: readonly string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'airlock-dry-run-'));
  try {
    const wrangler = join(projectRoot, 'node_modules/wrangler/bin/wrangler.js');
    const args = [
      'deploy',
      ...upload,
      '--dry-run',
      '--containers-rollout',
      'none',
      '--env',
      environment,
      '--outdir',
      folder,
    ];
    const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: '1', NO_COLOR: '1' };
    const { stdout } = await run(process.execPath, [wrangler, ...args], {
      cwd: projectRoot,
      env,
      timeout: buildMs,
    });
    const [, size] = /gzip: ([\d.]+) KiB/.exec(stdout) ?? [];
    if (size === undefined) throw new Error('wrangler printed no size');
    const containers = [...stdout.matchAll(/^- (\S+ \(.+\))$/gm)].map(([, one = '']) => one);
    if (containers.length === 0) throw new Error('wrangler listed no container');
    return { size: Number(size), containers };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
