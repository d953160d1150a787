/** The parts of `wrangler.jsonc` that a deployment is checked by, for one of its environments. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'jsonc-parser';
import { z } from 'zod';
import { StartProblem } from '../environment.ts';
import { projectRoot } from '../project-root.ts';

const place = z.looseObject({
  vars: z.record(z.string(), z.unknown()).optional(),
  containers: z.array(z.looseObject({ image: z.string() })).optional(),
});
const schema = place.extend({ env: z.record(z.string(), place).optional() });

export interface Target {
  /** null: what stands at the top of the file. */
  readonly environment: string | null;
  readonly vars: readonly string[];
  readonly images: readonly string[];
}

export async function readTarget(environment: string | null): Promise<Target> {
  const text = await readFile(join(projectRoot, 'wrangler.jsonc'), 'utf8');
  return targetIn(text, environment);
}

/** Throws `StartProblem` when there is no such environment. */
export function targetIn(text: string, environment: string | null): Target {
  const parsed = schema.safeParse(parse(text));
  if (!parsed.success)
    throw new StartProblem('wrangler.jsonc cannot be read. `npx wrangler check` says more.');
  const { env = {}, ...top } = parsed.data;
  const own = environment === null ? top : env[environment];
  if (own === undefined) {
    const known = Object.keys(env).join(', ') || 'none';
    throw new StartProblem(
      `wrangler.jsonc has no environment ${JSON.stringify(environment)}; it has: ${known}.`,
    );
  }
  return {
    environment,
    // Variables do not reach an environment from the top of the file; containers are checked either way.
    vars: Object.keys(own.vars ?? {}),
    images: (own.containers ?? top.containers ?? []).map(({ image }) => image),
  };
}
