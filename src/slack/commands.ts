/** Handles the slash command. Returns the answer for the user in mrkdwn, or null if a form was opened. */
import { reasonText } from '../core/reason.ts';
import * as z from 'zod';
import { route, routedByWords } from '../core/access/route.ts';
import { slackChannelIdSchema, slackUserIdSchema, type RepositoryRef } from '../core/task.ts';
import { candidates, filterUsable, type Asker } from './candidates.ts';
import { readCommand, type CommandReading, type IdVerb } from './command-words.ts';
import { cancelTask, retryTask } from './control.ts';
import { formRepository } from './form-repository.ts';
import type { Intake } from './intake.ts';
import { codeSpan, renderUntrusted } from './mrkdwn.ts';
import { requestOf } from './requests.ts';
import {
  didYouMean,
  help,
  repositorySpan,
  needsId,
  noSuchId,
  notAnId,
  received,
  setInConfiguration,
  shortIdSpan,
  unknownWord,
} from './sentences.ts';
import { listTasks, recentTasks, withPrefix } from './task-lines.ts';
import { taskForm } from './task-form.ts';
import { parsePayload } from './unreadable.ts';

const commandSchema = z.object({
  command: z.string(),
  text: z.string().default(''),
  user_id: slackUserIdSchema,
  channel_id: slackChannelIdSchema,
  trigger_id: z.string().min(1).max(200),
});
type Command = z.infer<typeof commandSchema>;

/** Handles a slash command. Throws `UnreadablePayloadError` if the payload has an unknown format. */
export async function answerCommand(intake: Intake, body: unknown): Promise<string | null> {
  const command = parsePayload(commandSchema, body);
  const reading = readCommand(command.text, (word) => intake.deps.repositoryByAlias(word));
  const who: Asker = { userId: command.user_id, channelId: command.channel_id };
  switch (reading.kind) {
    case 'help':
      return help(command.command);
    case 'problem':
      return renderUntrusted(reading.problem);
    case 'needs-id':
      return needsId(command.command, reading.verb);
    case 'not-an-id':
      return notAnId(command.command, reading.verb, reading.word);
    case 'unknown':
      return reading.meant === null
        ? unknownWord(command.command, reading.word)
        : didYouMean(command.command, reading.word, reading.meant);
    case 'status':
      return await listTasks(intake, who, 'own-running');
    case 'list':
      return await listTasks(intake, who, 'all');
    case 'repos':
      return await listRepositories(intake, who);
    case 'here':
      return setInConfiguration(command.channel_id, reading.name);
    case 'where':
      return await explainRouting(intake, who, reading);
    case 'on-task':
      return await actOnTask(intake, command, reading.verb, reading.idPrefix);
    case 'form':
      return await openForm(intake, command, reading.repository);
    case 'run':
      return await start(intake, command, reading);
  }
}

async function start(
  { deps, slack }: Intake,
  command: Command,
  { asked }: Extract<CommandReading, { kind: 'run' }>,
): Promise<string> {
  const now = deps.now();
  const request = await requestOf(
    {
      key: { event: 'command', teamId: slack.team, triggerId: command.trigger_id },
      trigger: {
        event: 'command',
        teamId: slack.team,
        channelId: command.channel_id,
        userId: command.user_id,
        threadTs: null,
        messageTs: null,
        triggeredAt: now.toISOString(),
      },
      ask: asked.ask,
      repository: asked.repository,
      instruction: asked.instruction,
      options: asked.options,
    },
    now,
  );
  const outcome = await deps.startTask(request);
  deps.log('slack.accepted', { taskId: request.taskId, outcome });
  return received(request.shortId);
}

async function openForm(intake: Intake, command: Command, named: RepositoryRef | null): Promise<null> {
  const { user_id: userId, channel_id: channelId, trigger_id: triggerId } = command;
  // Commands do not work in threads.
  const place = { userId, channelId, threadTs: null };
  await intake.openView(
    triggerId,
    taskForm({
      metadata: { channelId, threadTs: null, messageTs: null, replaces: null, options: {} },
      repository: await formRepository(intake, place, named),
      branch: null,
      instruction: null,
      replacing: false,
    }),
  );
  return null;
}

async function actOnTask(intake: Intake, command: Command, verb: IdVerb, idPrefix: string): Promise<string> {
  const who: Asker = { userId: command.user_id, channelId: command.channel_id };
  const [found, ...others] = withPrefix(await recentTasks(intake, who), idPrefix);
  if (found === undefined) return noSuchId(command.command, idPrefix);
  if (others.length > 0) {
    const ids = [found, ...others].slice(0, 5).map(({ shortId }) => shortIdSpan(shortId));
    return `Several ids begin with ${codeSpan(idPrefix)}: ${ids.join(', ')}. Write more characters of the id.`;
  }
  // No channel check: `recentTasks` returns only tasks of this channel and the user's own.
  const actor = { userId: command.user_id, channelId: null };
  switch (verb) {
    case 'status':
      return await listTasks(intake, who, { taskId: found.taskId });
    case 'cancel':
      return await cancelTask(intake, found.taskId, actor);
    case 'retry':
      return await retryTask(intake, found.taskId, { ...actor, threadTs: found.threadTs });
  }
}

const maxListed = 50;

async function listRepositories(intake: Intake, who: Asker): Promise<string> {
  const { repositories, outsider } = await candidates(intake, who);
  if (outsider !== null) return renderUntrusted(reasonText(outsider));
  if (repositories.length === 0) {
    return (
      'You cannot use any repository from here. The operator of this bot decides who can use which ' +
      'repository, and from which channels.'
    );
  }
  const lines = repositories.slice(0, maxListed).map((repository) => {
    const policy = intake.deps.policy.forRepository(repository);
    const aliases = policy.allowed ? policy.aliases.map((alias) => codeSpan(alias)) : [];
    return `• ${repositorySpan(repository)}${aliases.length === 0 ? '' : ` (${aliases.join(', ')})`}`;
  });
  const rest = repositories.length - lines.length;
  return ['You can use these repositories here:', ...lines, ...(rest > 0 ? [`and ${rest} more`] : [])].join(
    '\n',
  );
}

/** Explains how a task would be routed. Ignores threads, because commands do not work in them. */
async function explainRouting(
  intake: Intake,
  who: Asker,
  { asked }: Extract<CommandReading, { kind: 'where' }>,
): Promise<string> {
  const usable = await candidates(intake, who);
  if (usable.outsider !== null) return renderUntrusted(reasonText(usable.outsider));
  const verdict = route({
    explicit: asked.repository === null ? null : { repository: asked.repository, by: 'named' },
    thread: null,
    channelDefault: intake.slack.channelDefaults.get(who.channelId) ?? null,
    candidates: usable.repositories,
  });
  switch (verdict.kind) {
    case 'none':
      return renderUntrusted(reasonText(verdict.reason));
    case 'ask':
      return (
        'I would ask you to choose one of these: ' +
        `${verdict.choices.slice(0, 10).map(repositorySpan).join(', ')}.`
      );
    case 'repository': {
      const { repository, by } = verdict.routing;
      const { repositories } = await filterUsable(intake, who, [repository]);
      // Do not name the repository: only users who can use it may learn what an alias or a default means.
      if (repositories.length === 0)
        return (
          `I would choose the repository by this rule: ${routedByWords(by)}. But you cannot use it from ` +
          'here.'
        );
      return `${repositorySpan(repository)}: ${routedByWords(by)}.`;
    }
  }
}
