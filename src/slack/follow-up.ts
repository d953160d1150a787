/** Decides whether a reply without a mention is meant for the task of its thread. */
import type { AskedAt } from '../core/chat.ts';
import type { Intake } from './intake.ts';

export interface Reply {
  readonly channelId: string;
  readonly threadTs: string;
  readonly userId: string;
}

/** The latest tasks of the thread that are looked at: words that were added to a task are the latest one. */
const maxTasks = 5;

/** Below a task's own post every reply is; in an older thread, only those of people who asked there. */
export async function isFollowUp(
  { deps, slack }: Intake,
  { channelId, threadTs, userId }: Reply,
): Promise<boolean> {
  if (slack.replies !== 'all') return false;
  let before: AskedAt | undefined;
  for (let n = 0; n < maxTasks; n += 1) {
    const task = await deps.index.inThread(channelId, threadTs, before);
    if (task === null) return false;
    if (task.postedTs === threadTs || task.userId === userId) return true;
    before = task;
  }
  return false;
}
