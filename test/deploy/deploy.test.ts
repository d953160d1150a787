/**
 * Runs `npm run deploy` as a program with scripted wrangler, compiler and engine. `.ci/run` makes a dry run
 * with the real ones.
 */
import { spawn } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { imageBases } from '../../cli/image/image-base.ts';
import { defaultSandboxKind } from '../../host/build-worker.ts';
import { projectRoot } from '../../host/project-root.ts';
import type { Finding } from '../../src/core/finding.ts';
import { airlockVersion } from '../../src/version.ts';
import { runMark } from '../run/run-mark.ts';
import { listen } from '../sandbox/local-subject.ts';

type Planned = {
  code?: number;
  stdout?: string;
  stderr?: string;
  targets?: string[];
  versionId?: string;
  hangs?: boolean;
};
type Plan = Partial<Record<'tsc' | 'node' | 'bundle' | 'secrets' | 'upload' | 'docker', Planned>>;

const every = [
  'GITHUB_APP_ID',
  'GITHUB_APP_PRIVATE_KEY',
  'GITHUB_WEBHOOK_SECRET',
  'OPENAI_API_KEY',
  'API_TOKEN',
];
const list = (names: readonly string[]): Planned => ({
  stdout: JSON.stringify(
    names.map((name) => ({ name, type: 'secret_text' })),
    null,
    2,
  ),
});
const wranglerError = (text: string): Planned => ({ code: 1, stderr: `\n✘ [ERROR] ${text}\n\n` });
const bundled: Planned = {
  stdout: 'Total Upload: 1700.00 KiB / gzip: 324.11 KiB\n--dry-run: exiting now.\n',
};
const healthy: Plan = {
  bundle: bundled,
  secrets: list(every),
  upload: { targets: ['https://airlock.example.workers.dev'] },
};

let folder = '';
let deployment: Awaited<ReturnType<typeof listen>>;
/** The doctor's finding that the deployment reports. */
/** Ids of the deployments that answer, in order; the last one repeats. */
let deploymentIds: string[] = [];
/** Bodies of the requests to the deployment. */
let asked: string[] = [];
let finding: Finding = { id: 'github.app', status: 'ok', found: 'fine', todo: null, ms: 1 };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'airlock-deploy-test-'));
  await mkdir(join(folder, 'bin'));
  for (const program of ['wrangler', 'tsc', 'node', 'docker']) {
    await copyFile(join(import.meta.dirname, 'stub-program.sh'), join(folder, 'bin', program));
    await chmod(join(folder, 'bin', program), 0o755);
  }
  deployment = await listen((request, response) => {
    response.setHeader('content-type', 'application/json');
    if (request.url === '/healthz')
      return void response.end(JSON.stringify({ ok: true, version: airlockVersion }));
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      asked.push(body);
      const [deploymentId = null] = deploymentIds;
      if (deploymentIds.length > 1) deploymentIds.shift();
      response.end(
        JSON.stringify({ version: airlockVersion, configHash: 'another', deploymentId, findings: [finding] }),
      );
    });
    return undefined;
  });
});
afterAll(async () => {
  deployment.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  deploymentIds = [];
  asked = [];
  finding = { id: 'github.app', status: 'ok', found: 'fine', todo: null, ms: 1 };
});

/** Where compiled modules are cached, and the mark by which a killed test run ends its programs. */
const inherited = Object.fromEntries(
  ['NODE_COMPILE_CACHE', runMark].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  }),
);

interface Run {
  readonly code: number | null;
  readonly output: string;
  readonly calls: readonly string[][];
}

