/** `POST /api/doctor` for the holder of `API_TOKEN`. A POST, because it starts a sandbox. */
import { Hono } from 'hono';
import type { DoctorReport } from '../core/finding.ts';
import { refusedAccess } from './access.ts';
import { doctorAskedSchema, type DoctorAsked } from './api-requests.ts';
import { bodyProblem, readJson } from './json-body.ts';
import { allowOnly, problem } from './problem.ts';

export interface DoctorRouteDeps {
  readonly apiToken: string | null;
  /** Never rejects because of what it checks. */
  examine(asked: DoctorAsked): Promise<DoctorReport>;
}

const maxBodyBytes = 1024;

export function doctorRoute(deps: DoctorRouteDeps): Hono {
  const route = new Hono();
  route.post('/', async (c) => {
    const refused = await refusedAccess(c, deps.apiToken);
    if (refused !== null) return refused;
    const body = await readJson(c.req.raw, maxBodyBytes);
    if (body.kind !== 'json') return bodyProblem(c, body.kind, maxBodyBytes);
    // No body: the address is unknown.
    const asked = doctorAskedSchema.safeParse(body.untrusted ?? {});
    if (!asked.success)
      return problem(c, 400, 'invalid', 'The body has to be {"url": "https://…"} or empty.');
    return c.json(await deps.examine(asked.data));
  });
  allowOnly(route, '/', 'POST');
  return route;
}
