/** The ids and values of messages and forms. Clicks return them from a client: they are parsed. */
import * as z from 'zod';
import {
  repositoryRefSchema,
  slackChannelIdSchema,
  slackTsSchema,
  taskIdSchema,
  taskOptionsSchema,
} from '../core/task.ts';

/** Choice buttons append a number, because ids must be unique within a block. */
export const actionIds = {
  cancel: 'task.cancel',
  retry: 'task.retry',
  log: 'task.log',
  approve: 'task.approve',
  change: 'task.change',
  choose: 'task.choose',
  /** A link button: Slack reports the click, which needs no handling. */
  openPullRequest: 'task.open',
} as const;

export const callbackIds = {
  form: 'task.form',
  log: 'task.log.view',
  shortcut: 'run_codex_on_this',
} as const;

/** The form's fields. Each name is both the block id and the action id. */
export const formFields = { repository: 'repository', branch: 'branch', instruction: 'instruction' } as const;

/** Counted from 1. The menu for more than five choices has the plain id. */
export function chooseButtonId(n: number): string {
  return `${actionIds.choose}.${n}`;
}

const choiceBlock = 'choice:';
/** It holds the task id, because option values have room only for the repository. */
export function choiceBlockId(ofTask: string): string {
  return `${choiceBlock}${ofTask}`;
}
/** The task id in the `block_id` of a choice menu; null for any other block. */
export function taskIdOfChoiceBlock(blockId: string): string | null {
  const parsed = taskIdSchema.safeParse(
    blockId.startsWith(choiceBlock) ? blockId.slice(choiceBlock.length) : null,
  );
  return parsed.success ? parsed.data : null;
}

/** The `value` of a button. Slack's limit is 2,000 characters. */
export const buttonValueSchema = z.strictObject({
  taskId: taskIdSchema,
  /** The repository that a choice selects. */
  repository: repositoryRefSchema.optional(),
  /** The SHA-256 of the change that an approval covers. */
  changeHash: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});
export type ButtonValue = z.infer<typeof buttonValueSchema>;

/** The task's location and the options without a field. Slack's limit is 3,000 characters. */
export const formMetadataSchema = z.strictObject({
  channelId: slackChannelIdSchema,
  threadTs: slackTsSchema.nullable(),
  messageTs: slackTsSchema.nullable(),
  /** The task to replace, which is cancelled when the form is submitted. */
  replaces: taskIdSchema.nullable(),
  /** The options of the replaced task, except the branch, which has a field. */
  options: taskOptionsSchema.omit({ base: true }).default({}),
});
export type FormMetadata = z.infer<typeof formMetadataSchema>;
