/** Handles the form: opens it, suggests repositories, and accepts a submission or shows its errors. */
import { reasonText } from '../core/reason.ts';
import type { ViewErrorsResponseAction } from '@slack/bolt';
import type { PlainTextOption } from '@slack/types';
import * as z from 'zod';
import { isBranchName } from '../core/ask/branch-name.ts';
import { stripHiddenCharacters } from '../core/ask/hidden-characters.ts';
import { parseRepositoryRef, slackTaskId } from '../core/ids.ts';
import { groupsAskedAbout, maySlackUse } from '../core/access/slack-access.ts';
import {
  slackChannelIdSchema,
  slackTsSchema,
  slackUserIdSchema,
  type RepositoryRef,
  type TaskRequest,
} from '../core/task.ts';
import { candidates, filterByText, filterUsable } from './candidates.ts';
import { admitActor } from './control.ts';
import { formRepository } from './form-repository.ts';
import type { Intake } from './intake.ts';
import { plainText } from './message-text.ts';
import { messageWords, wordFields } from './message-words.ts';
import { taskIdOfChoiceBlock, formFields, formMetadataSchema, type FormMetadata } from './names.ts';
import { requestOf, textProblem } from './requests.ts';
import { formError, sentences } from './sentences.ts';
import { repositoryOptions, taskForm } from './task-form.ts';
import { parsePayload } from './unreadable.ts';
import { parseJson } from '../lib/parse-json.ts';

const shortcutSchema = z.object({
  user: z.object({ id: slackUserIdSchema }),
  channel: z.object({ id: slackChannelIdSchema }),
  message: z.object({ ts: slackTsSchema, thread_ts: slackTsSchema.nullish(), ...wordFields }),
  trigger_id: z.string().min(1).max(200),
});
const suggestionSchema = z.object({
  user: z.object({ id: slackUserIdSchema }),
  value: z.string().max(1000).default(''),
  view: z.object({ private_metadata: z.string().max(3000) }),
});
const choiceSchema = z.object({
  user: z.object({ id: slackUserIdSchema }),
  channel: z.object({ id: slackChannelIdSchema }),
  block_id: z.string().max(255),
  value: z.string().max(1000).default(''),
});
const fieldSchema = z.object({
  value: z.string().nullish(),
  selected_option: z.object({ value: z.string() }).nullish(),
});
const submissionSchema = z.object({
  user: z.object({ id: slackUserIdSchema }),
  view: z.object({
    id: z.string().min(1).max(64),
    private_metadata: z.string().max(3000),
    state: z.object({ values: z.record(z.string(), z.record(z.string(), fieldSchema)) }),
  }),
});

const readMetadata = (json: string): FormMetadata | null =>
  formMetadataSchema.safeParse(parseJson(json)).data ?? null;

/** “Run Codex on this”: a form with the message's text, which the user reviews, and its thread. */
export async function openFormOnMessage(intake: Intake, body: unknown): Promise<void> {
  const { user, channel, message, trigger_id: triggerId } = parsePayload(shortcutSchema, body);
  const threadTs = message.thread_ts ?? message.ts;
  const place = { userId: user.id, channelId: channel.id, threadTs };
  await intake.openView(
    triggerId,
    taskForm({
      metadata: {
        channelId: channel.id,
        threadTs,
        messageTs: message.ts,
        replaces: null,
        options: {},
      },
      repository: await formRepository(intake, place, null),
      branch: null,
      instruction: plainText(messageWords(message), () => null).trim(),
      replacing: false,
    }),
  );
}

/** Suggests the repositories that the user can use and that match the typed text. */
export async function suggestRepositories(
  intake: Intake,
  body: unknown,
): Promise<{ options: PlainTextOption[] }> {
  const { user, value, view } = parsePayload(suggestionSchema, body);
  const metadata = readMetadata(view.private_metadata);
  if (metadata === null) return { options: [] };
  const { repositories } = await candidates(intake, { userId: user.id, channelId: metadata.channelId });
  return repositoryOptions(filterByText(repositories, value));
}

/** Suggests those of a task's offered repositories that the user can use and that match the typed text. */
export async function suggestChoices(intake: Intake, body: unknown): Promise<{ options: PlainTextOption[] }> {
  const { user, channel, block_id: block, value } = parsePayload(choiceSchema, body);
  const taskId = taskIdOfChoiceBlock(block);
  if (taskId === null) return { options: [] };
  const admitted = await admitActor(intake, taskId, { userId: user.id, channelId: channel.id });
  if (!admitted.ok) return { options: [] };
  const who = { userId: user.id, channelId: admitted.trigger.channelId };
  const { repositories } = await filterUsable(intake, who, admitted.view.choices ?? []);
  return repositoryOptions(filterByText(repositories, value));
}

