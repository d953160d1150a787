/**
 * A deployment in steps: everything that can be wrong is looked at before the upload, the upload is wrangler’s, and then the deployment
 * examines itself. Each failure is one line with the way out.
 */
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { z } from 'zod';
import type { Finding } from '../../src/doctor/check.ts';
import { instancesProblems } from './deployment-environments.ts';
import { checkoutWith } from '../doctor/checkout.ts';
import { examineDeployment } from '../doctor/examine-deployment.ts';
import { readConfig, StartProblem } from '../../host/environment.ts';
import { imageBase } from '../image/image-base.ts';
import { writeImageContext } from '../image/image-context.ts';
import { projectRoot } from '../../host/project-root.ts';
import { readWranglerConfig } from './read-wrangler-config.ts';
import { awaitDeployment } from './await-deployment.ts';
import {
  accountProblem,
  deployedAs,
  firstError,
  imageKind,
  needsDigest,
  secretsProblem,
  type Deployed,
} from './judge.ts';
import type { RunProgram } from './run-program.ts';
import { targetIn, type Target } from './target.ts';

export interface DeployOptions {
  readonly environment: string | null;
  readonly dryRun: boolean;
  /** A file of secrets that goes up with the Worker, as wrangler reads it; null without. */
  readonly secretsFile: string | null;
  /** The deployment’s address where wrangler does not say it; null: wrangler’s. */
  readonly url: string | null;
  /** As the deployment’s; null: not set here. */
  readonly apiToken: string | null;
  readonly run: RunProgram;
  readonly fetch: typeof fetch;
  readonly stop: AbortSignal;
  /** What has been done, a line each. */
  readonly progress: (line: string) => void;
  /** Where the deployment stands, so that whoever interrupts it can be told what has happened. */
  readonly entered: (stage: 'checks' | 'upload' | 'doctor') => void;
}

const bundleMs = 180_000;
/** An image may have to be built and pushed. */
const uploadMs = 30 * 60_000;
/** Until a new version is everywhere, and a new address has its certificate. */
const propagationMs = 90_000;
const askAgainMs = 2000;

/** The doctor’s findings; empty after a dry run. Throws `StartProblem` with the line to show. */
export async function deploy(options: DeployOptions): Promise<readonly Finding[]> {
  const { dryRun, run, progress, apiToken } = options;
  options.entered('checks');
  const wrangler = await readWranglerConfig();
  const target = targetIn(wrangler, options.environment);
  const configPath = join(projectRoot, 'airlock.config.jsonc');
  // Bundled with the Worker: AIRLOCK_CONFIG is a setting of one machine.
  const { text: configText, config } = await readConfig(configPath, 'airlock.config.jsonc');
  const [crowded] = instancesProblems(wrangler, config.slots.total);
  if (crowded !== undefined) throw new StartProblem(crowded);
  progress('✓ config    valid');
  const types = await run(['tsc', '-p', 'src', '--noEmit']);
  if (types.code !== 0)
    throw new StartProblem(`The types do not fit: ${firstError(types.output)}. npm test -- types shows all.`);
  progress('✓ types     fit');
  await checkGenerated(options);
  await bundle(target, options);
  if (!dryRun) {
    if (apiToken === null)
      throw new StartProblem(
        'API_TOKEN is missing here: set it to the deployment’s, in the environment or in .dev.vars; the doctor asks with it.',
      );
    await checkSecrets(target, config.slack !== null, options);
    progress('✓ secrets   set');
  }
  await checkImages(target, options);
  if (dryRun) {
    progress('Nothing was uploaded (--dry-run).');
    return [];
  }
  options.entered('upload');
  const { address, versionId } = await upload(target, options);
  const url = options.url ?? address;
  if (url === null)
    throw new StartProblem(
      'It is deployed, and wrangler names no address of it: run npm run doctor -- --url https://… yourself.',
    );
  progress(`✓ deployed  ${url}`);
  options.entered('doctor');
  const other = await awaitDeployment({
    url,
    versionId,
    apiToken,
    fetch: options.fetch,
    stop: options.stop,
    forMs: propagationMs,
    everyMs: askAgainMs,
    waiting: () => progress('Waiting until it answers …'),
  });
  if (other !== null)
    throw new StartProblem(
      `It is deployed as ${versionId}, and ${url} still answers as another deployment (${other}). See that the address leads to this Worker, then run npm run doctor -- --url ${url}`,
    );
  const checkout = checkoutWith(configText);
  return await examineDeployment({ url, apiToken, checkout, fetch: options.fetch });
}