async function run(
  plan: Plan,
  args: readonly string[] = [],
  options: { env?: Record<string, string>; interruptAt?: string } = {},
): Promise<Run> {
  const calls = join(folder, 'calls');
  await writePlan(plan);
  await writeFile(calls, '');
  const bin = join(projectRoot, 'node_modules/.bin');
  const child = spawn(process.execPath, [join(projectRoot, 'cli/deploy.ts'), ...args], {
    cwd: projectRoot,
    env: {
      PATH: `${join(folder, 'bin')}:${bin}:${process.env['PATH'] ?? ''}`,
      HOME: folder,
      NO_COLOR: '1',
      ...inherited,
      STUB_PLAN: join(folder, 'plan'),
      STUB_CALLS: calls,
      API_TOKEN: 'a-token-of-the-deployment',
      ...options.env,
    },
  });
  let output = '';
  let interrupted = false;
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (options.interruptAt === undefined || interrupted || !output.includes(options.interruptAt)) return;
      interrupted = true;
      child.kill('SIGINT');
    });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const lines = (await readFile(calls, 'utf8')).split('\n').filter((line) => line !== '');
  return { code, output, calls: lines.map((line) => line.split('\x1f').slice(0, -1)) };
}

/** In the form that `stub-program.sh` describes. */
async function writePlan(plan: Plan): Promise<void> {
  await rm(join(folder, 'plan'), { recursive: true, force: true });
  for (const [name, { code, stdout, stderr, targets, versionId, hangs }] of Object.entries(plan)) {
    const session = { type: 'wrangler-session', version: 1 };
    const deployed = { type: 'deploy', version: 1, worker_name: 'airlock', version_id: versionId, targets };
    const files = {
      code: code?.toString(),
      stdout,
      stderr,
      lines: targets && [session, deployed].map((line) => `${JSON.stringify(line)}\n`).join(''),
      hangs: hangs === true ? '' : undefined,
    };
    await mkdir(join(folder, 'plan', name), { recursive: true });
    for (const [file, text] of Object.entries(files))
      if (text !== undefined) await writeFile(join(folder, 'plan', name, file), text);
  }
}

/** The arguments by which wrangler uploads the build as it is. */
const asBuilt = [expect.stringMatching(/\/index\.js$/), '--no-bundle', '--minify=false'];

const uploads = ({ calls }: Run): readonly string[][] =>
  calls.filter(
    ([program, command, ...rest]) =>
      program === 'wrangler' && command === 'deploy' && !rest.includes('--dry-run'),
  );

