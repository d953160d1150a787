/**
 * The Worker of a deployment whose sandboxes are the sandbox SDK's (`npm run deploy -- --sandbox sdk`). Names
 * each class, because wrangler finds none behind `export *` when it generates the types of the bindings.
 */
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
export { ContainerProxy, TaskSandbox } from './sandbox/cloudflare.ts';
