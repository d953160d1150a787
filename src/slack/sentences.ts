/**
 * What the intake says to one person, in Slack's mrkdwn. Decides nothing; untrusted pieces are escaped by whoever hands them in or, where
 * a parameter says so, here.
 */
import type { ViewErrorsResponseAction } from '@slack/bolt';
import type { RepositoryRef } from '../core/task.ts';
import { codeSpan } from './mrkdwn.ts';
import { formFields } from './names.ts';

export const sentences = {
  failed: 'I could not do that now. Try again in a moment.',
  late: 'I did not hear back in time, so I cannot say whether that worked. Look before you try again.',
  otherWorkspace:
    'I only work for people of the Slack workspace that I was set up for, so I did nothing. Somebody from there can ask me.',
  taskGone: 'I do not know that task, or it is not from here.',
  notOffered: 'There is nothing to choose any more.',
  unclear: 'I do not know that button any more, so I did nothing.',
  formGone: 'I do not know this form any more. Close it and open it again.',
  nothingToApprove: 'There is nothing to approve any more.',
} as const;

export interface Ephemeral {
  readonly response_type: 'ephemeral';
  readonly text: string;
}
export const ephemeral = (mrkdwn: string): Ephemeral => ({ response_type: 'ephemeral', text: mrkdwn });

type FormField = keyof typeof formFields;

/** An error below a field, in plain text; below the instruction when it is about none. The form stays open with all that was typed. */
export function asksForFormFix(
  plain: string,
  field: FormField = formFields.instruction,
): ViewErrorsResponseAction {
  return { response_action: 'errors', errors: { [field]: plain } };
}

export const nameOf = (repository: RepositoryRef): string =>
  codeSpan(`${repository.owner}/${repository.name}`);
export const shortIdSpan = (shortId: string): string => codeSpan(shortId);

/** Without the repository: what an alias stands for is told by the task's message, once it is known that the person may use it. */
export const accepted = (shortId: string): string =>
  `Accepted as ${shortIdSpan(shortId)}. Its message follows.`;

/** `command` as the app was given it, with its slash. */
export function help(command: string): string {
  const line = (words: string, does: string): string => `• ${codeSpan(`${command} ${words}`.trim())} ${does}`;
  return [
    '*I hand work on a repository to Codex and come back with a pull request.*',
    line(
      'owner/repo what to do',
      'starts a task; an alias does as well, and without a name I find the repository myself',
    ),
    line('', 'opens a form'),
    line('where what to do', 'says which repository I would take, and why'),
    line('repos', 'lists the repositories that you may use here'),
    line('status', 'shows your tasks that run now; with an id, that task'),
    line('list', 'shows the latest tasks of this channel and your own'),
    line('cancel id', 'and the same with `retry` act on a task'),
    'Before the words may stand `--base branch`, `--model name` and `--effort low`.',
    'Commands do not work in threads: mention me there, or use “Run Codex on this” in a message’s menu. A reply in a task’s thread goes on with it.',
  ].join('\n');
}

export const didYouMean = (command: string, word: string, meant: string): string =>
  `I do not know ${codeSpan(word)}. Did you mean ${codeSpan(`${command} ${meant}`)}? ${codeSpan(`${command} help`)} says what there is; what shall be done takes more than one word.`;

export const unknownWord = (command: string, word: string): string =>
  `${codeSpan(word)} is neither a command nor a repository that I know by that name, and one word is too little to work on.\n${help(command)}`;

export const needsId = (command: string, verb: string): string =>
  `Which one? Write ${codeSpan(`${command} ${verb} 1a2b3c4d`)} with the id of a task, or at least four characters of it; ${codeSpan(`${command} list`)} shows them.`;

export const noSuchId = (command: string, prefix: string): string =>
  `Among your latest tasks and those of this channel is none whose id begins with ${codeSpan(prefix)}. ${codeSpan(`${command} list`)} shows them.`;

export const notAnId = (command: string, verb: string, word: string): string =>
  `${codeSpan(word)} is not the id of a task: that has eight characters of \`0–9a–f\`. Were those words meant as work to do, name the repository in front of them: ${codeSpan(`${command} owner/repo ${verb} ${word}`)}`;
