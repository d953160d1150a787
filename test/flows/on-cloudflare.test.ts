/**
 * Runs whole tasks on production's code path: the deployed bundle in workerd, the SDK, and the real Codex
 * with the task scripts. Only engine, image server and interceptor are fakes (`test/fake-engine`).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runPrograms } from '../../cli/deploy/run-program.ts';
import { askDoctor } from '../../cli/doctor/ask-worker.ts';
import { deployedSandboxes } from '../../cli/doctor/deployed-sandboxes.ts';
import { examineDeeply } from '../../cli/doctor/examine-deeply.ts';
import { runContract } from '../../cli/doctor/run-contract.ts';
import { SandboxLostError } from '../../src/core/ports/sandbox-port.ts';
import { plantedInstruction, splitBillFiles, splitBillIssue } from '../../cli/demo/split-bill.ts';
import type { PullView } from '../../simulators/github/contract.ts';
import { demoScript, splitBillPatch } from '../../cli/demo/demo-script.ts';
import { applyPatch, finish, shell, type Script } from '../../simulators/openai/script.ts';
import { createCertificateAuthority } from '../../host/sandbox/certificate-authority.ts';
import type { TaskView } from '../../src/core/task-view.ts';
import { scheduledPath, startCloudflareBot } from '../cloudflare/cloudflare-bot.ts';
import { startEngine, type FakeEngine } from '../fake-engine/engine.ts';
import {
  ask,
  askOn,
  botComments,
  follow,
  scriptsByName,
  splitBill,
  startFlow,
  until,
  untilCommand,
  untilEnded,
  type FlowWorld,
} from './ask.ts';
import { smallSpec } from '../sandbox/contract-spec.ts';
import { cloneBranch } from './clone-branch.ts';
import { killWorkerd } from '../../chaos/workerd-process.ts';
import { sandboxKinds } from '../../host/build-worker.ts';
import { container } from '../../probes/groups/container.ts';
import { hijackedModel, startHijacked } from '../../probes/hijacked-task.ts';
import { whyNotShown } from '../../probes/in-container.ts';
import { exemplaryPlace } from '../../probes/place.ts';
import { planFor } from '../../probes/planning.ts';
import { resultOf, type Result } from '../../probes/result.ts';
import { runInside } from '../../probes/run-inside.ts';

const answer = finish({ title: 'Hand out every cent', summary: 'Counts in whole cents.' });
const named = scriptsByName({
  slow: [
    ...['first', 'second', 'third'].map((word) => shell(`sleep 1.5; echo ${word}`)),
    applyPatch(splitBillPatch),
    answer,
  ],
  long: [shell('echo begun; sleep 3600'), answer],
  mend: [applyPatch(splitBillPatch), answer],
});

/** Does nothing when the package is there. Random, so that its origin shows, and of several parts. */
const install =
  'test -f node_modules/cents || { mkdir -p node_modules && head -c 3000000 /dev/urandom > node_modules/cents; }; sha256sum < node_modules/cents';

const deep = [
  shell('sleep 3; date -u'),
  applyPatch('*** Begin Patch\n*** Add File: airlock-check.md\n+A date.\n*** End Patch'),
  finish({ title: 'Write the date down', summary: 'Added airlock-check.md.' }),
];

const hijacked = hijackedModel({ attack: [] });

/** Tasks that name a script get it; the others the demo's, which also does what is planted in the issue. */
const script: Script = (task) => {
  if (task.prompt.includes('[attack]')) return typeof hijacked === 'function' ? hijacked(task) : hijacked;
  if (task.prompt.includes('airlock-check.md')) return deep;
  const chosen = /\[\w+\]/.test(task.prompt) ? named : demoScript;
  return typeof chosen === 'function' ? chosen(task) : chosen;
};

