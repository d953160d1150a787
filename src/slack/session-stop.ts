/**
 * Slack's Stop button on a thread's status: cancels what runs in the thread. Who may is who may press Cancel.
 * https://docs.slack.dev/reference/events/agent_session_stopped
 */
import * as z from 'zod';
import type { AskedAt } from '../core/chat.ts';
import { slackChannelIdSchema, slackTsSchema, slackUserIdSchema } from '../core/task.ts';
import { cancelTask } from './control.ts';
import type { Intake } from './intake.ts';
import { sentences } from './sentences.ts';

export const sessionStoppedSchema = z.object({
  type: z.literal('agent_session_stopped'),
  channel: slackChannelIdSchema,
  user: slackUserIdSchema,
  thread_ts: slackTsSchema,
});

/** The latest tasks of the thread that are looked at. Those before them have ended. */
const maxTasks = 5;

/** Idempotent: what is cancelled already does not run. */
export async function stopThread(
  intake: Intake,
  { channel, user, thread_ts: threadTs }: z.infer<typeof sessionStoppedSchema>,
): Promise<void> {
  const { deps } = intake;
  const said: string[] = [];
  let before: AskedAt | undefined;
  for (let n = 0; n < maxTasks; n += 1) {
    const task = await deps.index.inThread(channel, threadTs, before);
    if (task === null) break;
    before = task;
    const view = await deps.task(task.taskId).view();
    // Words that were added to a task end with it.
    if (view === null || view.outcome !== null || view.ahead?.steers === true) continue;
    said.push(await cancelTask(intake, task.taskId, { userId: user, channelId: channel }));
  }
  // The end of a task takes the status off the thread. Here no task does.
  if (said.length === 0) await intake.endSession(channel, threadTs);
  const text = said.length === 0 ? sentences.nothingRuns : said.join('\n');
  await intake.notifyPerson({ userId: user, channelId: channel, threadTs, text });
}