interface ValidFields {
  readonly repository: RepositoryRef;
  readonly branch: string | null;
  readonly instruction: string;
}

/** The entered values; null if empty. */
type EnteredValues = Readonly<Record<keyof typeof formFields, string | null>>;

function enteredValues(values: z.infer<typeof submissionSchema>['view']['state']['values']): EnteredValues {
  const field = (name: keyof typeof formFields): string | null => {
    const { value, selected_option: option } = values[name]?.[name] ?? {};
    const text = (option?.value ?? value ?? '').trim();
    return text === '' ? null : text;
  };
  return { repository: field('repository'), branch: field('branch'), instruction: field('instruction') };
}

/** Validates the fields. Pure. */
function readFields({
  repository,
  branch,
  instruction,
}: EnteredValues): ValidFields | ViewErrorsResponseAction {
  const ref = repository === null ? null : parseRepositoryRef(repository);
  if (ref === null) return formError('Choose a repository.', 'repository');
  if (branch !== null && !isBranchName(branch)) {
    return formError('This is not a valid branch name.', 'branch');
  }
  const problem = textProblem(instruction ?? '');
  if (problem !== null) return formError(problem);
  const words = stripHiddenCharacters(instruction ?? '').trim();
  return words === ''
    ? formError('Say what Codex should do.')
    : { repository: ref, branch, instruction: words };
}

/** Starts the task. Returns null if the form was accepted and closes, or the errors to show. */
export async function acceptForm(intake: Intake, body: unknown): Promise<ViewErrorsResponseAction | null> {
  const { deps, slack } = intake;
  const { user, view } = parsePayload(submissionSchema, body);
  const metadata = readMetadata(view.private_metadata);
  if (metadata === null) return formError(sentences.formGone);
  const fields = readFields(enteredValues(view.state.values));
  if ('response_action' in fields) return fields;

  const policy = deps.policy.forRepository(fields.repository);
  if (!policy.allowed)
    return formError('I am not set up for this repository. Choose another one.', 'repository');
  const person = await deps.chat.person(user.id, groupsAskedAbout([policy.slack]));
  const verdict = maySlackUse(policy.slack, { channelId: metadata.channelId, person, team: slack.team });
  if (!verdict.allowed) return formError(reasonText(verdict.reason), 'repository');

  const key = { event: 'form', teamId: slack.team, viewId: view.id } as const;
  const run: TaskRequest['ask'] = { kind: 'run' };
  const replaced =
    metadata.replaces === null ? run : await replace(intake, metadata.replaces, user.id, metadata, key);
  if ('response_action' in replaced) return replaced;
  const now = deps.now();
  const request = await requestOf(
    {
      key,
      trigger: {
        event: 'form',
        teamId: slack.team,
        channelId: metadata.channelId,
        userId: user.id,
        threadTs: metadata.threadTs,
        messageTs: metadata.messageTs,
        triggeredAt: now.toISOString(),
        again: metadata.replaces === null ? undefined : { by: 'change', taskId: metadata.replaces },
      },
      ask: replaced,
      repository: fields.repository,
      instruction: fields.instruction,
      options: { ...metadata.options, ...(fields.branch === null ? {} : { base: fields.branch }) },
    },
    now,
  );
  const outcome = await deps.startTask(request);
  deps.log('slack.accepted', { taskId: request.taskId, outcome });
  return null;
}

/** Cancels the replaced task. Returns what it asked (a changed question stays one), or the error to show. */
async function replace(
  intake: Intake,
  taskId: string,
  userId: string,
  metadata: FormMetadata,
  key: { readonly event: 'form'; readonly teamId: string; readonly viewId: string },
): Promise<TaskRequest['ask'] | ViewErrorsResponseAction> {
  const admitted = await admitActor(intake, taskId, { userId, channelId: metadata.channelId });
  if (!admitted.ok) return formError(admitted.sentence);
  // The form may have been submitted before, with only the answer lost.
  const { ask } = admitted.request;
  if (admitted.view.outcome?.kind === 'cancelled') return ask;
  if ((await intake.deps.task(await slackTaskId(key)).view()) !== null) return ask;
  const { cancelled, reason } = await admitted.task.cancel(admitted.person.name);
  return cancelled ? ask : formError(`The task can no longer be changed. ${reason}`);
}
