/** Decides whose access a task needs, and for whom it counts. Its trigger also says where the answer goes. */
import type { TaskRequest } from './task.ts';

/** `operator`: the holder of the API's token or of a one-time link, who is nobody on GitHub or in Slack. */
export type Authority = 'github' | 'slack' | 'operator';

export const operatorName = 'the operator';

export function authorityOf({ trigger, onPage }: Pick<TaskRequest, 'trigger' | 'onPage'>): Authority {
  if (onPage !== undefined) return onPage.by === 'person' ? 'github' : 'operator';
  return trigger.kind === 'api' ? 'operator' : trigger.kind;
}
