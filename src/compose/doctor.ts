/** Wires the doctor without `base.ts`, because it has to work where the settings are incomplete. */
import { Hono } from 'hono';
import type { DoctorReport, Finding } from '../core/finding.ts';
import { runChecks } from '../doctor/check.ts';
import { examine } from '../doctor/doctor.ts';
import { sandboxChecks, sandboxDeadlineMs } from '../doctor/sandbox-checks.ts';
import { sha256Hex } from '../lib/digest.ts';
import { probeSandbox, probeTaskId } from '../tasks/workflow/probe-sandbox.ts';
import { airlockVersion, codexVersion } from '../version.ts';
import type { DoctorAsked } from '../web/api-requests.ts';
import { doctorRoute } from '../web/doctor-route.ts';
import type { Env } from './env.ts';
import { recordOf } from './objects.ts';
import { platformOf } from './platform.ts';
import { now, platformFetch } from './runtime.ts';

export function composeDoctor(env: Env, path: string): Hono {
  const { API_TOKEN: token }: Readonly<Record<string, unknown>> = { ...env };
  const app = new Hono();
  return app.route(
    path,
    doctorRoute({
      apiToken: typeof token === 'string' && token.trim().length >= 16 ? token : null,
      examine: async (asked) => await report(env, asked),
    }),
  );
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
