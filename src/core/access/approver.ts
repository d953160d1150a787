/** Decides who may approve a held change, by who asked for it. `vouching.ts` asks for the access. */
import type { Approval } from '../authorization.ts';
import type { TaskRequest } from '../task.ts';

/** Who asked for a change: the request, and the requester's account on GitHub if it is known. */
export interface AskedBy {
  readonly request: Pick<TaskRequest, 'trigger' | 'requester' | 'askedBefore'>;
  readonly account: TaskRequest['requester'];
}

/** Everybody who asked for the same, the latest last: a retry has several. */
export function askersOf({ trigger, requester, askedBefore = [] }: AskedBy['request']) {
  const slackUserId = trigger.kind === 'slack' ? trigger.userId : null;
  return [...askedBefore, { slackUserId, githubId: requester?.id ?? null }].slice(-20);
}

/** Whether the approver is one of those who asked. The holder of the API's token counts as one person. */
export function isAsker({ slackUserId, github }: Approval, { request, account }: AskedBy): boolean {
  const people = [...askersOf(request), { slackUserId: null, githubId: account?.id ?? null }];
  if (slackUserId !== undefined) return people.some((person) => person.slackUserId === slackUserId);
  if (github !== undefined) return people.some(({ githubId }) => githubId === github.id);
  return request.trigger.kind === 'api';
}

export const secondPersonText =
  'The configuration demands a second person for it: somebody else than who asked has to approve the change.';
