/** Checks everything, uploads with wrangler, lets the deployment run its doctor. A failure is one line. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { z } from 'zod';
import { machineNames } from '../../src/config/resolve-repository.ts';
import type { Finding } from '../../src/core/finding.ts';
import { withConfigFile } from './config-file.ts';
import { generated, imagesProblems, instancesProblems } from './deployment-environments.ts';
import { checkoutWith } from '../doctor/checkout.ts';
import { examineDeployment } from '../doctor/examine-deployment.ts';
import { buildWorker, uploadArguments, type SandboxKind } from '../../host/build-worker.ts';
import { readConfig, StartProblem } from '../../host/environment.ts';
import { imageBases } from '../image/image-base.ts';
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
  /** What runs the sandboxes; null: as `wrangler.jsonc` says. */
  readonly sandbox: SandboxKind | null;
  readonly dryRun: boolean;
  /** File of secrets to upload with the Worker, in wrangler’s format; null for none. */
  readonly secretsFile: string | null;
  /** Address of the deployment; null: the one that wrangler prints. */
  readonly url: string | null;
  /** The deployment’s API token; null if it is not set here. */
  readonly apiToken: string | null;
  readonly run: RunProgram;
  readonly fetch: typeof fetch;
  readonly stop: AbortSignal;
  /** Receives a line for each completed check. */
  readonly progress: (line: string) => void;
  /** Called at the start of each stage, so that an interruption can report the state. */
  readonly onStage: (stage: 'checks' | 'upload' | 'doctor') => void;
}

const bundleMs = 180_000;
/** Includes building and pushing an image. */
const uploadMs = 30 * 60_000;
/** Time for a new version to reach all locations, and for a new address to get its certificate. */
const propagationMs = 90_000;
const askAgainMs = 2000;

/** The doctor’s findings; none after a dry run. Rejects with `StartProblem`, one line for people. */
export async function deploy(options: DeployOptions): Promise<readonly Finding[]> {
  const { dryRun, run, progress, apiToken } = options;
  options.onStage('checks');
  const present = await readWranglerConfig();
  const { sandbox } = targetIn(present, options.environment);
  const kind = options.sandbox ?? sandbox;
  const wrangler =
    kind === sandbox ? present : generated(present, { environment: options.environment, kind });
  const target = targetIn(wrangler, options.environment);
  const configPath = join(projectRoot, 'airlock.config.jsonc');
  // Always this file, which is bundled with the Worker. AIRLOCK_CONFIG applies to one machine only.
  const { text: configText, config } = await readConfig(configPath, 'airlock.config.jsonc');
  const [unfit] = [
    ...instancesProblems(wrangler, config.slots.total),
    ...imagesProblems(wrangler, machineNames(config).images),
  ];
  if (unfit !== undefined) throw new StartProblem(unfit);
  progress('✓ config    valid');
  const types = await run(['tsc', '-p', 'src', '--noEmit']);
  if (types.code !== 0)
    throw new StartProblem(
      `Type check failed: ${firstError(types.output)}. Run npm test -- types to see all errors.`,
    );
  progress('✓ types     correct');
  await checkGenerated(options);
  const built = await buildWorker(() => undefined, kind).catch((error: unknown) => {
    throw new StartProblem(error instanceof Error ? error.message : String(error));
  });
  const upload = uploadArguments(built);
  await withConfigFile(wrangler === present ? null : wrangler, async (file) => {
    await measureUpload([...upload, ...file], target, options);
  });
  if (!dryRun) {
    if (apiToken === null)
      throw new StartProblem(
        'API_TOKEN is missing here, and the doctor needs it. ' +
          'Set it to the deployment’s, in the environment or in .dev.vars.',
      );
    await checkSecrets(target, config.slack !== null, options);
    progress('✓ secrets   set');
  }
  await checkImages(target, options);
  if (dryRun) {
    progress('Nothing was uploaded (--dry-run).');
    return [];
  }
  if (kind !== sandbox) await writeChoice(target, kind, options);
  options.onStage('upload');
  const { address, versionId } = await uploadWorker(upload, target, options);
  const url = options.url ?? address;
  if (url === null)
    throw new StartProblem(
      'Deployed, but wrangler printed no address. To check it: npm run doctor -- --url https://…',
    );
  progress(`✓ deployed  ${url}`);
  options.onStage('doctor');
  const other = await awaitDeployment({
    url,
    versionId,
    apiToken,
    fetch: options.fetch,
    stop: options.stop,
    forMs: propagationMs,
    everyMs: askAgainMs,
    waiting: () => progress('Waiting for the new version to answer …'),
  });
  if (other !== null)
    throw new StartProblem(
      `Deployed as version ${versionId}, but another deployment (${other}) still answers at ${url}. ` +
        `Check that the address leads to this Worker, then run npm run doctor -- --url ${url}`,
    );
  const checkout = checkoutWith(configText);
  return await examineDeployment({ url, apiToken, checkout, fetch: options.fetch });
}

