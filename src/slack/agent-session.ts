/**
 * Shows a task as the status of its thread, which has Slack's own Stop button
 * (https://docs.slack.dev/ai/agent-sessions). A courtesy: it fails no task, and an app that Slack does not know
 * as an agent is asked once per task.
 *
 * Slack keeps one status per thread and drops one after an hour. So it is set again with each phase of the
 * task and after some minutes, also because an earlier task in the thread may have ended meanwhile.
 */
import type { WebClient } from '@slack/web-api';
import type { AgentStatus, ChatMessageRef } from '../core/chat.ts';
import type { TaskView } from '../core/task-view.ts';
import type { SlackTrigger } from '../core/task.ts';
import { plainLine } from './mrkdwn.ts';
import { slackCall, SlackRefusal } from './web-api.ts';

/** Deadline of a call, in ms. Shorter than for the message, which waits for it. */
export const sessionDeadlineMs = 3000;
/** After this time a status is set again, in ms. */
const refreshMs = 5 * 60_000;
/** Slack's limit for a title is 200 characters. */
const maxTitleChars = 100;

/** A call that failed is made again after this time, in ms: Slack may have asked to wait. */
const retryMs = 60_000;

type Status = Exclude<AgentStatus['status'], 'none' | 'unknown'>;

/** The status to set now; null if the thread shows it, or if there is none to end. */
export function dueStatus(
  view: Pick<TaskView, 'outcome' | 'choices' | 'phase'>,
  shown: AgentStatus | undefined,
  now: number,
): Status | null {
  if (shown?.status === 'none') return null;
  if (view.outcome !== null) return shown === undefined || shown.status === 'active' ? null : 'active';
  if (shown?.status === 'unknown' && now - shown.at < retryMs) return null;
  const wanted = view.choices === null ? 'processing' : 'suspended';
  const isFresh = shown?.status === wanted && shown.phase === view.phase && now - shown.at < refreshMs;
  return isFresh ? null : wanted;
}

export interface SessionUpdate {
  readonly client: WebClient;
  readonly trigger: SlackTrigger;
  readonly view: TaskView;
  readonly now: () => number;
  readonly log: (event: string, fields: Record<string, unknown>) => void;
}

/** Sets the status of the thread of the task's message, if it is due. Returns what is known of it. */
export async function showStatus(
  { client, trigger, view, now, log }: SessionUpdate,
  ref: ChatMessageRef,
): Promise<AgentStatus | undefined> {
  const status = dueStatus(view, ref.agent, now());
  if (status === null) return ref.agent;
  const isInPlace = ref.channelId === trigger.channelId;
  const isMember = isInPlace && (trigger.event === 'mention' || trigger.event === 'message');
  const shown = (set: AgentStatus['status']) => ({ status: set, phase: view.phase, at: now() });
  try {
    const { warning } = await slackCall('agents.sessions.setStatus', () =>
      client.agents.sessions.setStatus({
        channel_id: ref.channelId,
        thread_ts: isInPlace ? (trigger.threadTs ?? ref.ts) : ref.ts,
        status,
        title: plainLine(view.instruction, maxTitleChars) || `Task ${view.shortId}`,
        ...(isMember ? { initiator_user_id: trigger.userId } : {}),
      }),
    );
    // The app is not subscribed to the Stop button's event: Slack shows the status without the button.
    if (warning !== undefined && (ref.agent === undefined || ref.agent.status === 'unknown'))
      log('slack.session_warning', { taskId: view.taskId, warning: warning.slice(0, 200) });
    return shown(status);
  } catch (error) {
    const refused = error instanceof SlackRefusal;
    log(refused ? 'slack.session_refused' : 'slack.session_failed', {
      taskId: view.taskId,
      error: refused ? error.code : String(error),
    });
    return shown(refused ? 'none' : 'unknown');
  }
}
