/**
 * The classes and handlers that the platform knows by name. They hold no logic. What few requests need is
 * imported when it is needed, so that the Worker starts faster (`host/build-worker.ts`).
 *
 * Its sandboxes run over the platform's own container interface. `index-sdk.ts` is the same Worker with
 * sandboxes over the SDK. Two entries and no switch at run time: the SDK would be most of the bundle.
 */
import {
  WorkerEntrypoint,
  WorkflowEntrypoint,
  type WorkflowEvent,
  type WorkflowStep,
} from 'cloudflare:workers';
import { composeApp } from './compose/app.ts';
import { baseOf } from './compose/base.ts';
import { composeDeliveries } from './compose/deliveries.ts';
import { composeEgress } from './compose/egress.ts';
import type { Env } from './compose/env.ts';
import { composeInbox } from './compose/instances.ts';
import { platformOf } from './compose/platform.ts';
import { composeRecord } from './compose/record.ts';
import { log } from './compose/runtime.ts';
import { composeSlots } from './compose/slots.ts';
import { composeSweep } from './compose/sweep.ts';
import { taskStartSchema, type TaskOutcome, type TaskStart } from './core/task.ts';
import { answerContainer } from './sandbox/cloudflare-egress.ts';
import { handleLocalEgress } from './sandbox/local-egress.ts';
import { DeliveriesBase, type DeliveriesDeps } from './tasks/queue/deliveries.ts';
import { MetricsBase } from './tasks/queue/metrics.ts';
import { SlotsBase, type SlotsDeps } from './tasks/queue/slots.ts';
import { sweep } from './tasks/queue/sweep.ts';
import { TaskInboxBase, type InboxDeps } from './tasks/queue/task-inbox.ts';
import { TaskIndexBase } from './tasks/queue/task-index.ts';
import { TaskLedgerBase } from './tasks/queue/task-ledger.ts';
import { TaskRecordBase, type RecordDeps } from './tasks/record/record.ts';

export { TaskSandbox } from './sandbox/native/native-sandbox.ts';

/** The same path for a deployment that is complete and for one that is not. */
const doctorPath = '/api/doctor';

export default {
  async fetch(request, env, context): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === doctorPath || pathname.startsWith(`${doctorPath}/`)) {
      const { composeDoctor } = await import('./compose/doctor.ts');
      return await composeDoctor(env, doctorPath).fetch(request, env, context);
    }
    let app;
    try {
      app = composeApp(env);
    } catch (error) {
      // An incomplete deployment accepts nothing: a 200 would lose the trigger.
      log('settings.invalid', { error: String(error) });
      const reason = 'This Airlock is not configured; its log says what is missing.';
      const health = pathname === '/healthz' ? { ok: false, status: 'broken', reason } : {};
      return Response.json(
        { ...health, error: { code: 'not-configured', message: reason } },
        { status: 503 },
      );
    }
    return await app.fetch(request, env, context);
  },

  async scheduled(_controller, env): Promise<void> {
    try {
      await sweep(composeSweep(env));
    } catch (error) {
      log('sweep.failed', { error: String(error) });
    }
  },
} satisfies ExportedHandler<Env>;

export class TaskRecord extends TaskRecordBase<Env> {
  #deps: RecordDeps | null = null;

  protected override deps(): RecordDeps {
    this.#deps ??= composeRecord(this.env);
    return this.#deps;
  }
}

export class TaskInbox extends TaskInboxBase<Env> {
  #deps: InboxDeps | null = null;

  protected override deps(): InboxDeps {
    this.#deps ??= composeInbox(this.env);
    return this.#deps;
  }
}

export class TaskIndex extends TaskIndexBase<Env> {
  protected override retentionMs(): number {
    return baseOf(this.env).retentionMs;
  }
}

export class TaskLedger extends TaskLedgerBase<Env> {}

export class Metrics extends MetricsBase<Env> {
  protected override retentionMs(): number {
    return baseOf(this.env).retentionMs;
  }
}

export class Deliveries extends DeliveriesBase<Env> {
  #deps: DeliveriesDeps | null = null;

  protected override deps(): DeliveriesDeps {
    this.#deps ??= composeDeliveries(this.env);
    return this.#deps;
  }
}

export class Slots extends SlotsBase<Env> {
  #deps: SlotsDeps | null = null;

  protected override deps(): SlotsDeps {
    this.#deps ??= composeSlots(this.env);
    return this.#deps;
  }
}

export class TaskWorkflow extends WorkflowEntrypoint<Env, TaskStart> {
  override async run(event: Readonly<WorkflowEvent<TaskStart>>, step: WorkflowStep): Promise<TaskOutcome> {
    const start = taskStartSchema.parse(event.payload);
    const { runTaskOf } = await import('./compose/task.ts');
    return await runTaskOf(this.env, start, step);
  }
}

/** Takes every request of every container. `native-sandbox.ts` registers it by this name. */
export class SandboxEgress extends WorkerEntrypoint<Env, { readonly sandboxId: string }> {
  override async fetch(request: Request): Promise<Response> {
    return await answerContainer(request, this.ctx.props.sandboxId, () =>
      composeEgress(this.env, (work) => this.ctx.waitUntil(work)),
    );
  }
}

/** For the gateway of one machine. No route leads here, and without the token it refuses. */
export class EgressGateway extends WorkerEntrypoint<Env> {
  override async fetch(request: Request): Promise<Response> {
    return await handleLocalEgress(
      request,
      platformOf(this.env).gatewayToken,
      composeEgress(this.env, (work) => this.ctx.waitUntil(work)),
    );
  }
}
