/** The intake's messages in mrkdwn. Functions that take plain text escape it. */
import type { ViewErrorsResponseAction } from '@slack/bolt';
import type { RepositoryRef } from '../core/task.ts';
import { codeSpan } from './mrkdwn.ts';
import { formFields } from './names.ts';

export const sentences = {
  failed: 'Something went wrong on my side. Try again in a moment.',
  late: 'This took too long, so I do not know whether it worked. Check the task before you try again.',
  otherWorkspace:
    'I only work for members of the Slack workspace that I am installed in, so nothing was started. ' +
    'Ask a member of that workspace to start the task.',
  edited: 'I do not read edited messages, so nothing was started. Mention me in a new message.',
  nothingRuns: 'Nothing runs in this thread any more, so there was nothing to stop.',
  taskGone: 'I cannot find that task, or it does not belong to this channel.',
  notOffered: 'This task no longer waits for a repository, so nothing was changed.',
  unclear: 'This button is out of date, so nothing was done. Mention me to start a new task.',
  formGone: 'This form is out of date. Close it and open it again.',
  nothingToApprove: 'This task has no change that waits for approval, so nothing was published.',
} as const;

export interface Ephemeral {
  readonly response_type: 'ephemeral';
  readonly text: string;
}
export const ephemeral = (mrkdwn: string): Ephemeral => ({ response_type: 'ephemeral', text: mrkdwn });

type FormField = keyof typeof formFields;

/** Below a field, by default the instruction; the form keeps its values. `plain` is plain text. */
export function formError(
  plain: string,
  field: FormField = formFields.instruction,
): ViewErrorsResponseAction {
  return { response_action: 'errors', errors: { [field]: plain } };
}

export const repositorySpan = (repository: RepositoryRef): string =>
  codeSpan(`${repository.owner}/${repository.name}`);
export const shortIdSpan = (shortId: string): string => codeSpan(shortId);

/** Omits the repository, because the user may not be allowed to learn what an alias means. */
export const received = (shortId: string): string =>
  `Received as ${shortIdSpan(shortId)}. The answer follows.`;

/** The help text. `command` is the slash command under which the app is installed. */
export function help(command: string): string {
  const line = (words: string, does: string): string => `• ${codeSpan(`${command} ${words}`.trim())} ${does}`;
  return [
    '*I have Codex work on a repository and open a pull request with the result.*',
    line('owner/repo what to do', 'starts a task; an alias works too, and without a repository I choose one'),
    line('', 'opens a form'),
    line('where what to do', 'shows which repository I would choose, and why'),
    line('repos', 'lists the repositories that you can use here'),
    line('status', 'shows your running tasks; with an id, that task'),
    line('list', 'shows the latest tasks of this channel and your own'),
    line('cancel id', 'cancels a task'),
    line('retry id', 'runs a task again'),
    'You can put `--base branch`, `--model name` and `--effort low` before the text.',
    'Commands do not work in threads. Mention me there, or use “Run Codex on this” in a message’s ' +
      'menu. A reply in a task’s thread continues the task.',
  ].join('\n');
}

/** Nobody changes who may use what from Slack. Names the channel's id, which is hard to find there. */
export const setInConfiguration = (channelId: string, name: string): string =>
  'The operator chooses a channel’s repository: ' +
  `${codeSpan(`"${channelId}": "${name}"`)} under \`slack.channels\` in \`airlock.config.jsonc\`, then a restart.`;

export const didYouMean = (command: string, word: string, meant: string): string =>
  `There is no command ${codeSpan(word)}. Did you mean ${codeSpan(`${command} ${meant}`)}? ` +
  `${codeSpan(`${command} help`)} lists the commands. To start a task, describe it in more than one ` +
  'word.';

export const unknownWord = (command: string, word: string): string =>
  `${codeSpan(word)} is neither a command nor a repository that I know, and one word is too short for ` +
  `a task.\n${help(command)}`;

export const needsId = (command: string, verb: string): string =>
  `Which task? Write ${codeSpan(`${command} ${verb} 1a2b3c4d`)} with the id of a task, or at least its ` +
  `first four characters. ${codeSpan(`${command} list`)} shows the ids.`;

export const noSuchId = (command: string, prefix: string): string =>
  `None of your latest tasks or those of this channel has an id that begins with ${codeSpan(prefix)}. ` +
  `${codeSpan(`${command} list`)} shows the ids.`;

export const notAnId = (command: string, verb: string, word: string): string =>
  `${codeSpan(word)} is not the id of a task, which has eight characters of \`0–9a–f\`. If you meant ` +
  'this as a new task, put the repository in front: ' +
  codeSpan(`${command} owner/repo ${verb} ${word}`);
