/** Searches a whole sandbox, and what the bot writes, while Codex works: no credential is there. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { splitBillPatch } from '../../cli/demo/demo-script.ts';
import { applyPatch, finish, shell } from '../../simulators/openai/script.ts';
import type { TaskSandbox } from '../../src/core/ports/sandbox-port.ts';
import { holders, needlesFor, search } from './find-secrets.ts';
import { privateRegistry, startPackageServer, type PackageServer } from './package-server.ts';
import {
  api,
  ask,
  startFlow,
  untilCommand,
  untilEnded,
  untilNothingIsLeft,
  type Asked,
  type FlowWorld,
} from './ask.ts';

const letGo = '/tmp/let-go';

describe('the secrets outside the sandbox', () => {
  const startedAt = Date.now();
  const npm = 'npm.example.com';
  const registry = { host: npm, scheme: 'bearer', secret: 'NPM_TOKEN', pathPrefix: '/private' };
  const run = `curl -fsS https://${npm}/private/cents.js -o cents.js; curl -sv https://${npm}/private/echo -o echo; true`;
  let server: PackageServer;
  let flow: FlowWorld;
  let asked: Asked;
  let sandbox: TaskSandbox;

  beforeAll(async () => {
    server = await startPackageServer();
    flow = await startFlow({
      standIns: { [npm]: server.origin },
      registrySecrets: { NPM_TOKEN: privateRegistry.token },
      configText: JSON.stringify({
        repositories: { 'acme/split-bill': { setup: { run, registries: [registry] } } },
      }),
      script: [
        shell(`git fetch --quiet origin && until [ -e ${letGo} ]; do sleep 0.1; done`),
        applyPatch(splitBillPatch),
        finish({ title: 'Hand out every cent', summary: 'Counts in whole cents.' }),
      ],
    });
    asked = await ask(flow.world, '@airlock fix the rounding');
    await untilCommand(flow.world, asked.taskId, letGo);
    const [sandboxId = ''] = flow.world.bot.sandboxes();
    sandbox = flow.world.bot.sandboxOf(sandboxId);
  });
  afterAll(async () => {
    await flow.close();
    await server.close();
  });

  it('would be found in a file, a hidden file of the clone, an environment or a command line', async () => {
    const marker = `planted-${crypto.randomUUID()}`;
    await sandbox.writeFile('/tmp/deep/down/planted', `before ${marker} after`);
    await sandbox.exec(
      { argv: ['git', 'config', 'airlock.planted', marker], cwd: '/workspace/repo' },
      { timeoutMs: 60_000, maxOutputBytes: 1000 },
    );
    // Runs of their own, as an `exec` takes its children with it.
    await sandbox.startRun('planted-environment', { argv: ['sleep', '3600'], env: { PLANTED: marker } });
    await sandbox.startRun('planted-command-line', { argv: ['sh', '-c', 'sleep 3600; true', marker] });
    const { found } = await search(sandbox, [{ name: 'marker', text: marker }], startedAt);
    const where = found.map((hit) => hit.where);
    expect(where).toContain('/tmp/deep/down/planted');
    expect(where).toContain('/workspace/repo/.git/config');
    expect(where).toContainEqual(expect.stringMatching(/^\/proc\/\d+\/environ$/));
    expect(where).toContainEqual(expect.stringMatching(/^\/proc\/\d+\/cmdline$/));
  });

  it('are not inside, while Codex works', async () => {
    const { github } = flow.world;
    // The premise: tokens were minted for this sandbox's clone and fetch, and Codex has called the model.
    expect(github.issuedTokens().some(({ permissions }) => permissions['contents'] === 'read')).toBe(true);
    expect(flow.world.openai?.requests().length).toBeGreaterThan(0);
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(
      Array.from({ length: 2 }, () => `Bearer ${privateRegistry.token}`),
    );
    const needles = needlesFor(flow.world.secrets());
    const { found, files, unreadable, programs } = await search(sandbox, needles, startedAt);
    expect(found).toEqual([]);
    // The search covered the running programs and the files.
    expect(programs).toEqual(expect.arrayContaining(['codex', 'sleep']));
    expect(files).toBeGreaterThan(30);
    expect(unreadable.filter((path) => !path.startsWith('/usr/'))).toEqual([]);
  });

  it('were looked for in all that is written about the run', async () => {
    const limits = { timeoutMs: 60_000, maxOutputBytes: 10_000 };
    const { stdout } = await sandbox.exec(
      { argv: ['find', '/home/codex/.codex/sessions', '-name', 'rollout-*'] },
      limits,
    );
    const paths = [
      stdout.trim(),
      '/run/airlock/runs/codex/output',
      '/run/airlock/codex/job.json',
      '/home/codex/.codex/config.toml',
      '/workspace/repo/.git/config',
    ];
    const beginnings = await Promise.all(
      paths.map(async (path) => {
        const read = await sandbox.readFile(path, { offset: 0, maxBytes: 60 });
        return { name: path, text: new TextDecoder().decode(read?.bytes).split('\n')[0] ?? '' };
      }),
    );
    expect(beginnings.filter(({ text }) => text === '')).toEqual([]);
    const { found } = await search(sandbox, beginnings, startedAt);
    for (const path of paths) expect(found).toContainEqual({ name: path, where: path });
  });

  it('are not in git’s remotes or its answers', async () => {
    const limits = { timeoutMs: 60_000, maxOutputBytes: 100_000 };
    const answers = await Promise.all(
      [
        ['git', 'remote', '-v'],
        ['git', 'config', '--list', '--show-origin'],
        ['git', '-c', 'http.followRedirects=true', 'ls-remote', 'https://github.com/acme/split-bill.git'],
        [
          'curl',
          '-sv',
          '-m',
          '5',
          'https://github.com/acme/split-bill.git/info/refs?service=git-upload-pack',
        ],
        ['curl', '-sv', '-m', '5', 'https://api.openai.com/v1/models'],
        ['curl', '-sv', '-m', '5', '-X', 'POST', '-d', '{}', 'https://api.openai.com/v1/responses'],
        ['curl', '-sv', '-m', '5', 'https://api.github.com/'],
      ].map(
        async (argv) =>
          await sandbox.exec(
            { argv, cwd: '/workspace/repo', env: { GIT_CURL_VERBOSE: '1', GIT_TRACE_CURL: '1' } },
            limits,
          ),
      ),
    );
    const text = answers.map(({ stdout, stderr }) => stdout + stderr).join('\n');
    expect(text).toContain('refs/heads/main');
    expect(needlesFor(flow.world.secrets()).filter((needle) => text.includes(needle.text))).toEqual([]);
  });

  it('are not in the task’s record, the log, or the state on disk', async () => {
    await sandbox.writeFile(letGo, '');
    expect((await untilEnded(flow.world, asked.taskId)).outcome).toMatchObject({ kind: 'pull-request' });
    await untilNothingIsLeft(flow);
    const needles = needlesFor(flow.world.secrets());
    const record = await Promise.all(
      ['', '/events', '/change'].map(
        async (part) => await (await api(flow.world, `/api/tasks/${asked.taskId}${part}`)).text(),
      ),
    );
    expect(record.every((text) => text.includes('split'))).toBe(true);
    const written = [...record, ...flow.logText].join('\n');
    expect(needles.filter(({ text }) => written.includes(text)).map(({ name }) => name)).toEqual([]);
    const state = join(flow.stateDir, 'bot');
    // The premise: what the bot keeps is in these files, readable as it is.
    expect(await holders(state, [{ name: 'the task', text: asked.taskId }])).not.toEqual([]);
    expect(await holders(state, needles)).toEqual([]);
  });
});
