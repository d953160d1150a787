/** The answers to `help`, on GitHub and in Slack. */

export const githubHelp = (mention: string): string =>
  [
    `Mention me in an issue with what you want done: \`@${mention} fix the rounding in split()\`. In a pull request, a line comment or a review I add one commit to its branch. Options, right after the mention:`,
    '`--base BRANCH`, `--model NAME`, `--effort minimal|low|medium|high|xhigh`.',
    '`status`, `cancel` and `retry` as the only word show what runs on this issue, stop it, or run again what failed; a kept change is published instead. `approve` with the beginning of its hash publishes a held change. `ask` and a question gets an answer, and changes nothing. `fix this` works on the issue as it is, `fix the checks` on what fails in a pull request, `resolve the conflicts` on what it cannot merge.',
    'While I work, mention me again to add something: Codex gets it in the middle of its work.',
  ].join('\n');

export const slackHelp = [
  'Mention me with what you want done, or write to me directly: `acme/shop fix the rounding in split()`. You can leave out the repository where it is clear. Options, before the words:',
  '`--base BRANCH`, `--model NAME`, `--effort minimal|low|medium|high|xhigh`.',
  '`ask` and a question, before or after the repository, gets an answer and changes nothing. A reply in a task’s thread reaches Codex while it works, and continues the task on the same branch after its end. `status`, `cancel` and `retry` as the only word are about the thread’s task. The slash command does the same from anywhere, and without words opens a form.',
].join('\n');
