/**
 * `POST /api/doctor`: returns the doctor's findings about this deployment to the holder of `API_TOKEN`. Also
 * answers for an incomplete deployment, since that is when people ask. A POST, because it starts a sandbox.
 */
import { Hono } from 'hono';
import * as z from 'zod';
import { checkBearer } from './access.ts';
import { bodyProblem, readJson } from './json-body.ts';

export interface DoctorRouteDeps {
  readonly apiToken: string | null;
  /** Never rejects because of what it checks. Returns JSON. */
  examine(asked: DoctorAsked): Promise<object>;
}

const askedSchema = z.strictObject({
  /** The address at which the caller reaches this deployment. The webhook should lead there. */
  url: z
    .url({ protocol: /^https?$/ })
    .max(300)
    .optional(),
  /**
   * `sandbox`: only the sandbox check, for a Worker that was started for it. `version`: no check, and no
   * sandbox.
   */
  only: z.enum(['sandbox', 'version']).optional(),
});
export type DoctorAsked = z.infer<typeof askedSchema>;

const problem = (code: string, message: string) => ({ error: { code, message } });

export function doctorRoute(deps: DoctorRouteDeps): Hono {
  const route = new Hono();
  route.post('/', async (c) => {
    const access = await checkBearer(c.req.header('authorization') ?? null, deps.apiToken);
    if (access === 'disabled')
      return c.json(
        problem('api-disabled', 'The API is off: set API_TOKEN to a secret of at least 16 characters.'),
        403,
      );
    if (access === 'denied') {
      c.header('www-authenticate', 'Bearer realm="airlock"');
      return c.json(problem('unauthorized', 'Send the API token as `Authorization: Bearer …`.'), 401);
    }
    const body = await readJson(c.req.raw, 1024);
    if (body.kind !== 'json') return c.json(...bodyProblem(body.kind, 1024));
    // No body: the address is unknown.
    const asked = askedSchema.safeParse(body.untrusted ?? {});
    if (!asked.success)
      return c.json(problem('invalid', 'The body has to be {"url": "https://…"} or empty.'), 400);
    return c.json(await deps.examine(asked.data));
  });
  return route;
}