/** An environment that is behind the top level of `wrangler.jsonc` would go up as it is, without the binding or the setting that it lacks. */
async function checkGenerated({ run, progress }: DeployOptions): Promise<void> {
  const compared = await run(['node', 'scripts/generate-environments.ts', '--check']);
  if (compared.code !== 0)
    throw new StartProblem(
      `What is generated from wrangler.jsonc is not what npm run generate writes: run it, and commit that. (${firstError(compared.output)})`,
    );
  progress('✓ generated up to date');
}

/** Always one of them: wrangler warns where a file has environments and none is named. */
const envArguments = ({ environment }: Target): string[] => ['--env', environment ?? ''];

async function bundle(target: Target, { run, progress }: DeployOptions): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'airlock-bundle-'));
  try {
    const argv = [
      'wrangler',
      'deploy',
      '--dry-run',
      '--containers-rollout',
      'none',
      '--outdir',
      folder,
      ...envArguments(target),
    ];
    const built = await run(argv, { timeoutMs: bundleMs });
    if (built.code !== 0) throw new StartProblem(`The Worker does not build: ${firstError(built.output)}`);
    const size = /gzip: ([\d.]+ [KM]iB)/.exec(built.output)?.[1];
    progress(`✓ bundle    ${size === undefined ? 'builds' : `${size} gzipped`}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function checkSecrets(target: Target, usesSlack: boolean, options: DeployOptions): Promise<void> {
  const listed = await options.run([
    'wrangler',
    'secret',
    'list',
    '--format',
    'json',
    ...envArguments(target),
  ]);
  const problem = secretsProblem({
    ...listed,
    given: [...target.vars, ...(await namesIn(options.secretsFile))],
    environmentFlag: target.environment === null ? '' : `--env ${target.environment} `,
    usesSlack,
  });
  if (problem !== null) throw new StartProblem(problem);
}

async function namesIn(file: string | null): Promise<readonly string[]> {
  if (file === null) return [];
  const text = await readFile(file, 'utf8').catch(() => {
    throw new StartProblem(`The file of secrets ${file} cannot be read.`);
  });
  if (!text.trimStart().startsWith('{')) return Object.keys(parseEnv(text));
  const parsed = z.record(z.string(), z.string()).safeParse(JSON.parse(text));
  if (!parsed.success) throw new StartProblem(`The file of secrets ${file} has to hold names and texts.`);
  return Object.keys(parsed.data);
}

async function checkImages(target: Target, { run, progress, dryRun }: DeployOptions): Promise<void> {
  for (const image of target.images.map(imageKind)) {
    if (image.kind === 'prebuilt') {
      progress(`✓ image     ${image.name}, built elsewhere`);
      continue;
    }
    if (!existsSync(resolve(projectRoot, image.path)))
      throw new StartProblem(`There is no ${image.path}, which wrangler.jsonc names as image.`);
    const base = imageBase(readFileSync(resolve(projectRoot, image.path), 'utf8'));
    if (base?.digest === null) {
      const unpinned = `${image.path} begins with ${base.image} without a digest`;
      if (needsDigest(target.environment, dryRun))
        throw new StartProblem(
          `${unpinned}, and production takes no image that its registry can exchange. npm run image -- --pin writes the digest: commit that, or name a prebuilt image in wrangler.jsonc.`,
        );
      progress(`! image     ${unpinned}: \`npm run image -- --pin\` writes it`);
    }
    await writeImageContext();
    if (dryRun) {
      progress(`✓ image     ${image.path}, not built in a dry run`);
      continue;
    }
    const engine = await run([process.env['WRANGLER_DOCKER_BIN'] ?? 'docker', 'info'], { timeoutMs: 20_000 });
    if (engine.code !== 0)
      throw new StartProblem(
        `${image.path} has to be built, and no container engine answers (docker info). Start one, let the workflow deploy.yml do it, or name a prebuilt image in wrangler.jsonc.`,
      );
    progress(`✓ image     ${image.path}, built with the upload`);
  }
}

async function upload(target: Target, options: DeployOptions): Promise<Deployed> {
  const folder = await mkdtemp(join(tmpdir(), 'airlock-deploy-'));
  const outputFile = join(folder, 'wrangler.ndjson');
  const secrets = options.secretsFile === null ? [] : ['--secrets-file', options.secretsFile];
  try {
    const { code, output } = await options.run(['wrangler', 'deploy', ...envArguments(target), ...secrets], {
      env: { WRANGLER_OUTPUT_FILE_PATH: outputFile },
      show: true,
      timeoutMs: uploadMs,
    });
    if (code !== 0)
      throw new StartProblem(
        accountProblem(output) ??
          `wrangler could not deploy: ${firstError(output)} What was deployed before goes on running, unless the log above says that the Worker was uploaded.`,
      );
    return deployedAs(await readFile(outputFile, 'utf8').catch(() => ''));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
