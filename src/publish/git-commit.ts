/** Builds the message of a task's commit. */
import { breakCommitCommands } from '../core/commit-commands.ts';
import { stripHiddenCharacters } from '../core/ask/hidden-characters.ts';
import type { Person } from '../core/policy.ts';
import type { Answer } from '../core/progress.ts';
import type { TaskRequest } from '../core/task.ts';
import { cut, neutraliseMentions, plainTitle, singleLine } from '../github/markdown.ts';
import { trailersOf, withoutTrailers } from './trailers.ts';

/** What commitlint allows. Codex is asked for 72, and the repository's convention can add a prefix. */
const maxTitle = 100;
const maxSummary = 4000;

/** Of the commit and of the pull request. */
export function titleOf(answer: Pick<Answer, 'title'>): string {
  const line = withoutTrailers(singleLine(answer.title, maxTitle));
  const title = plainTitle(line, maxTitle);
  return title === '' ? 'Change by Codex' : title;
}

/** The trailers are the last paragraph, as `git interpret-trailers` demands. */
export function commitMessage(
  answer: Pick<Answer, 'title' | 'summary'>,
  request: Pick<TaskRequest, 'taskId' | 'requester'>,
  signOff: Person | null,
): string {
  const visible = withoutTrailers(stripHiddenCharacters(answer.summary)).trim();
  const more = visible.length > maxSummary ? '\n\n(Shortened: the pull request has more of it.)' : '';
  const summary = neutraliseMentions(breakCommitCommands(`${cut(visible, maxSummary)}${more}`))
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .replace(/\n{3,}/g, '\n\n');
  return [titleOf(answer), summary, trailersOf(request, signOff)].filter((part) => part !== '').join('\n\n');
}
