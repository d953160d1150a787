/**
 * Publishes a merge of the base branch into a pull request's head: one commit with both parents, on the very
 * head that the sandbox started from. A head that has moved needs another merge. Idempotent as
 * `publisher.ts`.
 */
import type { PublishResult } from '../core/ports/publication.ts';
import type { KeptMerge } from '../core/merge.ts';
import { pullRequestRef } from '../github/pull-request.ts';
import { addCommit, lookAt } from './add-commit.ts';
import type { Detour } from './continuation.ts';
import { treeOf, type MadeCommit, type Publishing } from './branches.ts';
import { createCommit } from './create-commit.ts';
import { commitMessage } from './git-commit.ts';
import { mergeByFile, writeMergedTree } from './merge-tree.ts';
import { commitReport } from './pull-request-text.ts';
import { treeReader } from './touched-files.ts';
import { prepareEntries, writeTree } from './tree-writer.ts';

const ended = (kind: 'outdated' | 'rejected', code: string, message: string): PublishResult => ({
  kind,
  reason: { code, message },
});

export async function publishMerge(
  publishing: Omit<Publishing, 'makesChange'>,
  merge: KeptMerge,
): Promise<PublishResult> {
  const { client, at, input } = publishing;
  const { continues, request, baseBranch, pull } = input;
  if (continues === null || pull === null) throw new Error('a merge has no pull request to go onto');
  // The commit that the sandbox started from. The collected change is compared with another tree.
  const change = { ...input.change, base: merge.ours };
  const parts = Promise.all([
    mergeByFile(merge, treeReader(client, at)),
    treeOf(publishing, merge.theirs),
    prepareEntries(client, at, input.change.files),
  ]);
  const parents = [merge.ours, merge.theirs];
  const makesChange = async (commit: MadeCommit): Promise<boolean> => {
    const [merged, theirsTree, entries] = await parts;
    if (merged === null || commit.parents.join() !== parents.join()) return false;
    const tree = await writeMergedTree(client, at, theirsTree, merged);
    return commit.tree === (await writeTree(client, at, tree, entries));
  };
  const onHead = { ...publishing, makesChange, input: { ...input, change } };
  const [first, [merged, theirsTree, entries]] = await Promise.all([lookAt(onHead, continues), parts]);
  if (merged === null) return ended('outdated', 'merge-too-large', tooLargeText);
  const unmoved = first.added !== null || first.branchHead === merge.ours || first.pull?.state !== 'open';
  if (!unmoved) return ended('outdated', 'branch-moved', movedText);

  const tree = await writeMergedTree(client, at, theirsTree, merged);
  if (tree !== merge.tree) return ended('outdated', 'merge-differs', differsText);
  const title = `Merge ${pull.baseBranch} into ${baseBranch}`;
  const commitOnto = async (parent: string): Promise<string> => {
    if (parent !== merge.ours) throw new Error('the head moved while the merge was being published');
    return await createCommit(publishing, {
      message: commitMessage({ ...input.answer, title }, request, input.policy.commit.signOff),
      tree: await writeTree(client, at, tree, entries),
      parents,
    });
  };
  const result = await addCommit(onHead, continues, first, commitOnto);
  if (!('added' in result)) {
    const { code, why, refusal } = result.detour;
    if (code === 'branch-moved') return ended('outdated', code, movedText);
    const said = `The merge was not added to this pull request: ${why}.`;
    if (refusal !== undefined) return ended('rejected', refusal.code, `${said} ${refusal.message}`);
    const first = firstSteps[code];
    return first === undefined
      ? ended('outdated', code, `${said} Nothing is left to merge here.`)
      : ended('rejected', code, `${said} ${first}`);
  }
  const { pull: now, head, commit } = result.added;
  return {
    kind: 'published',
    pullRequest: { ...pullRequestRef(now), headSha: head },
    added: commit,
    report: commitReport(input),
  };
}

const movedText =
  'The merge was not added to this pull request: somebody pushed to its branch in the meantime; nothing was overwritten. Mention me with `retry`, so that Codex merges the new head.';
const differsText =
  'The sandbox merged something else than GitHub has, so nothing was published. Mention me with `retry`, or merge the base branch by hand.';
const tooLargeText = 'Both sides changed too many folders. Merge the base branch by hand.';

/** What makes room for the kept merge, whose comment then says how to publish it. */
const firstSteps: Partial<Record<Detour['code'], string>> = {
  'pull-request-closed': 'Reopen it first.',
  'branch-deleted': 'Restore the branch first.',
  'auto-merge-enabled': 'Disable auto-merge first.',
};
