/** Asks again, right before publication, whether who approved or asked for the change still may. */
import { maySlackUse, groupsAskedAbout } from '../../core/access/slack-access.ts';
import { isAsker, type AskedBy } from '../../core/access/approver.ts';
import { authorityOf } from '../../core/authority.ts';
import type { Approval, Authorization } from '../../core/authorization.ts';
import { reasonOf } from '../../core/reason.ts';
import type { Reason, TaskRequest } from '../../core/task.ts';
import type { TaskDeps } from './stage.ts';

/** null: the person still may. Rejects if that cannot be asked. */
export async function accessLost(
  request: TaskRequest,
  authorization: Authorization,
  approval: Approval | null,
  deps: TaskDeps,
): Promise<Reason | null> {
  const { trigger, requester } = request;
  if (approval !== null) {
    const { slackUserId, github } = approval;
    const may =
      slackUserId !== undefined
        ? await maySlackPublish(slackUserId, request, authorization, deps)
        : github === undefined || (await deps.codeHost.canWrite(authorization.facts, github));
    return may ? null : lost(`${approval.by}, who approved this change,`);
  }
  switch (authorityOf(request)) {
    case 'operator':
      return null;
    case 'github': {
      const may = requester !== null && (await deps.codeHost.canWrite(authorization.facts, requester));
      return may ? null : lost(requester === null ? 'The person who asked' : `\`${requester.login}\``);
    }
    case 'slack':
      return trigger.kind === 'slack' && (await maySlackPublish(trigger.userId, request, authorization, deps))
        ? null
        : lost('The person who asked');
  }
}

function lost(who: string): Reason {
  return reasonOf('access-lost', { who });
}

async function maySlackPublish(
  userId: string,
  { trigger }: TaskRequest,
  { policy }: Authorization,
  { chat, policy: { slack } }: TaskDeps,
): Promise<boolean> {
  if (trigger.kind !== 'slack' || chat === null || slack === null) return false;
  const person = await chat.person(userId, groupsAskedAbout([policy.slack]));
  return maySlackUse(policy.slack, { channelId: trigger.channelId, person, team: slack.team }).allowed;
}

/** How the approver is named in the pull request, which says if the same person asked and approved. */
export function approverText(approval: Approval, asked: AskedBy): string {
  const { by } = approval;
  return isAsker(approval, asked) ? `${by.slice(0, 60)}, who also asked for this change,` : by;
}
