/** Handles clicks on a task's message. Returns a sentence, or null if a view was opened. */
import * as z from 'zod';
import { parseRepositoryRef } from '../core/ids.ts';
import { slackChannelIdSchema, slackTsSchema, slackUserIdSchema } from '../core/task.ts';
import { admitActor, approveTask, cancelTask, chooseRepository, retryTask, type Actor } from './control.ts';
import type { Intake } from './intake.ts';
import { logView } from './log-view.ts';
import { actionIds, buttonValueSchema, taskIdOfChoiceBlock, type ButtonValue } from './names.ts';
import { sentences } from './sentences.ts';
import { taskForm } from './task-form.ts';
import { parsePayload } from './unreadable.ts';
import { parseJson } from '../lib/parse-json.ts';

const clickSchema = z.object({
  user: z.object({ id: slackUserIdSchema }),
  channel: z.object({ id: slackChannelIdSchema }),
  /** Missing for an ephemeral message, which Slack does not store. */
  message: z.object({ ts: slackTsSchema, thread_ts: slackTsSchema.nullish() }).nullish(),
  container: z
    .object({
      message_ts: slackTsSchema.nullish(),
      thread_ts: slackTsSchema.nullish(),
      is_ephemeral: z.boolean().nullish(),
    })
    .nullish(),
  trigger_id: z.string().min(1).max(200),
  actions: z
    .array(
      z.object({
        action_id: z.string(),
        block_id: z.string().max(255),
        /** Set by a button. */
        value: z.string().max(2000).optional(),
        /** Set by a menu. */
        selected_option: z.object({ value: z.string().max(150) }).nullish(),
      }),
    )
    .length(1),
});

/** The `action_id` of a choice: a button, or the menu that replaces more than five buttons. */
const choiceIdPattern = /^task\.choose(?:\.\d{1,3})?$/;
/** Matches every `action_id` handled here: all of `actionIds` except the link. */
export const clickPattern = /^task\.(?:cancel|retry|log|approve|change|choose(?:\.\d{1,3})?)$/;

/** Slack's limit for a text input, in characters. A longer instruction cannot be edited in the form. */
const maxFormInstructionChars = 3000;

type Clicked = z.infer<typeof clickSchema>;
type Click = Clicked['actions'][number];

/** Of a button, or built from a menu's block id and selected option. Null if invalid. */
function readValue({
  action_id: id,
  block_id: block,
  value,
  selected_option: option,
}: Click): ButtonValue | null {
  if (id === actionIds.choose) {
    const taskId = taskIdOfChoiceBlock(block);
    const repository = parseRepositoryRef(option?.value ?? '');
    return taskId === null || repository === null ? null : { taskId, repository };
  }
  return buttonValueSchema.safeParse(parseJson(value ?? '')).data ?? null;
}

/** The root of the clicked message's thread. Null for an ephemeral message, which cannot have replies. */
function threadOf({ message, container }: Pick<Clicked, 'message' | 'container'>): string | null {
  if (container?.is_ephemeral === true) return null;
  return message?.thread_ts ?? message?.ts ?? container?.thread_ts ?? container?.message_ts ?? null;
}

/** Handles a click. Throws `UnreadablePayloadError` if the payload has an unknown format. */
export async function answerAction(intake: Intake, body: unknown): Promise<string | null> {
  const clicked = parsePayload(clickSchema, body);
  const { user, channel, trigger_id: triggerId, actions } = clicked;
  const [click] = actions;
  const value = click === undefined ? null : readValue(click);
  if (click === undefined || value === null) return sentences.unclear;
  const actor: Actor = { userId: user.id, channelId: channel.id };
  if (choiceIdPattern.test(click.action_id)) {
    return value.repository === undefined
      ? sentences.unclear
      : await chooseRepository(intake, value.taskId, actor, value.repository);
  }
  switch (click.action_id) {
    case actionIds.cancel:
      return await cancelTask(intake, value.taskId, actor);
    case actionIds.retry:
      return await retryTask(intake, value.taskId, { ...actor, threadTs: threadOf(clicked) });
    case actionIds.approve:
      return value.changeHash === undefined
        ? sentences.unclear
        : await approveTask(intake, value.taskId, actor, value.changeHash);
    case actionIds.log:
      return await openLog(intake, value.taskId, actor, triggerId);
    case actionIds.change:
      return await openChange(intake, value.taskId, actor, triggerId);
    default:
      return sentences.unclear;
  }
}

async function openLog(
  intake: Intake,
  taskId: string,
  actor: Actor,
  triggerId: string,
): Promise<string | null> {
  const admitted = await admitActor(intake, taskId, actor);
  if (!admitted.ok) return admitted.sentence;
  await intake.openView(triggerId, logView(admitted.view, await admitted.task.events()));
  return null;
}

/** Opens the form that replaces the task. The new task keeps the channel and thread. */
async function openChange(
  intake: Intake,
  taskId: string,
  actor: Actor,
  triggerId: string,
): Promise<string | null> {
  const admitted = await admitActor(intake, taskId, actor);
  if (!admitted.ok) return admitted.sentence;
  const { request, trigger, repository } = admitted;
  const { base = null, ...options } = request.options;
  if (request.instruction.length > maxFormInstructionChars) {
    return (
      'The text of this task is too long for a Slack form. Cancel the task and ask again, with the ' +
      'repository in front.'
    );
  }
  await intake.openView(
    triggerId,
    taskForm({
      metadata: {
        channelId: trigger.channelId,
        threadTs: trigger.threadTs,
        messageTs: trigger.messageTs,
        replaces: taskId,
        options,
      },
      repository,
      branch: base,
      instruction: request.instruction,
      replacing: true,
    }),
  );
  return null;
}
