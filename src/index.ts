/** Composition root of the Worker: the classes and handlers that the platform knows by name. All shells. */
import {
  WorkerEntrypoint,
  WorkflowEntrypoint,
  type WorkflowEvent,
  type WorkflowStep,
} from 'cloudflare:workers';
import { composeDoctor, doctorPath } from './compose/doctor.ts';
import {
  composeApp,
  composeEgress,
  composeInbox,
  composeRecord,
  composeSlots,
  composeTask,
  retentionMsOf,
} from './compose/tasks.ts';
import { composeSweep } from './compose/sweep.ts';
import { taskStartSchema, type TaskOutcome, type TaskStart } from './core/task.ts';
import type { Env } from './compose/env.ts';
import { connectOutbound } from './sandbox/cloudflare.ts';
import { log } from './compose/runtime.ts';
import { handleLocalEgress } from './sandbox/local-egress.ts';
import type { RecordDeps } from './tasks/record/record-core.ts';
import { TaskRecordBase } from './tasks/record/record.ts';
import { SlotsBase, type SlotsDeps } from './tasks/queue/slots.ts';
import { TaskInboxBase, type InboxDeps } from './tasks/queue/task-inbox.ts';
import { TaskIndexBase } from './tasks/queue/task-index.ts';
import { sweep } from './tasks/queue/sweep.ts';
import { runTask } from './tasks/workflow/workflow.ts';

/** Sandboxes on Cloudflare, and what their requests pass. The interceptor finds both among this module's exports, by their names. */
export { ContainerProxy, TaskSandbox } from './sandbox/cloudflare.ts';

// When the module is loaded, not later: a container's request may be the first thing that an isolate is started for.
connectOutbound((env: Env, waitUntil) => composeEgress(env, waitUntil));

export default {
  async fetch(request, env, context): Promise<Response> {
    if (new URL(request.url).pathname === doctorPath)
      return await composeDoctor(env).fetch(request, env, context);
    let app;
    try {
      app = composeApp(env);
    } catch (error) {
      // A deployment that is not complete accepts nothing: a 200 here would lose the trigger.
      log('settings.invalid', { error: String(error) });
      return Response.json(
        {
          error: {
            code: 'not-configured',
            message: 'This Airlock is not configured; its log says what is missing.',
          },
        },
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
    return retentionMsOf(this.env);
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
    return await runTask(start, step, composeTask(this.env, start.request.taskId));
  }
}

/** Where the gateway of the local sandboxes hands in requests. Not routed to from outside, and useless without its token. */
export class EgressGateway extends WorkerEntrypoint<Env> {
  override async fetch(request: Request): Promise<Response> {
    return await handleLocalEgress(
      request,
      this.env.SANDBOX_GATEWAY_TOKEN ?? '',
      composeEgress(this.env, (work) => this.ctx.waitUntil(work)),
    );
  }
}
