/**
 * What the platform binds to the Worker, and what is decided by where it runs: on Cloudflare sandboxes are containers, on one machine they
 * are lent by the sandbox host. Settings are not here (`settings.ts`): they are parsed from the same object.
 */
import type { Sandboxes, TaskSandbox as SandboxPort } from '../core/ports/sandbox-port.ts';
import type { SetupCache } from '../core/ports/setup-cache-port.ts';
import type { SlotAnswer, Slots } from '../core/ports/slots-port.ts';
import type { TaskStart } from '../core/task.ts';
import { withDeadline } from '../lib/with-deadline.ts';
import { cloudflareSandboxes } from '../sandbox/cloudflare-sandboxes.ts';
import type { TaskSandbox } from '../sandbox/cloudflare.ts';
import { localSetupCache } from '../sandbox/local-setup-cache.ts';
import { localSandboxes } from '../sandbox/local.ts';
import { r2SetupCache } from '../sandbox/r2-setup-cache.ts';
import { taskLimits } from '../tasks/limits.ts';
import type { WorkflowEventType } from '../tasks/record/record-core.ts';
import type { TaskRecordBase } from '../tasks/record/record.ts';
import type { SlotsBase } from '../tasks/queue/slots.ts';
import type { TaskInboxBase } from '../tasks/queue/task-inbox.ts';
import type { TaskIndexBase } from '../tasks/queue/task-index.ts';

/** Has to fit what `wrangler.jsonc` binds: the compiler compares it with `worker-configuration.d.ts`, which is made from that, in `index.ts`. */
export interface Env {
  readonly TASKS: DurableObjectNamespace<TaskRecordBase<Env>>;
  readonly TASK_INDEX: DurableObjectNamespace<TaskIndexBase<Env>>;
  readonly TASK_INBOX: DurableObjectNamespace<TaskInboxBase<Env>>;
  readonly SLOTS: DurableObjectNamespace<SlotsBase<Env>>;
  readonly TASK_WORKFLOW: Workflow<TaskStart>;
  /** The containers; not there on one machine. */
  readonly SANDBOX?: DurableObjectNamespace<TaskSandbox>;
  /** Where setup keeps what it installed, on Cloudflare; not there unless a deployment binds a bucket of its own. */
  readonly SETUP_CACHE?: R2Bucket;
  /** The sandbox host of this machine; only there on one machine. */
  readonly SANDBOX_HOST?: Fetcher;
  /** For how many sandboxes this machine has room, in decimal digits; only there on one machine. */
  readonly SANDBOX_SLOTS?: string;
  /** Proves to the egress door that a request comes from the gateway; made anew at each start of the host. */
  readonly SANDBOX_GATEWAY_TOKEN?: string;
  /** Which upload this is, by Cloudflare's own id; not there on one machine. */
  readonly DEPLOYED_VERSION?: WorkerVersionMetadata;
  /** The configuration of this machine; on Cloudflare the file is bundled at deployment. */
  readonly AIRLOCK_CONFIG_TEXT?: string;
}

/** The id of a sandbox is what the egress handler is told about who asks. `SANDBOX_HOST` comes first: a host is bound only on purpose. */
export function sandboxesOf(env: Env): Sandboxes {
  // Any injective function of the task's id into 64 hex digits serves the host; this one is at hand and needs no digest.
  if (env.SANDBOX_HOST !== undefined)
    return localSandboxes(env.SANDBOX_HOST, (taskId) => env.TASKS.idFromName(`sandbox:${taskId}`).toString());
  if (env.SANDBOX !== undefined) return cloudflareSandboxes(env.SANDBOX);
  throw new Error('no sandbox binding: this Worker cannot run tasks here');
}

/** null: there is none here, and each setup begins from nothing. */
export function setupCacheOf(env: Env, taskId: string, sandbox: SandboxPort): SetupCache | null {
  if (env.SANDBOX_HOST !== undefined)
    return localSetupCache(env.SANDBOX_HOST, sandboxesOf(env).idFor(taskId));
  return env.SETUP_CACHE === undefined ? null : r2SetupCache(env.SETUP_CACHE, sandbox);
}

/** The record is found by the sandbox's id, because the egress handler knows nothing else. */
export function recordOf(env: Env, taskId: string) {
  return env.TASKS.get(env.TASKS.idFromName(sandboxesOf(env).idFor(taskId)));
}

/** One object for all tasks, so that no two of them get the last slot. */
export function slotsOf(env: Env): Slots {
  const object = env.SLOTS.get(env.SLOTS.idFromName('slots'));
  return {
    request: async (claim) => {
      const asked = async (): Promise<SlotAnswer> => await object.request(claim);
      return await withDeadline(asked(), taskLimits.slotCallMs, 'asking for a slot');
    },
    release: async (taskId) =>
      await withDeadline(object.release(taskId), taskLimits.slotCallMs, 'giving back a slot'),
  };
}

/** Rejects when there is no such instance. */
export async function sendToInstance(env: Env, instanceId: string, type: WorkflowEventType): Promise<void> {
  const instance = await env.TASK_WORKFLOW.get(instanceId);
  await instance.sendEvent({ type, payload: {} });
}

/**
 * What Codex is told of OpenAI. Cloudflare's interceptor ends TLS without `close_notify`, which rustls, and so Codex, takes for a broken
 * answer (cloudflare/containers#220). In clear the request goes no further than the interceptor on the same machine; the handler goes out
 * over HTTPS in either case.
 */
export function insideOpenaiBaseUrl(env: Env): string {
  return env.SANDBOX_HOST === undefined ? 'http://api.openai.com/v1' : 'https://api.openai.com/v1';
}
