/**
 * Names that a message or a form carries and a click brings back: what is written in one place and read in another.
 * Everything that comes back is parsed: it was signed by Slack, but a client wrote it.
 */
import * as z from 'zod';
import { repositoryRefSchema, slackChannelIdSchema, slackTsSchema, taskOptionsSchema } from '../core/task.ts';

/** `action_id` of buttons and menus. Those of the choice end in a number, as ids are unique within a block. */
export const actionIds = {
  cancel: 'task.cancel',
  retry: 'task.retry',
  log: 'task.log',
  approve: 'task.approve',
  change: 'task.change',
  choose: 'task.choose',
  /** A link: Slack reports the click, and there is nothing to do. */
  openPullRequest: 'task.open',
} as const;

export const callbackIds = {
  form: 'task.form',
  log: 'task.log.view',
  shortcut: 'run_codex_on_this',
} as const;

/** Block and action ids of the form's fields; both the same for each. */
export const formFields = { repository: 'repository', branch: 'branch', instruction: 'instruction' } as const;

const taskId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/);

/** `action_id` of the nth button of a choice, from 1. The menu that stands for more than five of them is plain `choose`. */
export function chooseButtonId(n: number): string {
  return `${actionIds.choose}.${n}`;
}

const choiceBlock = 'choice:';
/** `block_id` of the menu of a choice: the value of its options has no room for the task beside the repository. */
export function choiceBlockId(ofTask: string): string {
  return `${choiceBlock}${ofTask}`;
}
/** The task that a choice's menu belongs to; null for any other block. */
export function choiceTask(blockId: string): string | null {
  const parsed = taskId.safeParse(blockId.startsWith(choiceBlock) ? blockId.slice(choiceBlock.length) : null);
  return parsed.success ? parsed.data : null;
}

/** `value` of a button; at most 2,000 characters in Slack. */
export const buttonValueSchema = z.strictObject({
  taskId,
  /** What a choice chooses. */
  repository: repositoryRefSchema.optional(),
  /** What an approval is bound to. */
  changeHash: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});
export type ButtonValue = z.infer<typeof buttonValueSchema>;

/** `private_metadata` of the form: where its task belongs, and what it is asked with that no field shows. At most 3,000 characters in Slack. */
export const formMetadataSchema = z.strictObject({
  channelId: slackChannelIdSchema,
  threadTs: slackTsSchema.nullable(),
  messageTs: slackTsSchema.nullable(),
  /** The task that this one replaces: it is cancelled when the form is sent. */
  replaces: taskId.nullable(),
  /** Of the task that is replaced; the branch has a field of its own. The default is for forms that an earlier version opened. */
  options: taskOptionsSchema.omit({ base: true }).default({}),
});
export type FormMetadata = z.infer<typeof formMetadataSchema>;
