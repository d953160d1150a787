/**
 * The environments of `wrangler.jsonc`. Wrangler hands down next to nothing from the top level to an environment, so everything is there
 * again in each; it is written by `npm run generate` from the top level, and checked, so that staging and production are the same but in
 * what a deployment may have of its own. Pure.
 */
import { z } from 'zod';

export const environmentNames = ['staging', 'production'] as const;

/** Without them nothing works; `wrangler deploy` refuses when one is missing. At the top level they would hide the others of `.dev.vars` from `wrangler dev`. */
export const requiredSecrets = [
  'GITHUB_APP_ID',
  'GITHUB_APP_PRIVATE_KEY',
  'GITHUB_WEBHOOK_SECRET',
  'OPENAI_API_KEY',
] as const;

const container = z.looseObject({ class_name: z.string() });
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

/** What a deployment may set for itself, and keeps: another image, a larger machine, more of them. */
const ownOfContainer = ['image', 'image_build_context', 'instance_type', 'max_instances'];
/** The same, outside containers. */
const ownOfEnvironment = [
  'name',
  'routes',
  'route',
  'workers_dev',
  'account_id',
  'observability',
  // A bucket for the setup cache: one that another environment uses as well would carry what it installed over.
  'r2_buckets',
];

/** What `env` has to be. */
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
    // A Workflow's name is the account's: two environments of one name would be one Workflow.
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

/**
 * A sentence for each environment whose containers are fewer than the tasks that may have one: the queue would grant slots for which the
 * platform has no machine.
 */
export function instancesProblems(config: WranglerConfig, slotsTotal: number): readonly string[] {
  const places = [
    { where: 'top level', containers: config.containers },
    ...environmentNames.map((name) => ({ where: name, containers: config.env?.[name]?.containers ?? [] })),
  ];
  return places.flatMap(({ where, containers }) => {
    // Without a number, wrangler's own default is too few for anything.
    const least = Math.min(...containers.map((one) => Number(one['max_instances'] ?? 1)));
    return least >= slotsTotal
      ? []
      : [
          `wrangler.jsonc, ${where}: max_instances is ${least}, but slots.total in airlock.config.jsonc is ${slotsTotal}`,
        ];
  });
}