/** An older environment of `wrangler.jsonc` would be deployed without new bindings or settings. */
async function checkGenerated({ run, progress }: DeployOptions): Promise<void> {
  const check = await run(['node', 'scripts/generate-environments.ts', '--check']);
  if (check.code !== 0)
    throw new StartProblem(
      'Generated files are out of date. Run npm run generate and commit the result. ' +
        `(${firstError(check.output)})`,
    );
  progress('✓ generated up to date');
}

/** The other kind cannot be deployed in its place later: see “Moving a deployment” in docs/operations.md. */
async function writeChoice(
  { environment }: Target,
  kind: SandboxKind,
  { run, progress }: DeployOptions,
): Promise<void> {
  const where = environment === null ? [] : ['--env', environment];
  const written = await run(['node', 'scripts/generate-environments.ts', '--sandbox', kind, ...where]);
  if (written.code !== 0)
    throw new StartProblem(
      `The choice could not be written to wrangler.jsonc: ${firstError(written.output)}`,
    );
  progress(`✓ sandbox   ${kind}, written to wrangler.jsonc: commit it`);
}

/** Always names an environment: wrangler warns if a file has environments and none is named. */
const envArguments = ({ environment }: Target): string[] => ['--env', environment ?? ''];

/** Lets wrangler check what it would upload. */
async function measureUpload(
  upload: readonly string[],
  target: Target,
  { run, progress }: DeployOptions,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'airlock-bundle-'));
  try {
    const argv = [
      'wrangler',
      'deploy',
      ...upload,
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
    throw new StartProblem(`The secrets file ${file} cannot be read. Check the path after --secrets-file.`);
  });
  if (!text.trimStart().startsWith('{')) return Object.keys(parseEnv(text));
  const parsed = z.record(z.string(), z.string()).safeParse(JSON.parse(text));
  if (!parsed.success)
    throw new StartProblem(`The secrets file ${file} must contain names and string values.`);
  return Object.keys(parsed.data);
}

async function checkImages(target: Target, { run, progress, dryRun }: DeployOptions): Promise<void> {
  for (const image of target.images.map(imageKind)) {
    if (image.kind === 'prebuilt') {
      progress(`✓ image     ${image.name}, built elsewhere`);
      continue;
    }
    if (!existsSync(resolve(projectRoot, image.path)))
      throw new StartProblem(`${image.path} does not exist, but wrangler.jsonc names it as the image.`);
    const bases = imageBases(readFileSync(resolve(projectRoot, image.path), 'utf8')) ?? [];
    const loose = [...new Set(bases.flatMap((base) => (base.digest === null ? base.image : [])))];
    if (loose.length > 0) {
      const unpinned = `${image.path} starts from ${loose.join(', ')} without a digest`;
      if (needsDigest(target.environment, dryRun))
        throw new StartProblem(
          `${unpinned}, so the registry could replace it; production does not allow that. ` +
            'Run npm run image -- --pin and commit the digests, or name a prebuilt image in wrangler.jsonc.',
        );
      progress(`! image     ${unpinned}: add it with \`npm run image -- --pin\``);
    }
    await writeImageContext();
    if (dryRun) {
      progress(`✓ image     ${image.path}, not built in a dry run`);
      continue;
    }
    const engine = await run([process.env['WRANGLER_DOCKER_BIN'] ?? 'docker', 'info'], { timeoutMs: 20_000 });
    if (engine.code !== 0)
      throw new StartProblem(
        `${image.path} has to be built, but no container engine answers (docker info). ` +
          'Start one, deploy with the workflow deploy.yml, or name a prebuilt image in wrangler.jsonc.',
      );
    progress(`✓ image     ${image.path}, built during the upload`);
  }
}

async function uploadWorker(
  upload: readonly string[],
  target: Target,
  options: DeployOptions,
): Promise<Deployed> {
  const folder = await mkdtemp(join(tmpdir(), 'airlock-deploy-'));
  const outputFile = join(folder, 'wrangler.ndjson');
  const secrets = options.secretsFile === null ? [] : ['--secrets-file', options.secretsFile];
  try {
    const { code, output } = await options.run(
      ['wrangler', 'deploy', ...upload, ...envArguments(target), ...secrets],
      {
        env: { WRANGLER_OUTPUT_FILE_PATH: outputFile },
        show: true,
        timeoutMs: uploadMs,
      },
    );
    if (code !== 0)
      throw new StartProblem(
        accountProblem(output) ??
          `wrangler could not deploy: ${firstError(output)} ` +
            'The previous deployment keeps running, unless the log above says that the Worker was uploaded.',
      );
    return deployedAs(await readFile(outputFile, 'utf8').catch(() => ''));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
