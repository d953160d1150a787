/** The trailers of our commits: ours are the last paragraph, and the model's own are removed. */
import type { Person } from '../core/policy.ts';
import type { TaskRequest } from '../core/task.ts';

/** The line by which a later attempt recognizes the task's commit. */
const taskTrailer = (taskId: string): string => `Airlock-Task: ${taskId}`;

/** Whether the last paragraph of a commit message names the task. */
export function namesTask(message: string, taskId: string): boolean {
  const trailers =
    message
      .trimEnd()
      .split(/\n\s*\n/)
      .at(-1) ?? '';
  return trailers.split('\n').includes(taskTrailer(taskId));
}

/** The sign-off comes last, as `git commit --signoff` and `git rebase --signoff` leave it. */
export function trailersOf(
  { taskId, requester }: Pick<TaskRequest, 'taskId' | 'requester'>,
  signOff: Person | null,
): string {
  const lines = [taskTrailer(taskId)];
  // A text with other characters is not a login and could end the line.
  if (requester !== null && /^[A-Za-z0-9-]{1,100}$/.test(requester.login)) {
    lines.push(
      `Co-authored-by: ${requester.login} <${requester.id}+${requester.login}@users.noreply.github.com>`,
    );
  }
  if (signOff !== null) lines.push(`Signed-off-by: ${signOff.name} <${signOff.email}>`);
  return lines.join('\n');
}

/**
 * Trailers that credit or bind somebody, or order something, in any spelling and below any list mark. Other
 * words with a colon stay, such as "Follow-up:": git reads trailers in the last paragraph only.
 */
const claims =
  /^[ \t>*+#_`~|-]*(?:(?:\p{L}{1,30}[-\u2010-\u2015]){1,5}by|airlock(?:[-\u2010-\u2015]\p{L}{1,30}){1,3}|change-id|skip-checks|on-behalf-of)[ \t*_`]*[:\uFF1A].*\n?/gimu;

/** Removes such lines wherever they are: DCO checks read every line, and squashing copies the text. */
export function withoutTrailers(untrustedText: string): string {
  return untrustedText.replace(claims, '');
}