describe('npm run deploy', () => {
  it('checks, uploads, and runs the doctor of the deployment', async () => {
    const done = await run(healthy, ['--url', deployment.origin]);
    expect(uploads(done)).toEqual([['wrangler', 'deploy', ...asBuilt, '--env', '']]);
    expect(done.output).toMatch(/✓ secrets {3}set\n/);
    expect(done.output).toMatch(/✓ github\.app +fine/);
    expect(done.output).toMatch(/Nothing is broken/);
    expect(done.code).toBe(0);
  });

  it('uses the named environment for bundle, secrets and upload', async () => {
    const done = await run(healthy, ['--env', 'staging', '--url', deployment.origin]);
    expect(done.code).toBe(0);
    const named = done.calls
      .filter(([program]) => program === 'wrangler')
      .map((args) => args[args.indexOf('--env') + 1]);
    expect(named).toEqual(['staging', 'staging', 'staging']);
  });

  // The kinds of `wrangler.jsonc` here are the default's.
  it.each([
    ['native', []],
    ['sdk', []],
    ['native', ['--dry-run']],
  ])('checks the other kind of sandbox, %s, before it writes the choice %j', async (kind, more) => {
    const changes = kind !== defaultSandboxKind && more.length === 0;
    const args = ['--env', 'staging', '--sandbox', kind, '--url', deployment.origin, ...more];
    const done = await run(healthy, args);
    expect(done.code).toBe(0);
    const writes = done.calls.filter((call) => call.includes('--sandbox'));
    const generate = ['node', 'scripts/generate-environments.ts', '--sandbox', kind, '--env', 'staging'];
    expect(writes).toEqual(changes ? [generate] : []);
    const [bundle = []] = done.calls.filter((call) => call.includes('--dry-run'));
    expect(bundle.includes('--config')).toBe(kind !== defaultSandboxKind);
    expect(uploads(done)).toEqual(
      more.length > 0 ? [] : [['wrangler', 'deploy', ...asBuilt, '--env', 'staging']],
    );
    expect(done.output.includes('written to wrangler.jsonc: commit it')).toBe(changes);
  });

  it('waits for the uploaded version while the previous deployment still answers', async () => {
    deploymentIds = ['the-one-before', 'the-new-one'];
    const done = await run({ ...healthy, upload: { targets: [], versionId: 'the-new-one' } }, [
      '--url',
      deployment.origin,
    ]);
    expect(asked).toEqual([
      '{"only":"version"}',
      '{"only":"version"}',
      JSON.stringify({ url: deployment.origin }),
    ]);
    expect(done.output).toMatch(/Waiting for the new version to answer/);
    expect(done.code).toBe(0);
  });

  it('checks the generated files before the upload', async () => {
    const { calls } = await run(healthy, ['--url', deployment.origin]);
    expect(calls).toContainEqual(['node', 'scripts/generate-environments.ts', '--check']);
  });

  it('deploys to production only if the base image has a digest', async () => {
    const dockerfile = await readFile(join(projectRoot, 'container/Dockerfile'), 'utf8');
    const done = await run(healthy, ['--env', 'production', '--url', deployment.origin]);
    const isPinned = imageBases(dockerfile)?.every(({ digest }) => digest !== null) === true;
    expect(uploads(done)).toEqual(
      isPinned ? [['wrangler', 'deploy', ...asBuilt, '--env', 'production']] : [],
    );
    expect(done.output).toMatch(
      isPinned
        ? /Nothing is broken/
        : /✗ .*without a digest, .*npm run image -- --pin and commit the digests/,
    );
  });

  it('fails with the doctor’s finding if the deployment is broken', async () => {
    finding = {
      id: 'github.app',
      status: 'fail',
      found: 'no key of the App 1',
      todo: 'Generate one.',
      ms: 1,
    };
    const done = await run(healthy, ['--url', deployment.origin]);
    expect(done.output).toMatch(/✗ github\.app +no key of the App 1 → Generate one\./);
    expect(done.code).toBe(1);
  });

  it.each<[string, Plan, readonly string[], Record<string, string>, RegExp]>([
    ['an unknown environment', healthy, ['--env', 'nowhere'], {}, /no environment "nowhere"/],
    [
      'a failing type check',
      { ...healthy, tsc: { code: 2, stdout: 'src/a.ts(1,2): error TS2322: no.' } },
      [],
      {},
      /Type check failed: src\/a\.ts\(1,2\): error TS2322/,
    ],
    [
      'environments that do not match the top level',
      {
        ...healthy,
        node: {
          code: 1,
          stderr: 'the environments of wrangler.jsonc do not match its top level: run `npm run generate`\n',
        },
      },
      [],
      {},
      /out of date\. Run npm run generate .*the environments of wrangler\.jsonc do not match its top level/,
    ],
    [
      'a Worker that does not build',
      { ...healthy, bundle: wranglerError('Build failed with 1 error:') },
      [],
      {},
      /does not build: Build failed/,
    ],
    ['a missing API token', healthy, [], { API_TOKEN: '' }, /API_TOKEN is missing here/],
    [
      'missing secrets',
      { ...healthy, secrets: list(every.slice(2)) },
      [],
      {},
      /Secrets are missing: GITHUB_APP_ID, GITHUB_APP_PRIVATE_KEY\. Set each: npx wrangler secret put NAME/,
    ],
    [
      'one of Slack’s two secrets',
      { ...healthy, secrets: list([...every, 'SLACK_BOT_TOKEN']) },
      [],
      {},
      /only SLACK_BOT_TOKEN is set/,
    ],
    [
      'Slack’s secrets without a workspace',
      { ...healthy, secrets: list([...every, 'SLACK_BOT_TOKEN', 'SLACK_SIGNING_SECRET']) },
      [],
      {},
      /names no workspace/,
    ],
    [
      'a new Worker without a file of secrets',
      {
        ...healthy,
        secrets: wranglerError(
          'A request to the Cloudflare API failed.\n\n  This Worker does not exist on your account. [code: 10007]',
        ),
      },
      [],
      {},
      /This Worker is new: .*--secrets-file FILE/,
    ],
    [
      'a missing login',
      {
        ...healthy,
        secrets: wranglerError(
          "In a non-interactive environment, it's necessary to set a CLOUDFLARE_API_TOKEN environment variable for wrangler to work.",
        ),
      },
      [],
      {},
      /npx wrangler login/,
    ],
    [
      'a token that Cloudflare refuses',
      {
        ...healthy,
        secrets: wranglerError(
          'A request to the Cloudflare API failed.\n\n  Authentication error [code: 10000]',
        ),
      },
      [],
      {},
      /refuses this CLOUDFLARE_API_TOKEN/,
    ],
    [
      'several accounts',
      {
        ...healthy,
        secrets: wranglerError(
          'More than one account available but unable to select one in non-interactive mode.',
        ),
      },
      [],
      {},
      /CLOUDFLARE_ACCOUNT_ID/,
    ],
    [
      'no container engine',
      { ...healthy, docker: { code: 1, stderr: 'Cannot connect to the Docker daemon' } },
      [],
      {},
      /no container engine answers/,
    ],
    ['a missing secrets file', healthy, ['--secrets-file', '/nowhere'], {}, /\/nowhere cannot be read/],
  ])('stops before the upload for %s', async (_, plan, args, env, line) => {
    const done = await run(plan, args, { env });
    const failures = done.output.split('\n').filter((one) => one.startsWith('✗'));
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatch(line);
    expect(done.code).toBe(1);
    expect(uploads(done)).toEqual([]);
  });

  it('uploads the secrets of a new Worker from a file without printing one', async () => {
    const file = join(folder, 'secrets');
    await writeFile(file, every.map((name) => `${name}=secret-value-of-it`).join('\n'));
    const isNew = wranglerError('This Worker does not exist on your account. [code: 10007]');
    const done = await run({ ...healthy, secrets: isNew }, [
      '--secrets-file',
      file,
      '--url',
      deployment.origin,
    ]);
    expect(done.code).toBe(0);
    expect(done.output).not.toContain('secret-value-of-it');
  });

  it('reports a failed upload and which version keeps running', async () => {
    const done = await run({ ...healthy, upload: wranglerError('The container image could not be pushed.') });
    expect(done.output).toMatch(
      /✗ wrangler could not deploy: The container image could not be pushed\. The previous deployment keeps/,
    );
    expect(done.code).toBe(1);
  });

  it('reports the deployment if wrangler prints no address', async () => {
    const done = await run({ ...healthy, upload: { targets: ['schedule: */5 * * * *'] } });
    expect(done.output).toMatch(/✗ Deployed, but wrangler printed no address/);
  });

  it.each([
    ['secrets', 'Interrupted: nothing was changed.'],
    ['upload', 'Interrupted during the upload:'],
  ] as const)('reports the state after Ctrl-C during %s', async (stage, message) => {
    const done = await run({ ...healthy, [stage]: { hangs: true } }, [], {
      interruptAt: stage === 'upload' ? 'hanging' : '✓ bundle',
    });
    expect(done.output).toContain(message);
    expect(done.code).toBe(130);
  });

  it.each([
    [['--help'], 0, /--dry-run/],
    [['--nonsense'], 2, /--nonsense/],
    [['--sandbox', 'docker'], 2, /--sandbox must be native .* or sdk/],
  ])('answers %j', async (args, code, text) => {
    const done = await run(healthy, args);
    expect(done.code).toBe(code);
    expect(done.output).toMatch(text);
    expect(done.calls).toEqual([]);
  });
});
