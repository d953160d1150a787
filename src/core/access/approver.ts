/** Decides who may approve a held change, by who asked for it. `vouching.ts` asks for the access. */
import type { Approval } from '../authorization.ts';
import type { TaskRequest } from '../task.ts';
import { authorityOf } from '../authority.ts';

/** Who asked for a change: the request, and the requester's account on GitHub if it is known. */
export interface AskedBy {
  readonly request: Pick<TaskRequest, 'trigger' | 'requester' | 'askedBefore' | 'onPage'>;
  readonly account: TaskRequest['requester'];
}

/** Everybody who asked for the same, the latest last: a retry has several. */
export function askersOf(request: AskedBy['request']) {
  const { trigger, requester, askedBefore = [] } = request;
  const isInSlack = trigger.kind === 'slack' && authorityOf(request) === 'slack';
  const slackUserId = isInSlack ? trigger.userId : null;
  return [...askedBefore, { slackUserId, githubId: requester?.id ?? null }].slice(-20);
}

/** Whether the approver is one of those who asked. Holders of the API's token or of a link count as one. */
export function isAsker({ slackUserId, github }: Approval, { request, account }: AskedBy): boolean {
  const asked = askersOf(request);
  const people = [...asked, { slackUserId: null, githubId: account?.id ?? null }];
  if (slackUserId !== undefined) return people.some((person) => person.slackUserId === slackUserId);
  if (github !== undefined) return people.some(({ githubId }) => githubId === github.id);
  return asked.some((person) => person.slackUserId === null && person.githubId === null);
}

export const secondPersonText =
  'The configuration demands a second person for it: somebody else than who asked has to approve the change.';
