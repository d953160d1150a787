/** Checks that the environments of `wrangler.jsonc` match the top level, code and configuration. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'jsonc-parser';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  environmentNames,
  environmentsOf,
  imagesProblems,
  instancesProblems,
  requiredSecrets,
  type WranglerConfig,
} from '../cli/deploy/deployment-environments.ts';
import { readConfig } from '../host/environment.ts';
import { projectRoot } from '../host/project-root.ts';
import { readWranglerConfig } from '../cli/deploy/read-wrangler-config.ts';
import { builtIn } from '../src/config/built-in.ts';
import { machineNames } from '../src/config/resolve-repository.ts';
import { instanceTypes } from '../src/core/policy.ts';
import { parseSettings } from '../src/settings.ts';

let config: WranglerConfig;
beforeAll(async () => {
  config = await readWranglerConfig();
});

/** Returns the configuration with a change in one environment. */
const changed = (name: string, change: Readonly<Record<string, unknown>>): WranglerConfig => ({
  ...config,
  env: { ...config.env, [name]: { ...config.env?.[name], ...change } },
});

describe('the environments of wrangler.jsonc', () => {
  it('match the top level, except for names that must be unique per account', () => {
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
    ['an environment without a sandbox', { durable_objects: { bindings: [] } }],
    ['an environment without required secrets', { secrets: undefined }],
    [
      'an environment with the Workflow of another one',
      { workflows: [{ name: 'tasks', binding: 'TASK_WORKFLOW', class_name: 'X' }] },
    ],
    [
      'an environment without a grace period for rollouts',
      { containers: [{ class_name: 'TaskSandbox', rollout_active_grace_period: 0 }] },
    ],
    ['an environment with a placement', { placement: { mode: 'targeted' } }],
  ])('do not match with %s', (_, change) => {
    const other = changed('staging', change);
    expect(other.env).not.toEqual(environmentsOf(other));
  });

  it.each([
    [
      'an image and an instance type',
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
    ['variables', { vars: { SANDBOX_LOG_LEVEL: 'warn', GITHUB_URL: 'https://ghe.example.com' } }],
    ['a bucket', { r2_buckets: [{ binding: 'SETUP_CACHE', bucket_name: 'airlock-setup-cache' }] }],
    ['a route', { routes: [{ pattern: 'airlock.example.com', custom_domain: true }] }],
  ])('can set %s of their own', (_, change) => {
    const other = changed('production', change);
    expect(other.env).toEqual(environmentsOf(other));
  });
});

describe('wrangler.jsonc', () => {
  const text = readFileSync(join(projectRoot, 'wrangler.jsonc'), 'utf8');

  it('sets no placement, which would turn off the interception', () => {
    expect(JSON.stringify(parse(text, [], { allowTrailingComma: true }))).not.toContain('placement');
  });

  it('creates each Durable Object class once, with SQLite storage', () => {
    const { migrations } = z
      .looseObject({
        migrations: z.array(z.strictObject({ tag: z.string(), new_sqlite_classes: z.array(z.string()) })),
      })
      .parse(config);
    const created = migrations.flatMap(({ new_sqlite_classes: classes }) => classes);
    expect(created.toSorted()).toEqual(
      config.durable_objects.bindings.map(({ class_name: className }) => className).toSorted(),
    );
    expect(new Set(created).size).toBe(created.length);
  });

  it('requires exactly the secrets without which the Worker refuses to work', () => {
    const values = {
      GITHUB_APP_ID: '1',
      GITHUB_APP_PRIVATE_KEY: '-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----',
      GITHUB_WEBHOOK_SECRET: 'x'.repeat(16),
      OPENAI_API_KEY: 'sk-1',
    };
    expect(Object.keys(values)).toEqual([...requiredSecrets]);
    expect(parseSettings(values)).toMatchObject({ ok: true });
    for (const name of requiredSecrets)
      expect(parseSettings({ ...values, [name]: '' })).toMatchObject({ ok: false });
  });

  it('gives a rollout more time than a task with the default limits takes', async () => {
    const { config: airlock } = await readConfig(join(projectRoot, 'airlock.config.jsonc'));
    const minutes = airlock.defaults.limits?.minutes ?? builtIn.minutes;
    const grace = Math.min(...config.containers.map((one) => Number(one['rollout_active_grace_period'])));
    const aroundTheRunMinutes = 30;
    expect(grace).toBeGreaterThanOrEqual((minutes + aroundTheRunMinutes) * 60);
  });
});

describe('the images and instance types of the sandboxes', () => {
  it('include each image that the configuration names, in each place', async () => {
    const { config: airlock } = await readConfig(join(projectRoot, 'airlock.config.jsonc'));
    expect(imagesProblems(config, machineNames(airlock).images)).toEqual([]);
    const images = { base: { dockerfile: 'a' }, jvm: { dockerfile: 'b' } };
    const native = changed('staging', { containers: [{ class_name: 'TaskSandbox', images }] });
    const digest = `registry.cloudflare.com/${'0'.repeat(32)}/jvm@sha256:${'a'.repeat(64)}`;
    expect(imagesProblems(native, ['jvm', 'jvmm', digest]).filter((line) => /staging/.test(line))).toEqual([
      'wrangler.jsonc, staging: no image is called "jvmm", which airlock.config.jsonc names (it has base, jvm)',
    ]);
    expect(
      imagesProblems(changed('staging', { containers: [{ class_name: 'TaskSandbox' }] }), ['jvm']),
    ).toContain(
      'wrangler.jsonc, staging: no image is called "jvm", which airlock.config.jsonc names (it has no named image)',
    );
  });

  it('are the instance types that wrangler knows, without the old names', () => {
    const schema = readFileSync(join(projectRoot, 'node_modules/wrangler/config-schema.json'), 'utf8');
    const known = z
      .object({
        definitions: z.object({
          CloudchamberConfig: z.object({
            properties: z.object({ instance_type: z.object({ enum: z.array(z.string()) }) }),
          }),
        }),
      })
      .parse(JSON.parse(schema)).definitions.CloudchamberConfig.properties.instance_type.enum;
    expect(new Set(known)).toEqual(new Set([...instanceTypes, 'dev', 'standard']));
  });
});

describe('the number of containers', () => {
  it('is enough for the slots of the configuration', async () => {
    const { config: airlock } = await readConfig(join(projectRoot, 'airlock.config.jsonc'));
    expect(instancesProblems(config, airlock.slots.total)).toEqual([]);
  });

  it.each([
    [21, 3],
    [20, 0],
    [1, 0],
  ])('is too small for %d slots in %d places', (slots, problems) => {
    expect(instancesProblems(config, slots)).toHaveLength(problems);
  });

  it('is checked in an environment with its own number', () => {
    const fewer = changed('staging', { containers: [{ class_name: 'TaskSandbox', max_instances: 2 }] });
    expect(instancesProblems(fewer, 20)).toEqual([
      'wrangler.jsonc, staging: max_instances is 2, but slots.total in airlock.config.jsonc is 20',
    ]);
  });
});
