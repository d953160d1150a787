/** Reads a deployment's target from `wrangler.jsonc`: the environment, its kind of sandbox, its images. */
import { z } from 'zod';
import type { SandboxKind } from '../../host/build-worker.ts';
import { sandboxKindOf, type WranglerConfig } from './deployment-environments.ts';
import { StartProblem } from '../../host/environment.ts';

export interface Target {
  /** null: the top level of the file. */
  readonly environment: string | null;
  readonly sandbox: SandboxKind;
  /** Names of the variables that are deployed with it. */
  readonly vars: readonly string[];
  /** Dockerfiles and prebuilt images. */
  readonly images: readonly string[];
}

const image = z.string();
const withImages = z.looseObject({
  image: image.optional(),
  /** Of the platform's own interface, by name. */
  images: z
    .record(z.string(), z.looseObject({ dockerfile: image.optional(), image: image.optional() }))
    .default({}),
});

/** Throws `StartProblem` if there is no such environment. */
export function targetIn(config: WranglerConfig, environment: string | null): Target {
  const { env = {}, ...top } = config;
  const own = environment === null ? top : env[environment];
  if (own === undefined) {
    const known = Object.keys(env).join(', ') || 'none';
    throw new StartProblem(
      `wrangler.jsonc has no environment ${JSON.stringify(environment)}; it has: ${known}.`,
    );
  }
  const containers = own.containers ?? [];
  const images = containers.flatMap((container) => {
    const { data } = withImages.safeParse(container);
    const named = Object.values(data?.images ?? {}).flatMap((one) => [one.dockerfile, one.image]);
    return [data?.image, ...named].filter((one) => one !== undefined);
  });
  return { environment, sandbox: sandboxKindOf(containers), vars: Object.keys(own.vars ?? {}), images };
}
