/**
 * Generates the environments of `wrangler.jsonc`, because wrangler inherits almost nothing from the top
 * level. `npm run generate` writes them, and a check compares them.
 */
import { z } from 'zod';

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
  images: z.record(z.string(), z.unknown()).optional(),
});
const workflow = z.looseObject({ name: z.string(), binding: z.string(), class_name: z.string() });
const ownParts = {
  vars: z.record(z.string(), z.unknown()).optional(),
  containers: z.array(container).optional(),
};

export const wranglerConfigSchema = z.looseObject({
  name: z.string(),
  compatibility_date: z.string(),
  compatibility_flags: z.array(z.string()),
  durable_objects: z.object({
    bindings: z.array(z.strictObject({ name: z.string(), class_name: z.string() })),
  }),
  workflows: z.array(workflow),
  containers: z.array(container.extend({ max_instances: z.int() })),
  version_metadata: z.object({ binding: z.string() }).optional(),
  vars: z.record(z.string(), z.unknown()).optional(),
  env: z.record(z.string(), z.looseObject(ownParts)).optional(),
});
export type WranglerConfig = z.infer<typeof wranglerConfigSchema>;

/** Keys of a container that an environment sets for itself, and keeps. */
const ownOfContainer = ['image', 'image_build_context', 'instance_type', 'max_instances'];
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

/** Returns the required value of `env`. */
export function environmentsOf(config: WranglerConfig): Readonly<Record<string, unknown>> {
  return Object.fromEntries(environmentNames.map((name) => [name, environmentOf(config, name)]));
}

function environmentOf(config: WranglerConfig, name: string): Readonly<Record<string, unknown>> {
  const present = config.env?.[name] ?? {};
  return {
    ...pick(present, ownOfEnvironment),
    vars: { ...config.vars, ...present.vars },
    secrets: { required: [...requiredSecrets] },
    ...pick(config, ['version_metadata']),
    durable_objects: config.durable_objects,
    // Workflow names are unique per account: two environments with one name would share a Workflow.
    workflows: config.workflows.map((one) => ({ ...one, name: `${one.name}-${name}` })),
    containers: config.containers.map((one) => {
      const own = present.containers?.find(({ class_name: className }) => className === one.class_name);
      return { ...one, ...pick(own ?? {}, ownOfContainer) };
    }),
  };
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

/** The queue would grant slots for which the platform starts no container. */
export function instancesProblems(config: WranglerConfig, slotsTotal: number): readonly string[] {
  return placesOf(config).flatMap(({ where, containers }) => {
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
