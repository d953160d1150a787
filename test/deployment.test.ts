/** `wrangler.jsonc` as a deployment uses it: the environments are the same, and fit the code and the configuration. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'jsonc-parser';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  environmentNames,
  environmentsOf,
  instancesProblems,
  requiredSecrets,
  type WranglerConfig,
} from '../cli/deploy/deployment-environments.ts';
import { readConfig } from '../host/environment.ts';
import { projectRoot } from '../host/project-root.ts';
import { readWranglerConfig } from '../cli/deploy/read-wrangler-config.ts';
import { builtIn } from '../src/config/schema.ts';
import { parseSettings } from '../src/settings.ts';

let config: WranglerConfig;
beforeAll(async () => {
  config = await readWranglerConfig();
});

/** The file with a change in one environment. */
const changed = (name: string, change: Readonly<Record<string, unknown>>): WranglerConfig => ({
  ...config,
  env: { ...config.env, [name]: { ...config.env?.[name], ...change } },
});

describe('the environments', () => {
  it('are what the top level is, but for the names of what an account has only once', () => {
    expect(config.env).toEqual(environmentsOf(config));
    const workflows = environmentNames.flatMap((name) =>
      z
        .object({ workflows: z.array(z.object({ name: z.string() })) })
        .parse(config.env?.[name])
        .workflows.map((one) => one.name),
    );
    expect(new Set([...workflows, ...config.workflows.map(({ name }) => name)]).size).toBe(3);
  });

  it.each([
    ['no sandbox', { durable_objects: { bindings: [] } }],
    ['no secrets', { secrets: undefined }],
    [
      'a Workflow that is another one’s',
      { workflows: [{ name: 'tasks', binding: 'TASK_WORKFLOW', class_name: 'X' }] },
    ],
    [
      'no time for a rollout',
      { containers: [{ class_name: 'TaskSandbox', rollout_active_grace_period: 0 }] },
    ],
    ['a place of its own', { placement: { mode: 'targeted' } }],
  ])('may not have %s', (_, change) => {
    const other = changed('staging', change);
    expect(other.env).not.toEqual(environmentsOf(other));
  });

  it.each([
    [
      'image and machine',
      {
        containers: [
          {
            class_name: 'TaskSandbox',
            image: 'registry.cloudflare.com/account/own:1',
            image_build_context: '.',
            instance_type: 'standard-3',
            max_instances: 40,
            rollout_active_grace_period: 5400,
          },
        ],
      },
    ],
    ['settings', { vars: { SANDBOX_LOG_LEVEL: 'warn', GITHUB_URL: 'https://ghe.example.com' } }],
    ['bucket', { r2_buckets: [{ binding: 'SETUP_CACHE', bucket_name: 'airlock-setup-cache' }] }],
    ['address', { routes: [{ pattern: 'airlock.example.com', custom_domain: true }] }],
  ])('may have their own %s', (_, change) => {
    const other = changed('production', change);
    expect(other.env).toEqual(environmentsOf(other));
  });
});

describe('the file', () => {
  const text = readFileSync(join(projectRoot, 'wrangler.jsonc'), 'utf8');

  it('never says where the Worker runs: that would turn the interception off', () => {
    expect(JSON.stringify(parse(text, [], { allowTrailingComma: true }))).not.toContain('placement');
  });

  it('makes each Durable Object once, with the storage that the code counts on', () => {
    const { migrations } = z
      .looseObject({
        migrations: z.array(z.strictObject({ tag: z.string(), new_sqlite_classes: z.array(z.string()) })),
      })
      .parse(config);
    const made = migrations.flatMap(({ new_sqlite_classes: classes }) => classes);
    expect(made.toSorted()).toEqual(
      config.durable_objects.bindings.map(({ class_name: className }) => className).toSorted(),
    );
    expect(new Set(made).size).toBe(made.length);
  });

  it('demands the secrets without which the Worker refuses to work, and no others', () => {
    const values = {
      GITHUB_APP_ID: '1',
      GITHUB_APP_PRIVATE_KEY: '-----BEGIN PRIVATE KEY-----',
      GITHUB_WEBHOOK_SECRET: 'x'.repeat(16),
      OPENAI_API_KEY: 'sk-1',
    };
    expect(Object.keys(values)).toEqual([...requiredSecrets]);
    expect(parseSettings(values)).toMatchObject({ ok: true });
    for (const name of requiredSecrets)
      expect(parseSettings({ ...values, [name]: '' })).toMatchObject({ ok: false });
  });

  it('leaves a rollout more time than a task of the default limits takes', async () => {
    const { config: airlock } = await readConfig(join(projectRoot, 'airlock.config.jsonc'));
    const minutes = airlock.defaults.limits?.minutes ?? builtIn.minutes;
    const grace = Math.min(...config.containers.map((one) => Number(one['rollout_active_grace_period'])));
    const aroundTheRunMinutes = 30;
    expect(grace).toBeGreaterThanOrEqual((minutes + aroundTheRunMinutes) * 60);
  });
});

describe('the number of containers', () => {
  it('is enough for the slots of the configuration', async () => {
    const { config: airlock } = await readConfig(join(projectRoot, 'airlock.config.jsonc'));
    expect(instancesProblems(config, airlock.slots.total)).toEqual([]);
  });

  it.each([
    ['every place', 21, 3],
    ['none', 20, 0],
    ['none, when there are fewer slots', 1, 0],
  ])('is too small in %s', (_, slots, problems) => {
    expect(instancesProblems(config, slots)).toHaveLength(problems);
  });

  it('is looked at where a deployment has its own', () => {
    const fewer = changed('staging', { containers: [{ class_name: 'TaskSandbox', max_instances: 2 }] });
    expect(instancesProblems(fewer, 20)).toEqual([
      'wrangler.jsonc, staging: max_instances is 2, but slots.total in airlock.config.jsonc is 20',
    ]);
  });
});
