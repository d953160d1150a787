/** Checks that the environments of `wrangler.jsonc` match the top level, code and configuration. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'jsonc-parser';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  environmentNames,
  generated,
  imagesProblems,
  instancesProblems,
  requiredSecrets,
  type WranglerConfig,
} from '../cli/deploy/deployment-environments.ts';
import { sandboxKinds, workerEntries, type SandboxKind } from '../host/build-worker.ts';
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
    expect(config).toEqual(generated(config));
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
    ['an environment with the entry of the other kind of sandbox', { main: 'src/other.ts' }],
  ])('do not match with %s', (_, change) => {
    const other = changed('staging', change);
    expect(other).not.toEqual(generated(other));
  });

  it.each([
    [
      'an image and an instance type',
      {
        main: workerEntries.sdk,
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
    expect(other).toEqual(generated(other));
  });
});

describe('the kind of sandbox', () => {
  const containerOf = ({ env }: WranglerConfig, name: string) => env?.[name]?.containers?.[0];

  it.each(['staging', 'production'] as const)('is chosen for %s alone, and kept', (environment) => {
    const other = environment === 'staging' ? 'production' : 'staging';
    for (const kind of ['native', 'sdk'] as const) {
      const sdk = generated(config, { environment: other, kind: 'sdk' });
      const chosen = generated(sdk, { environment, kind });
      expect(chosen.env?.[environment]?.['main']).toBe(workerEntries[kind]);
      expect(chosen.env?.[other]).toEqual(sdk.env?.[other]);
      expect([chosen.main, chosen.containers]).toEqual([sdk.main, sdk.containers]);
      expect(generated(chosen)).toEqual(chosen);
      expect(generated(chosen, { environment: null, kind: 'sdk' }).env).toEqual(chosen.env);
    }
  });

  it('is chosen for the top level, which environments without containers follow', () => {
    const native = generated({ ...config, env: {} }, { environment: null, kind: 'native' });
    expect(native.main).toBe(workerEntries.native);
    const names = [native.containers[0], ...environmentNames.map((name) => containerOf(native, name))];
    expect(names.map((one) => one?.['name'])).toEqual([
      'airlock-native',
      'airlock-staging-native',
      'airlock-production-native',
    ]);
  });

  it('decides which keys a container has', () => {
    const keysOf = (kind: SandboxKind) =>
      Object.keys(
        containerOf(generated(config, { environment: 'staging', kind }), 'staging') ?? {},
      ).toSorted();
    expect(keysOf('native')).toEqual(['class_name', 'images', 'name', 'scheduling_policy']);
    expect(keysOf('sdk')).toEqual([
      'class_name',
      'image',
      'image_build_context',
      'instance_type',
      'max_instances',
      'rollout_active_grace_period',
    ]);
  });

  it('keeps an environment’s own name and images, but not for the other kind', () => {
    const own = {
      class_name: 'TaskSandbox',
      scheduling_policy: 'durable_object',
      name: 'airlock-second-try',
      images: { base: { image: `registry.cloudflare.com/account/own@sha256:${'0'.repeat(64)}` } },
    };
    const native = changed('staging', { main: workerEntries.native, containers: [own] });
    expect(containerOf(generated(native), 'staging')).toEqual(own);
    const back = generated(generated(native, { environment: 'staging', kind: 'sdk' }), {
      environment: 'staging',
      kind: 'native',
    });
    expect(containerOf(back, 'staging')).toMatchObject({ name: 'airlock-staging-native' });
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
    const { containers } = generated(config, { environment: null, kind: 'sdk' });
    const grace = Math.min(...containers.map((one) => Number(one['rollout_active_grace_period'])));
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
  const places = [null, ...environmentNames];
  const all = (kind: SandboxKind) =>
    places.reduce((sofar, environment) => generated(sofar, { environment, kind }), config);

  it('is enough for the slots of the configuration', async () => {
    const { config: airlock } = await readConfig(join(projectRoot, 'airlock.config.jsonc'));
    for (const kind of sandboxKinds) expect(instancesProblems(all(kind), airlock.slots.total)).toEqual([]);
  });

  it.each([
    ['sdk', 21, 3],
    ['sdk', 20, 0],
    ['sdk', 1, 0],
    ['native', 1000, 0],
  ] as const)('of %s sandboxes with %d slots is too small in %d places', (kind, slots, problems) => {
    expect(instancesProblems(all(kind), slots)).toHaveLength(problems);
  });

  it('is checked in an environment with its own number', () => {
    const fewer = changed('staging', { containers: [{ class_name: 'TaskSandbox', max_instances: 2 }] });
    expect(instancesProblems({ ...fewer, containers: all('native').containers }, 20)).toContain(
      'wrangler.jsonc, staging: max_instances is 2, but slots.total in airlock.config.jsonc is 20',
    );
  });
});
