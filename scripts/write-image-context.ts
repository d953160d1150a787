/**
 * `npm run image`: writes what `container/Dockerfile` copies. With `-- --build TAG` it also builds the image and runs the smoke test in it, which
 * needs a container engine and a network.
 */
import { spawnSync } from 'node:child_process';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { imageVersions, writeImageContext } from '../local/image-context.ts';
import { projectRoot } from '../local/project-root.ts';

const { values } = parseArgs({ options: { build: { type: 'string' } } });
console.log(`Written: ${await writeImageContext()}`);
if (values.build !== undefined) process.exitCode = await build(values.build);

async function build(tag: string): Promise<number> {
  // What Cloudflare runs.
  const built = docker([
    'build',
    '--platform',
    'linux/amd64',
    '--file',
    'container/Dockerfile',
    '--tag',
    tag,
    '.',
  ]);
  if (built !== 0) return built;
  const { codex, node, sdk } = await imageVersions();
  const options = ['--codex', codex, '--node', node, '--sdk', sdk];
  const inside = [
    '--rm',
    '--interactive',
    '--network',
    'none',
    '--entrypoint',
    'bash',
    tag,
    '-s',
    '--',
    ...options,
  ];
  return docker(['run', ...inside], openSync(join(projectRoot, 'container/smoke-test.sh'), 'r'));
}

function docker(args: readonly string[], input: 'ignore' | number = 'ignore'): number {
  const { error, status } = spawnSync('docker', args, {
    cwd: projectRoot,
    stdio: [input, 'inherit', 'inherit'],
  });
  if (error !== undefined) console.error(`docker could not be started (${error.message})`);
  return status ?? 1;
}
