/** Reads the target of a deployment from `wrangler.jsonc`: the environment, its variables and its images. */
import { z } from 'zod';
import type { WranglerConfig } from './deployment-environments.ts';
import { StartProblem } from '../../host/environment.ts';

export interface Target {
  /** null: the top level of the file. */
  readonly environment: string | null;
  /** Names of the variables that are deployed with it. */
  readonly vars: readonly string[];
  readonly images: readonly string[];
}

const withImage = z.looseObject({ image: z.string() });

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
  const images = (own.containers ?? []).map((container) => withImage.safeParse(container).data?.image);
  return {
    environment,
    vars: Object.keys(own.vars ?? {}),
    images: images.filter((image) => image !== undefined),
  };
}
