/** Names the person who asked, for limits and sums. A person's accounts on GitHub and in Slack are two. */
import { authorityOf } from './authority.ts';
import type { TaskRequest } from './task.ts';

/** `github:ID` or `slack:TEAM:USER`; null for the API and the operator, who are nobody. */
export function personOf(request: Pick<TaskRequest, 'trigger' | 'requester' | 'onPage'>): string | null {
  const { trigger, requester } = request;
  if (trigger.kind === 'slack' && authorityOf(request) === 'slack')
    return `slack:${trigger.teamId}:${trigger.userId}`;
  return requester === null ? null : `github:${requester.id}`;
}