describe.each(sandboxKinds)('on Cloudflare, in containers of the %s class', (kind) => {
  /** Both classes have one adapter, so `npm test` runs a part for the older one; `.ci/run` runs the rest. */
  const isWhole = kind === 'native' || process.env['AIRLOCK_FULL_TESTS'] === '1';
  let engine: FakeEngine;
  let flow: FlowWorld;

  beforeAll(async () => {
    engine = await startEngine({ authority: await createCertificateAuthority(Date.now()) });
    flow = await startFlow({
      configText: JSON.stringify({
        repositories: { 'acme/*': {}, 'acme/installs': { setup: { run: install } } },
      }),
      script,
      startBot: async (options) => await startCloudflareBot(options, engine, { kind, withDoor: true }),
    });
  });
  afterAll(async () => {
    await flow.close();
    await engine.close();
  });

  const untilNoContainer = async () =>
    await until('every container ended', () => engine.running().length === 0);

  async function newRepository(name: string, more: Readonly<Record<string, string>> = {}) {
    return await flow.world.github.createRepository({
      owner: 'acme',
      name,
      files: { ...splitBillFiles, ...more },
      collaborators: [{ login: 'maria', permission: 'write' }],
    });
  }

  describe('a mention in an issue that holds a planted instruction', () => {
    let view: TaskView;
    let pull: PullView;
    let issue: number;

    beforeAll(async () => {
      const { github } = flow.world;
      const { title, body } = splitBillIssue;
      ({ number: issue } = await github.openIssue({
        ...splitBill,
        author: 'maria',
        title,
        body: `${body}${plantedInstruction}`,
      }));
      const asked = await askOn(flow.world, issue, '@airlock fix the rounding in split()');
      view = await untilEnded(flow.world, asked.taskId);
      const [only, ...others] = await github.pulls(splitBill);
      if (only === undefined || others.length > 0)
        throw new Error(`not one pull request: ${JSON.stringify(view.outcome)}`);
      pull = only;
    });

    it('ends in a draft with a caution on top, and the comment links it', () => {
      expect(view.outcome).toMatchObject({
        kind: 'pull-request',
        pullRequest: { number: pull.number, headSha: pull.headSha, draft: true },
      });
      const comments = botComments(flow.world, { ...splitBill, issue });
      expect(comments).toHaveLength(1);
      expect(comments[0]?.body).toContain(`(${pull.url})`);
    });

    it('made a branch that plain git fetches, with the change that Codex made', async () => {
      await using clone = await cloneBranch(flow.world, pull.headRef);
      expect(await clone.git('rev-parse', 'HEAD^')).toBe(flow.world.repository.headSha);
      expect(await clone.git('diff', '--name-status', 'HEAD^')).toBe('M\tsrc/split.js');
      expect(pull.body).toMatch(/^> \[!CAUTION\]/);
      expect(pull.body).toMatch(/✅ `node --test` failed before, passes now in the sandbox/);
    });

    it('let out what was granted, and names what was refused', () => {
      expect(view.receipt.hosts.map(({ host }) => host).toSorted()).toEqual(['api.openai.com', 'github.com']);
      const denied = view.receipt.denied.map(({ host }) => host);
      expect(denied).toContain('collect.evil.example');
      expect(pull.body).toContain('mallory/loot');
      expect([...denied].filter((host) => host.includes('canary') || /^\d/.test(host))).toEqual([]);
    });

    it('was done by the real Codex, which never held the key', () => {
      const requests = flow.world.openai?.requests() ?? [];
      expect(requests.length).toBeGreaterThan(3);
      for (const { headers } of requests) expect(headers['user-agent']).toMatch(/codex|airlock/i);
      const said = JSON.stringify([requests.map(({ body }) => body), flow.logText]);
      expect([...flow.world.secrets()].filter(([, secret]) => said.includes(secret))).toEqual([]);
    });

    it('leaves no container and no token, and sent the engine no unknown request', async () => {
      await untilNoContainer();
      await until('every token revoked', () =>
        flow.world.github.issuedTokens().every(({ revoked }) => revoked),
      );
      expect(engine.unknown).toEqual([]);
    });
  });

  describe.runIf(isWhole)('an agent in the container', () => {
    it('reaches nothing of ours: processes, files, ports, sockets, exit statuses', async () => {
      const agent = await startHijacked(flow.world, 'attack', 'acme/split-bill');
      const planned = planFor(container, { ...exemplaryPlace, sandbox: kind }).filter(
        ({ key }) => whyNotShown(key, kind) === null,
      );
      const results: Result[] = [];
      await runInside(agent.sandbox, planned, new AbortController().signal, ({ id, got, ran }) => {
        const { group, probe } = planned.find(({ key }) => key === id) ?? {};
        if (group !== undefined && probe !== undefined) results.push(resultOf(group, probe, got, ran));
      });
      await agent.letGo();
      expect(results.filter(({ ok }) => !ok)).toEqual([]);
      expect(results.map(({ id }) => id).toSorted()).toEqual(planned.map(({ key }) => key).toSorted());
      expect((await agent.view()).outcome).toMatchObject({ kind: 'pull-request' });
      await untilNoContainer();
    });
  });

  describe.runIf(isWhole)('a Worker that ends while Codex works', () => {
    const ways: readonly (readonly [how: string, end: () => Promise<unknown>])[] = [
      ['killed', async () => await killWorkerd(flow.world)],
      ['replaced by a deployment', async () => await flow.world.restartBot()],
    ];
    it.each(ways)('is %s: no command runs twice, and there is one pull request', async (how, end) => {
      const repository = await newRepository(how.split(' ')[0] ?? '');
      const { taskId } = await ask(flow.world, '@airlock mend it [slow]', { repository });
      const events = follow(flow.world, taskId);
      await untilCommand(flow.world, taskId, 'echo first');
      const before = engine.containers();
      await end();
      expect(engine.containers()).toEqual(before);
      const view = await untilEnded(flow.world, taskId);
      expect(view.outcome).toMatchObject({ kind: 'pull-request', pullRequest: { draft: false } });
      expect(await flow.world.github.pulls(repository)).toHaveLength(1);
      const echoed = (await events).flatMap(({ body }) =>
        body.kind === 'command.started' ? (/echo (\w+)/.exec(body.command)?.[1] ?? []) : [],
      );
      expect(echoed).toEqual(['first', 'second', 'third']);
      await untilNoContainer();
    });
  });

  describe('a container that the platform takes away', () => {
    it('ends the task in a sentence, and no other container is started for it', async () => {
      const repository = await newRepository('taken');
      const { taskId } = await ask(flow.world, '@airlock mend it [long]', { repository });
      await untilCommand(flow.world, taskId, 'echo begun');
      const [name = ''] = engine.containers();
      const objectId = /[0-9a-f]{64}/.exec(name)?.[0] ?? '';
      await engine.container(objectId)?.kill();
      const view = await untilEnded(flow.world, taskId);
      expect(view.outcome).toMatchObject({ kind: 'failed', reason: { code: 'sandbox-lost' } });
      expect(engine.starts(objectId)).toBe(1);
      await untilNoContainer();
    });
  });

  describe.runIf(isWhole)('setup, with a bucket for its cache', () => {
    it('finds in the second task what it installed in the first', async () => {
      const repository = await newRepository('installs', {
        '.gitignore': 'node_modules/\n',
        'package-lock.json': '{ "lockfileVersion": 3 }\n',
      });
      const installed: string[] = [];
      for (const fromCache of [false, true]) {
        const { taskId } = await ask(flow.world, '@airlock mend it [mend]', { repository });
        const events = await follow(flow.world, taskId);
        const view = await untilEnded(flow.world, taskId);
        expect(view.outcome).toMatchObject({ kind: 'pull-request' });
        expect(view.setup).toMatchObject({ status: 'ok', fromCache });
        const notes = events.flatMap(({ body }) => (body.kind === 'note' ? [body.text] : []));
        expect(notes.some((text) => text.startsWith('What setup installed is kept'))).toBe(!fromCache);
        const [said] = events.flatMap(({ body }) =>
          body.kind === 'command.finished' ? [body.outputTail] : [],
        );
        installed.push(said?.trim() ?? '');
      }
      expect(installed[0]).toMatch(/^[0-9a-f]{64}/);
      expect(installed[1]).toBe(installed[0]);
      await untilNoContainer();
    });
  });

  describe.runIf(isWhole)('what is asked of a deployment from outside', () => {
    it('is its doctor, who starts a container, proves it sealed and leaves none', async () => {
      const { bot, apiToken } = flow.world;
      const report = await askDoctor({ fetch }, bot.url, apiToken, { url: bot.url });
      if (!report.ok) throw new Error(report.why);
      const sandbox = report.findings.filter(({ id }) => id.startsWith('sandbox.'));
      expect(sandbox.filter(({ status }) => status !== 'ok')).toEqual([]);
      expect(sandbox.map(({ id }) => id)).toEqual(
        expect.arrayContaining(['sandbox.boot', 'sandbox.canary', 'sandbox.codex']),
      );
      await untilNoContainer();
    });

    it('is a call of the sandbox contract, in a sandbox of the doctor’s that has no grant', async () => {
      const { bot, apiToken } = flow.world;
      const deployed = deployedSandboxes(bot.url, apiToken);
      const sandbox = deployed.sandboxes.get(deployed.sandboxes.idFor('probe'));
      const limits = { timeoutMs: 60_000, maxOutputBytes: 1000 };
      const asks = `curl -s -m 30 -o /dev/null -w '%{http_code}' https://github.com/acme/split-bill/info/refs?service=git-upload-pack`;
      await expect(sandbox.exec({ argv: ['true'] }, limits)).rejects.toThrow(SandboxLostError);
      await sandbox.start(smallSpec);
      expect((await sandbox.exec({ argv: ['sh', '-c', asks] }, limits)).stdout).toBe('403');
      await deployed.close();
      await expect(sandbox.start(smallSpec)).rejects.toThrow(SandboxLostError);
      await untilNoContainer();
    });

    // Minutes of work: `.ci/run` has it.
    it.runIf(process.env['AIRLOCK_FULL_TESTS'] !== undefined)(
      'is the check of a first deployment',
      async () => {
        const bot = { url: flow.world.bot.url, apiToken: flow.world.apiToken };
        const repository = await newRepository('deep');
        const stop = new AbortController().signal;
        const findings = await examineDeeply({
          bot,
          repository: `${repository.owner}/${repository.name}`,
          contract: async () => await runContract(runPrograms(stop), bot),
          redeploy: async () => {
            await killWorkerd(flow.world);
            return [];
          },
          stop,
          progress: () => undefined,
        });
        expect(findings.map(({ id, status, found }) => [id, status, found])).toEqual([
          ['deep.contract', 'ok', expect.stringMatching(/^all \d\d rules hold/)],
          ['deep.task', 'ok', expect.stringMatching(/^pull request #\d+ in/)],
          ['deep.deployment', 'ok', expect.any(String)],
        ]);
        await untilNoContainer();
      },
    );

    it('is the sweep, at its hour, which reaches the queue', async () => {
      const before = flow.logged('sweep.ended').length;
      const response = await fetch(`${flow.world.bot.url}${scheduledPath}`);
      expect({ status: response.status, text: await response.text() }).toEqual({ status: 200, text: 'ok' });
      await until('the sweep', () => flow.logged('sweep.ended').length > before);
      expect(flow.logged('sweep.ended').at(-1)).toMatchObject({ failed: 0 });
      expect([...flow.logged('sweep.failed'), ...flow.logged('sweep.task_failed')]).toEqual([]);
    });
  });
});
