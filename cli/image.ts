/**
 * `npm run image`: writes the build context of `container/Dockerfile`; `-- --build TAG` also builds it and
 * runs its smoke test, `-- --pin` writes the base image's digest to the Dockerfile.
 */
import { spawnSync } from 'node:child_process';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './command/run-command.ts';
import { imageBase, pinned } from './image/image-base.ts';
import { imageVersions, writeImageContext } from './image/image-context.ts';
import { projectRoot } from '../host/project-root.ts';

await runCommand({
  name: 'npm run image',
  about: 'Writes the build context of container/Dockerfile.',
  options: {
    build: {
      type: 'string',
      value: 'TAG',
      about: 'build the image as well, and run the smoke test in it',
    },
    pin: {
      type: 'boolean',
      about: 'ask the registry for the digest of the base image, and write it to the\nDockerfile',
    },
  },
  more: '--build and --pin need a container engine and a network.\nExit status: 0 done, 1 failed, 2 wrong usage.',
  run: async ({ values, say }) => {
    if (values.pin === true) return pin(join(projectRoot, 'container/Dockerfile'));
    say(`Written: ${await writeImageContext()}`);
    return values.build === undefined ? 0 : await build(values.build);
  },
});

function pin(path: string): number {
  const dockerfile = readFileSync(path, 'utf8');
  const image = imageBase(dockerfile)?.image;
  if (image === undefined) {
    console.error(`${path} has no FROM line with an image name.`);
    return 1;
  }
  const format = '{{.Manifest.Digest}}';
  const asked = spawnSync('docker', ['buildx', 'imagetools', 'inspect', image, '--format', format], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  const digest = asked.stdout?.trim() ?? '';
  const written = asked.status === 0 ? pinned(dockerfile, digest) : null;
  if (written === null) {
    console.error(
      `docker buildx imagetools inspect ${image} returned no digest: ` +
        (asked.error?.message ?? asked.stderr.trim().slice(0, 300)),
    );
    return 1;
  }
  writeFileSync(path, written);
  console.log(`${image} is pinned to ${digest}`);
  return 0;
}

async function build(tag: string): Promise<number> {
  // Cloudflare runs amd64 images only.
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
