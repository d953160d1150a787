/**
 * `npm run image`: writes the build context of the Dockerfiles below `container`; `-- --build TAG` also
 * builds one and runs its smoke test, `-- --pin` writes the digests of the images they start from.
 */
import { spawnSync } from 'node:child_process';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand, UsageProblem } from './command/run-command.ts';
import { dockerfiles, sdkImage } from './image/dockerfiles.ts';
import { imageBases, pinned } from './image/image-base.ts';
import { imageVersions, writeImageContext } from './image/image-context.ts';
import { defaultSandboxKind } from '../host/build-worker.ts';
import { projectRoot } from '../host/project-root.ts';

const images = dockerfiles();
const names = [...images.keys()].join(', ');
const defaultImage = defaultSandboxKind === 'sdk' ? sdkImage : 'base';

await runCommand({
  name: 'npm run image',
  about: 'Writes the build context of the Dockerfiles below container.',
  options: {
    build: {
      type: 'string',
      value: 'TAG',
      about: 'build an image as well, and run the smoke test in it',
    },
    image: {
      type: 'string',
      value: 'NAME',
      about: `the image to build (default: ${defaultImage}):\n${names}`,
    },
    pin: {
      type: 'boolean',
      about:
        'ask the registries for the digests of the images that the Dockerfiles\nstart from, and write them there',
    },
  },
  more: '--build and --pin need a container engine and a network.\nExit status: 0 done, 1 failed, 2 wrong usage.',
  run: async ({ values, say }) => {
    if (values.image !== undefined && values.build === undefined)
      throw new UsageProblem('--image belongs to --build.');
    const image = values.image ?? defaultImage;
    const dockerfile = images.get(image);
    if (dockerfile === undefined) throw new UsageProblem(`--image must be one of ${names}.`);
    if (values.pin === true) return pin([...images.values()]);
    say(`Written: ${await writeImageContext()}`);
    return values.build === undefined ? 0 : await build(values.build, image, dockerfile);
  },
});

function pin(paths: readonly string[]): number {
  const digests = new Map<string, string>();
  const files = paths.map((path) => ({ path, text: readFileSync(join(projectRoot, path), 'utf8') }));
  for (const { path, text } of files) {
    const bases = imageBases(text);
    if (bases === null) {
      console.error(`${path} has a FROM line of another form than FROM image:tag.`);
      return 1;
    }
    for (const { image } of bases) {
      if (digests.has(image)) continue;
      const digest = digestOf(image);
      if (digest === null) return 1;
      digests.set(image, digest);
    }
  }
  for (const { path, text } of files) {
    const written = pinned(text, digests);
    if (written !== null) writeFileSync(join(projectRoot, path), written);
  }
  for (const [image, digest] of digests) console.log(`${image} is pinned to ${digest}`);
  return 0;
}

/** Null, and a line for people, if the registry does not say. */
function digestOf(image: string): string | null {
  const format = '{{.Manifest.Digest}}';
  const asked = spawnSync('docker', ['buildx', 'imagetools', 'inspect', image, '--format', format], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  const digest = asked.stdout?.trim() ?? '';
  if (asked.status === 0 && /^sha256:[0-9a-f]{64}$/.test(digest)) return digest;
  console.error(
    `docker buildx imagetools inspect ${image} returned no digest: ` +
      (asked.error?.message ?? asked.stderr.trim().slice(0, 300)),
  );
  return null;
}

async function build(tag: string, image: string, dockerfile: string): Promise<number> {
  // Cloudflare runs amd64 images only.
  const built = docker(['build', '--platform', 'linux/amd64', '--file', dockerfile, '--tag', tag, '.']);
  if (built !== 0) return built;
  const { codex, node, sdk } = await imageVersions();
  const own = image === sdkImage ? ['--sdk', sdk] : ['--image', image];
  const options = ['--codex', codex, '--node', node, ...own];
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
