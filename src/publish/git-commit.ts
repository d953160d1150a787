/** Builds the commit from the task alone: the same for each attempt, and so not signed by GitHub. */
import { stripHiddenCharacters } from '../core/ask/hidden-characters.ts';
import type { Answer } from '../core/progress.ts';
import type { TaskRequest } from '../core/task.ts';
import type { BotIdentity } from '../github/bot-identity.ts';
import { cut, neutraliseMentions, plainTitle } from '../github/markdown.ts';

const maxTitle = 72;
const maxSummary = 4000;

/** The line by which a later attempt recognizes the task's commit. */
function taskTrailer(taskId: string): string {
  return `Airlock-Task: ${taskId}`;
}

/** Whether the last paragraph of a commit message names the task. */
export function namesTask(message: string, taskId: string): boolean {
  const trailers =
    message
      .trimEnd()
      .split(/\n\s*\n/)
      .at(-1) ?? '';
  return trailers.split('\n').includes(taskTrailer(taskId));
}

function commitTitle(answer: Pick<Answer, 'title'>): string {
  const title = defuseCommands(plainTitle(answer.title, maxTitle));
  return title === '' ? 'Change by Codex' : title;
}

/** The trailers are the last paragraph, as `git interpret-trailers` demands. */
export function commitMessage(
  answer: Pick<Answer, 'title' | 'summary'>,
  request: Pick<TaskRequest, 'taskId' | 'requester'>,
): string {
  const summary = neutraliseMentions(
    defuseCommands(cut(stripHiddenCharacters(answer.summary).trim(), maxSummary)),
  )
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .replace(/\n{3,}/g, '\n\n');
  const trailers = [taskTrailer(request.taskId)];
  const { requester } = request;
  // A text with other characters is not a login and could end the line.
  if (requester !== null && /^[A-Za-z0-9-]{1,100}$/.test(requester.login)) {
    trailers.push(
      `Co-authored-by: ${requester.login} <${requester.id}+${requester.login}@users.noreply.github.com>`,
    );
  }
  return [commitTitle(answer), summary, trailers.join('\n')].filter((part) => part !== '').join('\n\n');
}

/** Skipping the checks that the reviewer relies on, and trailers in other people's names. */
function defuseCommands(untrustedText: string): string {
  return untrustedText
    .replace(/\[(skip[ -](?:ci|actions|checks)|(?:ci|actions)[ -]skip|no ci|skip ci)\]/gi, '($1)')
    .replace(/\*\*\*(NO_CI)\*\*\*/gi, '$1')
    .replace(/^[ \t]*((?:[A-Za-z]{1,30}-){1,5}[A-Za-z]{1,30})[ \t]*:/gm, '> $1:');
}

export interface Signature {
  readonly name: string;
  readonly email: string;
  /** ISO 8601 in whole seconds, because git keeps no fractions. */
  readonly date: string;
}

export function signature(bot: BotIdentity, acceptedAt: string): Signature {
  return { ...bot, date: `${new Date(acceptedAt).toISOString().slice(0, 19)}Z` };
}
