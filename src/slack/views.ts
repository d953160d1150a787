/**
 * The form: opened from a message, searched in, sent. What is wrong is said at its field, and the form stays open with everything that was typed.
 * What it carries was written by us, but it is checked like everything that comes in.
 */
import type { ViewErrorsResponseAction } from '@slack/bolt';
import type { PlainTextOption } from '@slack/types';
import * as z from 'zod';
import { isBranchName } from '../core/ask/branch-name.ts';
import { stripHiddenCharacters } from '../core/ask/hidden-characters.ts';
import { parseRepositoryRef, slackTaskId } from '../core/ids.ts';
import { groupsAskedAbout, maySlackUse } from '../core/access/slack-access.ts';
import { slackChannelIdSchema, slackTsSchema, slackUserIdSchema, type RepositoryRef } from '../core/task.ts';
import { candidates, matching, usableOf } from './candidates.ts';
import { admitActor } from './control.ts';
import { formRepository } from './form-repository.ts';
import type { Intake } from './intake.ts';
import { plainText } from './message-text.ts';
import { choiceTask, formFields, formMetadataSchema, type FormMetadata } from './names.ts';
import { requestOf, textProblem } from './requests.ts';
import { asksForFormFix, sentences } from './sentences.ts';
import { repositoryOptions, taskForm } from './task-form.ts';
import { readAs } from './unreadable.ts';
import { parseJson } from '../lib/parse-json.ts';

const shortcutSchema = z.object({
  user: z.object({ id: slackUserIdSchema }),
  channel: z.object({ id: slackChannelIdSchema }),
  message: z.object({ ts: slackTsSchema, thread_ts: slackTsSchema.nullish(), text: z.string().nullish() }),
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

/** “Run Codex on this”: the message's words in the form, its thread as the place. Somebody reads them before they are sent. */
export async function openFormOnMessage(intake: Intake, body: unknown): Promise<void> {
  const { user, channel, message, trigger_id: triggerId } = readAs(shortcutSchema, body);
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
      instruction: plainText(message.text ?? '', () => null).trim(),
      replacing: false,
    }),
  );
}

/** The repositories that the person may use there, of those that match what has been typed so far. */
export async function suggestRepositories(
  intake: Intake,
  body: unknown,
): Promise<{ options: PlainTextOption[] }> {
  const { user, value, view } = readAs(suggestionSchema, body);
  const metadata = readMetadata(view.private_metadata);
  if (metadata === null) return { options: [] };
  const { repositories } = await candidates(intake, { userId: user.id, channelId: metadata.channelId });
  return repositoryOptions(matching(repositories, value));
}

/** Of what a task offers to choose from, what the person may use and has typed so far. */
export async function suggestChoices(intake: Intake, body: unknown): Promise<{ options: PlainTextOption[] }> {
  const { user, channel, block_id: block, value } = readAs(choiceSchema, body);
  const taskId = choiceTask(block);
  if (taskId === null) return { options: [] };
  const admitted = await admitActor(intake, taskId, { userId: user.id, channelId: channel.id });
  if (!admitted.ok) return { options: [] };
  const who = { userId: user.id, channelId: admitted.trigger.channelId };
  const { repositories } = await usableOf(intake, who, admitted.view.choices ?? []);
  return repositoryOptions(matching(repositories, value));
}

interface Filled {
  readonly repository: RepositoryRef;
  readonly branch: string | null;
  readonly instruction: string;
}

/** null: nothing was entered. */
type Entered = Readonly<Record<keyof typeof formFields, string | null>>;

function entered(values: z.infer<typeof submissionSchema>['view']['state']['values']): Entered {
  const field = (name: keyof typeof formFields): string | null => {
    const { value, selected_option: option } = values[name]?.[name] ?? {};
    const text = (option?.value ?? value ?? '').trim();
    return text === '' ? null : text;
  };
  return { repository: field('repository'), branch: field('branch'), instruction: field('instruction') };
}

/** Pure: whether the fields can be a request at all. */
function readFields({ repository, branch, instruction }: Entered): Filled | ViewErrorsResponseAction {
  const ref = repository === null ? null : parseRepositoryRef(repository);
  if (ref === null) return asksForFormFix('Choose a repository.', 'repository');
  if (branch !== null && !isBranchName(branch)) {
    return asksForFormFix('This cannot be the name of a branch.', 'branch');
  }
  const problem = textProblem(instruction ?? '');
  if (problem !== null) return asksForFormFix(problem);
  const words = stripHiddenCharacters(instruction ?? '').trim();
  return words === ''
    ? asksForFormFix('Say what Codex should do.')
    : { repository: ref, branch, instruction: words };
}

/** null: it is accepted and the form closes. */
export async function acceptForm(intake: Intake, body: unknown): Promise<ViewErrorsResponseAction | null> {
  const { deps, slack } = intake;
  const { user, view } = readAs(submissionSchema, body);
  const metadata = readMetadata(view.private_metadata);
  if (metadata === null) return asksForFormFix(sentences.formGone);
  const fields = readFields(entered(view.state.values));
  if ('response_action' in fields) return fields;

  const policy = deps.policy.forRepository(fields.repository);
  if (!policy.allowed) return asksForFormFix('This repository is not one that I work on.', 'repository');
  const person = await deps.chat.person(user.id, groupsAskedAbout([policy.slack]));
  const verdict = maySlackUse(policy.slack, { channelId: metadata.channelId, person, team: slack.team });
  if (!verdict.allowed) return asksForFormFix(verdict.reason.message, 'repository');

  const key = { event: 'form', teamId: slack.team, viewId: view.id } as const;
  const replaced =
    metadata.replaces === null ? null : await replace(intake, metadata.replaces, user.id, metadata, key);
  if (replaced !== null) return replaced;
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
      ask: { kind: 'run' },
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

/** Cancels the task whose place the new one takes. null: it is out of the way. */
async function replace(
  intake: Intake,
  taskId: string,
  userId: string,
  metadata: FormMetadata,
  key: { readonly event: 'form'; readonly teamId: string; readonly viewId: string },
): Promise<ViewErrorsResponseAction | null> {
  const admitted = await admitActor(intake, taskId, { userId, channelId: metadata.channelId });
  if (!admitted.ok) return asksForFormFix(admitted.sentence);
  // Also when the form was sent before and only the answer was lost.
  if (admitted.view.outcome?.kind === 'cancelled') return null;
  if ((await intake.deps.task(await slackTaskId(key)).view()) !== null) return null;
  const { cancelled, reason } = await admitted.task.cancel(admitted.person.name);
  return cancelled ? null : asksForFormFix(`The task can no longer be changed. ${reason}`);
}
