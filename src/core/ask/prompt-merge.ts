/** Writes the prompt's section about a merge that has begun. Branches and paths are others' words. */
import type { Conflicts } from '../merge.ts';

const maxListed = 50;

export function describeMerge(
  { paths, more }: Conflicts,
  { ours, theirs }: { readonly ours: string; readonly theirs: string },
): string {
  const quoted = paths.slice(0, maxListed).map((path) => `- ${JSON.stringify(path)}`);
  const rest = more + paths.length - quoted.length;
  return [
    `The branch ${JSON.stringify(theirs)} has been merged into the checkout of ${JSON.stringify(ours)}, without a commit. Git left conflicts in these files:`,
    [...quoted, ...(rest > 0 ? [`- and ${rest} more: \`git status\` lists them`] : [])].join('\n'),
    'How to resolve them:',
    [
      '- Keep what both sides meant, not one side only. `git log` and `git diff` show what each side did and why.',
      '- Remove every conflict marker. Where one side deleted or renamed a file, decide which it has to be.',
      '- Change nothing that the merge does not need, also where the two sides fit together without a conflict.',
      '- Do not commit or abort the merge: it is committed for you, with both parents.',
      '- If you cannot decide a conflict, leave its markers in place and say which and why: nothing is published then.',
    ].join('\n'),
  ].join('\n\n');
}
