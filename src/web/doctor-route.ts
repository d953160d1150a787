/** `POST /api/doctor` for the holder of `API_TOKEN`. A POST, because it starts a sandbox. */
import { Hono } from 'hono';
import * as z from 'zod';
import { refusedAccess } from './access.ts';
import { bodyProblem, readJson } from './json-body.ts';
import { allowOnly, problem } from './problem.ts';

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
  /** `sandbox`: only that check, for a Worker started for it. `version`: no check, no sandbox. */
  only: z.enum(['sandbox', 'version']).optional(),
});
export type DoctorAsked = z.infer<typeof askedSchema>;

const maxBodyBytes = 1024;

export function doctorRoute(deps: DoctorRouteDeps): Hono {
  const route = new Hono();
  route.post('/', async (c) => {
    const refused = await refusedAccess(c, deps.apiToken);
    if (refused !== null) return refused;
    const body = await readJson(c.req.raw, maxBodyBytes);
    if (body.kind !== 'json') return bodyProblem(c, body.kind, maxBodyBytes);
    // No body: the address is unknown.
    const asked = askedSchema.safeParse(body.untrusted ?? {});
    if (!asked.success)
      return problem(c, 400, 'invalid', 'The body has to be {"url": "https://…"} or empty.');
    return c.json(await deps.examine(asked.data));
  });
  allowOnly(route, '/', 'POST');
  return route;
}
