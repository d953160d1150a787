/** Wires the doctor without `base.ts`, because it has to work where the settings are incomplete. */
import { Hono } from 'hono';
import type { DoctorReport, Finding } from '../core/finding.ts';
import { runChecks } from '../doctor/check.ts';
import { examine } from '../doctor/doctor.ts';
import { sandboxChecks, sandboxDeadlineMs } from '../doctor/sandbox-checks.ts';
import { sha256Hex } from '../lib/digest.ts';
import { endProbe, openProbe, probeSandbox, probeTaskId } from '../tasks/workflow/probe-sandbox.ts';
import { airlockVersion, codexVersion } from '../version.ts';
import type { DoctorAsked } from '../web/api-requests.ts';
import { doctorRoute } from '../web/doctor-route.ts';
import { performCall, type ParsedCall } from '../web/sandbox-calls.ts';
import { sandboxRoute } from '../web/sandbox-route.ts';
import type { Env } from './env.ts';
import { recordOf } from './objects.ts';
import { platformOf } from './platform.ts';
import { now, platformFetch } from './runtime.ts';

export function composeDoctor(env: Env, path: string): Hono {
  const { API_TOKEN: token }: Readonly<Record<string, unknown>> = { ...env };
  const app = new Hono();
  const apiToken = typeof token === 'string' && token.trim().length >= 16 ? token : null;
  app.route(
    `${path}/sandbox`,
    sandboxRoute({ apiToken, callSandbox: async (uuid, call) => await callSandbox(env, uuid, call) }),
  );
  return app.route(path, doctorRoute({ apiToken, examine: async (asked) => await report(env, asked) }));
}

async function report(env: Env, asked: DoctorAsked): Promise<DoctorReport> {
  const { configText, deploymentId } = platformOf(env);
  return {
    version: airlockVersion,
    codexVersion,
    deploymentId,
    // Lets a checkout compare its file with the deployed one, without showing either.
    configHash: await sha256Hex(configText),
    at: new Date(now()).toISOString(),
    findings: await findings(env, configText, asked),
  };
}

async function findings(
  env: Env,
  configText: string,
  { url, only }: DoctorAsked,
): Promise<readonly Finding[]> {
  const probe = async () => await probeOf(env);
  if (only === 'version') return [];
  if (only === 'sandbox')
    return await runChecks(sandboxChecks(probe), { deadlineMs: sandboxDeadlineMs, secrets: [] });
  return await examine({
    environment: { ...env },
    configText,
    configName: 'airlock.config.jsonc',
    publicUrl: url === undefined ? null : new URL(url).origin,
    probeSandbox: probe,
    fetch: platformFetch,
    now,
  });
}

async function probeOf(env: Env) {
  const sandboxes = platformOf(env).sandboxes();
  const taskId = probeTaskId(crypto.randomUUID());
  return await probeSandbox(taskId, {
    record: recordOf(env, taskId),
    sandbox: sandboxes.get(sandboxes.idFor(taskId)),
    now,
  });
}

/** The record of a probe, which has no grant, watches the sandbox from before its start to its end. */
async function callSandbox(env: Env, uuid: string, call: ParsedCall): Promise<object> {
  const sandboxes = platformOf(env).sandboxes();
  const taskId = probeTaskId(uuid);
  const record = recordOf(env, taskId);
  if (call.method === 'start') await openProbe(taskId, record, now());
  const answer = await performCall(call, sandboxes.get(sandboxes.idFor(taskId)));
  const isOver = call.method === 'destroy' || (call.method === 'start' && 'message' in answer);
  // Without a start there is no record.
  if (isOver) await endProbe(record).catch(() => undefined);
  return answer;
}
