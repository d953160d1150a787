/** Wires the doctor for a Worker. Apart from `composition.ts`, because it has to work where that refuses to: without settings that are whole. */
import bundledConfig from '../../airlock.config.jsonc';
import { Hono } from 'hono';
import { examine } from '../doctor/doctor.ts';
import { runChecks, type Finding } from '../doctor/check.ts';
import { sandboxChecks, sandboxDeadlineMs } from '../doctor/sandbox-checks.ts';
import { recordOf, sandboxesOf, type Env } from './env.ts';
import { probeSandbox, probeTaskId } from '../tasks/workflow/probe-sandbox.ts';
import { airlockVersion, codexVersion } from '../version.ts';
import { doctorRoute, type DoctorAsked } from '../web/doctor-route.ts';
import { sha256Hex } from '../lib/digest.ts';

/** Where it answers; the same for a deployment that is complete and for one that is not. */
export const doctorPath = '/api/doctor';

export function composeDoctor(env: Env): Hono {
  const { API_TOKEN: token }: Readonly<Record<string, unknown>> = { ...env };
  const app = new Hono();
  return app.route(
    doctorPath,
    doctorRoute({
      apiToken: typeof token === 'string' && token.trim().length >= 16 ? token : null,
      examine: async (asked) => await report(env, asked),
    }),
  );
}

async function report(env: Env, { url, only }: DoctorAsked): Promise<object> {
  const configText = env.AIRLOCK_CONFIG_TEXT ?? bundledConfig;
  const findings =
    only === 'version'
      ? []
      : only === 'sandbox'
        ? await sandboxOnly(env)
        : await everything(env, configText, url);
  return {
    version: airlockVersion,
    codexVersion,
    deploymentId: env.DEPLOYED_VERSION?.id ?? null,
    // Tells whether it is the file of a checkout, without showing it.
    configHash: await sha256Hex(configText),
    at: new Date().toISOString(),
    findings,
  };
}

async function everything(
  env: Env,
  configText: string,
  url: string | undefined,
): Promise<readonly Finding[]> {
  return await examine({
    environment: { ...env },
    configText,
    configName: 'airlock.config.jsonc',
    publicUrl: url === undefined ? null : new URL(url).origin,
    probeSandbox: async () => await probe(env),
    // workerd's own fetch refuses to be called as a method of something else.
    fetch: async (input, init) => await fetch(input, init),
    now: () => Date.now(),
  });
}

async function sandboxOnly(env: Env): Promise<readonly Finding[]> {
  return await runChecks(
    sandboxChecks(async () => await probe(env)),
    {
      deadlineMs: sandboxDeadlineMs,
      secrets: [],
    },
  );
}

async function probe(env: Env) {
  const sandboxes = sandboxesOf(env);
  const taskId = probeTaskId(crypto.randomUUID());
  return await probeSandbox(taskId, {
    record: recordOf(env, taskId),
    sandbox: sandboxes.get(sandboxes.idFor(taskId)),
    now: () => Date.now(),
  });
}
