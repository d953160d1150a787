/** Tests the files that start Codex by parsing them as their readers do. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert, pre, property, string } from 'fast-check';
import { parse } from 'smol-toml';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseControlLine } from '../../container/control-file.ts';
import { readJob } from '../../container/codex-job.ts';
import { answerJsonSchema, replyJsonSchema } from '../../src/codex/answer.ts';
import { createCodex } from '../../src/codex/codex.ts';
import { codexConfig, toToml } from '../../src/codex/config-toml.ts';
import { codexInvocation, codexPaths } from '../../src/codex/invocation.ts';
import { cleanUp, temporaryFolder } from './driver-harness.ts';

afterAll(cleanUp);

const turn = { prompt: 'Fix "it"\n\\', model: 'gpt-6.1-sol', effort: 'high', images: ['/run/1.png'] };
const job = { ...turn, isQuestion: false };
const settings = { openaiBaseUrl: 'https://api.openai.com/v1/' };
const fileOf = (path: string, from = codexInvocation(settings, job)) =>
  from.files.find((file) => file.path === path)?.content ?? '';

describe('config.toml', () => {
  it('contains the given settings and switches off every call to other hosts', () => {
    expect(parse(fileOf(`${codexPaths.home}/config.toml`))).toMatchObject({
      model: 'gpt-6.1-sol',
      model_provider: 'gateway',
      approval_policy: 'never',
      sandbox_mode: 'danger-full-access',
      web_search: 'disabled',
      check_for_update_on_startup: false,
      model_providers: {
        gateway: { name: 'OpenAI', base_url: 'https://api.openai.com/v1', supports_websockets: false },
      },
      projects: { '/workspace/repo': { trust_level: 'untrusted' } },
      analytics: { enabled: false },
      agents: { enabled: false },
      tools: { update_plan: { enabled: true } },
      features: {
        plugins: false,
        api_key_model_discovery: false,
        unbounded_connection_retries: false,
        apps: false,
      },
      shell_environment_policy: { exclude: ['OPENAI_API_KEY', 'CODEX_API_KEY'] },
    });
  });

  it('keeps any text unchanged: no model name or path becomes another setting', () => {
    const text = string({ unit: 'binary' });
    assert(
      property(text, text, text, (model, repository, openaiBaseUrl) => {
        pre(repository !== '__proto__');
        const config = codexConfig({ model, repository, openaiBaseUrl });
        expect(JSON.parse(JSON.stringify(parse(toToml(config))))).toEqual(JSON.parse(JSON.stringify(config)));
      }),
    );
  });

  it.each(['"\nx = 1', '\u007f', '\u0000\u001f', '\\', "'''", '"""', '#', '\ud800'])(
    'accepts %j in a string',
    (value) => {
      expect(parse(toToml({ value }))).toEqual({ value: value.toWellFormed() });
    },
  );
});

describe('the job', () => {
  const read = (content: string) => {
    const path = join(temporaryFolder(), 'job.json');
    writeFileSync(path, content);
    return readJob(path);
  };

  it('has the form that the driver reads', () => {
    const threadId = '01a1fc30-21cf-73f1-aa41-931577df1494';
    const resume = { threadId, codexVersion: '0.171.0', prompt: 'Again' };
    const again = codexInvocation(settings, { ...job, resume: { ...resume, rollout: 'kept' } });
    expect(again.files).toContainEqual({
      path: expect.stringMatching(`/home/codex/.codex/sessions/rollout-.*-${threadId}.jsonl`),
      content: 'kept',
    });
    expect(read(fileOf(codexPaths.job, again))).toEqual({
      ...turn,
      cwd: '/workspace/repo',
      outputSchema: answerJsonSchema,
      codexBinary: '/opt/codex/bin/codex',
      codexHome: '/home/codex/.codex',
      resume,
    });
    expect(read(fileOf(codexPaths.job)).resume).toBeNull();
    const question = codexInvocation(settings, { ...job, isQuestion: true });
    expect(read(fileOf(codexPaths.job, question)).outputSchema).toEqual(replyJsonSchema);
  });

  it.each([
    '[]',
    'null',
    '{}',
    JSON.stringify({ prompt: 'x', cwd: 5 }),
    JSON.stringify({ prompt: 'x', images: ['1.png'] }),
    JSON.stringify({ prompt: 'x', images: [{}] }),
  ])('is refused by the driver if it is %s', (content) => {
    expect(() => read(content)).toThrow(/job file/);
  });
});

it('the control file has the form that the driver reads', () => {
  const message = 'Go on.\n{"kind":"interrupt"}\u2028';
  const remarks = ['one', 'two'].map((id) => ({ id, message }));
  const lines = createCodex(settings).control(remarks).content.trimEnd().split('\n');
  expect(lines.map(parseControlLine)).toEqual(
    remarks.map(({ id }) => ({ kind: 'steer', id, text: message })),
  );
});

it('the command starts the driver outside the clone, without any credential', () => {
  const { command, files } = createCodex(settings).invocation(job);
  expect(command.argv).toEqual([
    '/opt/node/bin/node',
    '--disable-sigusr1',
    '/opt/airlock/codex-driver.js',
    '/run/airlock/codex/job.json',
  ]);
  expect(command.cwd).toBe('/workspace');
  expect(command.env).toBeUndefined();
  for (const { path } of files) expect(path.startsWith('/workspace/repo')).toBe(false);
  expect(z.string().parse(JSON.stringify(files))).not.toMatch(/sk-|Bearer|gh[ps]_/);
});
