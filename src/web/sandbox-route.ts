/**
 * `POST /api/doctor/sandbox` for the holder of `API_TOKEN`: one call of the sandbox contract in a sandbox of
 * the doctor's own, which has no grant and which nothing else can name. `npm run doctor -- --deep` checks the
 * contract by it.
 */
import { Hono } from 'hono';
import * as z from 'zod';
import { refusedAccess } from './access.ts';
import { bodyProblem, readJson } from './json-body.ts';
import { allowOnly, problem } from './problem.ts';
import { callSchema, type ParsedCall } from './sandbox-calls.ts';

export interface SandboxRouteDeps {
  readonly apiToken: string | null;
  /** Never rejects because of how the call ends. `uuid` names a sandbox of the doctor's. */
  callSandbox(uuid: string, call: ParsedCall): Promise<object>;
}

const bodySchema = z.strictObject({ sandbox: z.uuid(), call: callSchema });
/** The contract writes files of 3 MiB, as base64. */
const maxBodyBytes = 8 * 1024 * 1024;

export function sandboxRoute(deps: SandboxRouteDeps): Hono {
  const route = new Hono();
  route.post('/', async (c) => {
    const refused = await refusedAccess(c, deps.apiToken);
    if (refused !== null) return refused;
    const body = await readJson(c.req.raw, maxBodyBytes);
    if (body.kind !== 'json') return bodyProblem(c, body.kind, maxBodyBytes);
    const asked = bodySchema.safeParse(body.untrusted);
    if (!asked.success)
      return problem(c, 400, 'invalid', 'The body has to be {"sandbox": "a UUID", "call": {"method": …}}.');
    return c.json(await deps.callSandbox(asked.data.sandbox, asked.data.call));
  });
  allowOnly(route, '/', 'POST');
  return route;
}
