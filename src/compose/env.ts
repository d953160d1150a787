/** The bindings of the Worker. `settings.ts` parses the settings from the same object. */
import type { TaskStart } from '../core/task.ts';
import type { ContainerObject } from '../sandbox/cloudflare-object.ts';
import type { DeliveriesBase } from '../tasks/queue/deliveries.ts';
import type { MetricsBase } from '../tasks/queue/metrics.ts';
import type { SlotsBase } from '../tasks/queue/slots.ts';
import type { TaskInboxBase } from '../tasks/queue/task-inbox.ts';
import type { TaskIndexBase } from '../tasks/queue/task-index.ts';
import type { TaskLedgerBase } from '../tasks/queue/task-ledger.ts';
import type { TaskRecordBase } from '../tasks/record/record.ts';

/** `index.ts` makes the compiler compare it with what is generated from `wrangler.jsonc`. */
export interface Env {
  readonly TASKS: DurableObjectNamespace<TaskRecordBase<Env>>;
  readonly TASK_INDEX: DurableObjectNamespace<TaskIndexBase<Env>>;
  readonly TASK_INBOX: DurableObjectNamespace<TaskInboxBase<Env>>;
  readonly DELIVERIES: DurableObjectNamespace<DeliveriesBase<Env>>;
  readonly METRICS: DurableObjectNamespace<MetricsBase<Env>>;
  readonly LEDGER: DurableObjectNamespace<TaskLedgerBase<Env>>;
  readonly SLOTS: DurableObjectNamespace<SlotsBase<Env>>;
  readonly TASK_WORKFLOW: Workflow<TaskStart>;
  /** The containers; only on Cloudflare. */
  readonly SANDBOX?: DurableObjectNamespace<ContainerObject>;
  /** The bucket that keeps what setup installed; only on Cloudflare, where a deployment binds one. */
  readonly SETUP_CACHE?: R2Bucket;
  /** Cloudflare's id of this upload; only on Cloudflare. */
  readonly DEPLOYED_VERSION?: WorkerVersionMetadata;
  /** Files of `src/web/static`; only on one machine. Cloudflare serves them before the Worker is asked. */
  readonly ASSETS?: Fetcher;
  /** The sandbox host; only on one machine. */
  readonly SANDBOX_HOST?: Fetcher;
  /** Sandboxes that the machine has room for, in decimal digits; only on one machine. */
  readonly SANDBOX_SLOTS?: string;
  /** Proves that an egress request comes from the gateway; only on one machine. */
  readonly SANDBOX_GATEWAY_TOKEN?: string;
  /** Lists tasks for the bot itself, random at each start; only on one machine. */
  readonly HOST_READ_TOKEN?: string;
  /** Random id of this start of the bot, which `/healthz` shows; only on one machine. */
  readonly BOT_ID?: string;
  /** The text of `airlock.config.jsonc`; without it the file that was bundled at deployment counts. */
  readonly AIRLOCK_CONFIG_TEXT?: string;
}
