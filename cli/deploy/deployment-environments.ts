/**
 * Generates the environments of `wrangler.jsonc`, because wrangler inherits almost nothing from the top
 * level, and what the kind of sandbox decides: entry and containers. `npm run generate` writes both, and a
 * check compares them.
 */
import { z } from 'zod';
import { workerEntries, type SandboxKind } from '../../host/build-worker.ts';

export const environmentNames = ['staging', 'production'] as const;

/** `wrangler deploy` refuses without them. At the top level the list would restrict `.dev.vars`. */
export const requiredSecrets = [
  'GITHUB_APP_ID',
  'GITHUB_APP_PRIVATE_KEY',
  'GITHUB_WEBHOOK_SECRET',
  'OPENAI_API_KEY',
] as const;

const container = z.looseObject({
  class_name: z.string(),
  scheduling_policy: z.string().optional(),
  images: z.record(z.string(), z.unknown()).optional(),
});
type Container = z.infer<typeof container>;
const workflow = z.looseObject({ name: z.string(), binding: z.string(), class_name: z.string() });
const ownParts = {
  vars: z.record(z.string(), z.unknown()).optional(),
  containers: z.array(container).optional(),
};

export const wranglerConfigSchema = z.looseObject({
  name: z.string(),
  main: z.string(),
  compatibility_date: z.string(),
  compatibility_flags: z.array(z.string()),
  durable_objects: z.object({
    bindings: z.array(z.strictObject({ name: z.string(), class_name: z.string() })),
  }),
  workflows: z.array(workflow),
  containers: z.array(container),
  version_metadata: z.object({ binding: z.string() }).optional(),
  vars: z.record(z.string(), z.unknown()).optional(),
  env: z.record(z.string(), z.looseObject(ownParts)).optional(),
});
export type WranglerConfig = z.infer<typeof wranglerConfigSchema>;

/** The policy marks the platform's own interface. It cannot be changed later. */
const nativePolicy = 'durable_object';

/** Keys of a container that an environment sets for itself, and keeps. */
const ownOfContainer: Readonly<Record<SandboxKind, readonly string[]>> = {
  sdk: ['image', 'image_build_context', 'instance_type', 'max_instances'],
  native: ['name', 'images'],
};
/** A container of the other kind starts from this. */
const newContainer: Readonly<Record<SandboxKind, Readonly<Record<string, unknown>>>> = {
  sdk: {
    image: './container/Dockerfile',
    image_build_context: '.',
    // ½ vCPU, 4 GiB of memory, 8 GB of disk: the smallest type on which a build of some size completes.
    instance_type: 'standard-1',
    // At least `slots.total` of airlock.config.jsonc; `npm run deploy:check` compares them.
    max_instances: 20,
    // Seconds that a rollout waits for running tasks: longer than a task with the default limits.
    rollout_active_grace_period: 5400,
  },
  native: {
    scheduling_policy: nativePolicy,
    images: { base: { dockerfile: './container/images/base.Dockerfile', build_context: '.' } },
  },
};
/** Keys of an environment that it sets for itself, and keeps. */
const ownOfEnvironment = [
  'name',
  'routes',
  'route',
  'workers_dev',
  'account_id',
  'observability',
  // The bucket of the setup cache. Environments must not share one, or one could poison the other's cache.
  'r2_buckets',
];

/** The kind of sandbox to generate for one environment; null: the top level. */
export interface SandboxChoice {
  readonly environment: string | null;
  readonly kind: SandboxKind;
}

/** What runs the containers; each environment decides for itself. */
export function sandboxKindOf(containers: readonly Container[]): SandboxKind {
  return containers.some((one) => one.scheduling_policy === nativePolicy) ? 'native' : 'sdk';
}

/** Returns the file with its generated parts: `main`, `containers` and `env`. */
export function generated(config: WranglerConfig, choice: SandboxChoice | null = null): WranglerConfig {
  const { name, containers } = config;
  const kind = choice?.environment === null ? choice.kind : sandboxKindOf(containers);
  const top = {
    ...config,
    main: workerEntries[kind],
    containers: containersOf(kind, { worker: name, top: containers, own: containers }),
  };
  const env = environmentNames.map((environment) => {
    const chosen = choice?.environment === environment ? choice.kind : null;
    return [environment, environmentOf(top, environment, chosen)] as const;
  });
  return { ...top, env: Object.fromEntries(env) };
}

function environmentOf(
  config: WranglerConfig,
  name: string,
  chosen: SandboxKind | null,
): Readonly<Record<string, unknown>> {
  const present = config.env?.[name] ?? {};
  const kind = chosen ?? sandboxKindOf(present.containers ?? config.containers);
  const ownName = present['name'];
  const worker = typeof ownName === 'string' ? ownName : `${config.name}-${name}`;
  return {
    ...pick(present, ownOfEnvironment),
    main: workerEntries[kind],
    vars: { ...config.vars, ...present.vars },
    secrets: { required: [...requiredSecrets] },
    ...pick(config, ['version_metadata']),
    durable_objects: config.durable_objects,
    // Workflow names are unique per account: two environments with one name would share a Workflow.
    workflows: config.workflows.map((one) => ({ ...one, name: `${one.name}-${name}` })),
    containers: containersOf(kind, { worker, top: config.containers, own: present.containers ?? [] }),
  };
}

function containersOf(
  kind: SandboxKind,
  {
    worker,
    top,
    own,
  }: { readonly worker: string; readonly top: readonly Container[]; readonly own: readonly Container[] },
): Container[] {
  return top.map((one) => {
    const present = own.find((other) => other.class_name === one.class_name);
    return {
      ...(sandboxKindOf([one]) === kind ? one : { class_name: one.class_name, ...newContainer[kind] }),
      // Unique per account. Wrangler's default would be that of an SDK application of the same class, whose
      // policy cannot be changed.
      ...(kind === 'native' ? { name: `${worker}-native` } : {}),
      ...(present !== undefined && sandboxKindOf([present]) === kind
        ? pick(present, ownOfContainer[kind])
        : {}),
    };
  });
}

function pick(from: Readonly<Record<string, unknown>>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(from).filter(([key]) => keys.includes(key)));
}

const placesOf = (config: WranglerConfig) => [
  { where: 'top level', containers: config.containers },
  ...environmentNames.map((name) => ({ where: name, containers: config.env?.[name]?.containers ?? [] })),
];

/** A task whose sandbox needs another image would end at its start. `images`: those of the configuration. */
export function imagesProblems(config: WranglerConfig, images: readonly string[]): readonly string[] {
  return placesOf(config).flatMap(({ where, containers }) => {
    const known = containers.flatMap((one) => Object.keys(one.images ?? {}));
    return images
      .filter((image) => !image.includes('@') && !known.includes(image))
      .map(
        (image) =>
          `wrangler.jsonc, ${where}: no image is called "${image}", which airlock.config.jsonc names ` +
          `(it has ${known.join(', ') || 'no named image'})`,
      );
  });
}

/**
 * The queue would grant slots for which the platform starts no container. The platform's own interface has no
 * such number.
 */
export function instancesProblems(config: WranglerConfig, slotsTotal: number): readonly string[] {
  return placesOf(config).flatMap(({ where, containers }) => {
    if (sandboxKindOf(containers) === 'native') return [];
    // Wrangler's default is 1.
    const least = Math.min(...containers.map((one) => Number(one['max_instances'] ?? 1)));
    return least >= slotsTotal
      ? []
      : [
          `wrangler.jsonc, ${where}: max_instances is ${least}, ` +
            `but slots.total in airlock.config.jsonc is ${slotsTotal}`,
        ];
  });
}
