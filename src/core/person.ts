/** Names the person who asked, for limits and sums. A person's accounts on GitHub and in Slack are two. */
import type { TaskRequest } from './task.ts';

/** `github:ID` or `slack:TEAM:USER`; null for the API, whose token is nobody. */
export function personOf({ trigger, requester }: Pick<TaskRequest, 'trigger' | 'requester'>): string | null {
  if (trigger.kind === 'slack') return `slack:${trigger.teamId}:${trigger.userId}`;
  return requester === null ? null : `github:${requester.id}`;
}
