/** Asks a running Airlock over HTTP for its health and its doctor's findings, and parses the answers. */
import { z } from 'zod';
import { doctorReportSchema, type Finding } from '../../src/core/finding.ts';
import { ask, type Service } from '../../src/doctor/service.ts';

const healthSchema = z.object({ ok: z.literal(true), version: z.string() });
const problemSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) });
const reportSchema = doctorReportSchema.pick({ version: true, configHash: true, findings: true }).extend({
  // Older versions do not report it.
  deploymentId: z.string().nullable().default(null),
});

export type Health =
  | { readonly kind: 'airlock'; readonly version: string }
  /** It runs, but required settings are missing. */
  | { readonly kind: 'not-configured' }
  /** It runs, but can accept nothing: `why` names the remedy. */
  | { readonly kind: 'broken'; readonly why: string }
  | { readonly kind: 'something-else'; readonly status: number }
  | { readonly kind: 'no-answer'; readonly why: string };

/** Asks `/healthz` what answers at `url`. Never rejects. */
export async function askHealth(service: Service, url: string): Promise<Health> {
  const asked = await ask(service, `${url}/healthz`);
  if (!asked.answered) return { kind: 'no-answer', why: asked.why };
  const health = asked.status === 200 ? healthSchema.safeParse(asked.body) : null;
  if (health?.success === true) return { kind: 'airlock', version: health.data.version };
  const problem = problemSchema.safeParse(asked.body).data?.error;
  if (problem?.code === 'not-writable' || problem?.code === 'no-sandbox-host')
    return { kind: 'broken', why: problem.message };
  return problem?.code === 'not-configured'
    ? { kind: 'not-configured' }
    : { kind: 'something-else', status: asked.status };
}

export type WorkerReport =
  | {
      readonly ok: true;
      readonly version: string;
      readonly configHash: string;
      /** Cloudflare’s id of the uploaded version; null on one machine, or if it is not reported. */
      readonly deploymentId: string | null;
      readonly findings: readonly Finding[];
    }
  | { readonly ok: false; readonly status: number | null; readonly why: string };

/** Time limit: the deployment starts a sandbox, whose image can be pulled first. */
const examinationMs = 150_000;

/** Asks `/api/doctor` for findings: all of them, or only the part named in `body`. Never rejects. */
export async function askDoctor(
  { fetch: send, timeoutMs }: { readonly fetch: typeof fetch; readonly timeoutMs?: number },
  url: string,
  apiToken: string,
  body: { readonly url?: string; readonly only?: 'sandbox' | 'version' },
): Promise<WorkerReport> {
  const withBody: typeof fetch = async (input, init) =>
    await send(input, { ...init, body: JSON.stringify(body) });
  const asked = await ask({ fetch: withBody, timeoutMs: timeoutMs ?? examinationMs }, `${url}/api/doctor`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiToken}`, 'content-type': 'application/json' },
  });
  if (!asked.answered) return { ok: false, status: null, why: asked.why };
  const report = asked.status === 200 ? reportSchema.safeParse(asked.body) : null;
  if (report?.success === true) return { ok: true, ...report.data };
  const why = problemSchema.safeParse(asked.body).data?.error.message ?? `status ${asked.status}`;
  return { ok: false, status: asked.status, why };
}
