/**
 * The Worker of a deployment whose sandboxes are the sandbox SDK's (`npm run deploy -- --sandbox sdk`). Both
 * classes have the same name and binding, so migrations and records stay when a deployment changes its entry.
 * Names each class, because wrangler finds none behind `export *` when it generates the bindings' types.
 */
import { composeEgress } from './compose/egress.ts';
import type { Env } from './compose/env.ts';
import { connectOutbound } from './sandbox/sdk/sdk-sandbox.ts';

export {
  default,
  Deliveries,
  EgressGateway,
  Metrics,
  Slots,
  TaskInbox,
  TaskIndex,
  TaskLedger,
  TaskRecord,
  TaskWorkflow,
} from './index.ts';
/** The interceptor finds both by their names among this module's exports. */
export { ContainerProxy, TaskSandbox } from './sandbox/sdk/sdk-sandbox.ts';

// At module load, because an isolate may be started only for a container's request.
connectOutbound((env: Env, waitUntil) => composeEgress(env, waitUntil));
