/**
 * Publishes a merge of the base branch into a pull request's head: one commit with both parents, on the very
 * head that the sandbox started from. A head that has moved needs another merge. Idempotent as
 * `publisher.ts`.
 */
import type { PublishResult } from '../core/ports/publication.ts';
import type { KeptMerge } from '../core/merge.ts';
import { reasonOf } from '../core/reason.ts';
import type { Reason } from '../core/task.ts';
import { pullRequestRef } from '../github/pull-request.ts';
import { addCommit, lookAt } from './add-commit.ts';
import { treeOf, type MadeCommit, type Publishing } from './branches.ts';
import { createCommit } from './create-commit.ts';
import { commitMessage } from './git-commit.ts';
import { mergeByFile, writeMergedTree } from './merge-tree.ts';
import { commitReport } from './pull-request-text.ts';
import { treeReader } from './touched-files.ts';
import { prepareEntries, writeTree } from './tree-writer.ts';

const outdated = (reason: Reason): PublishResult => ({ kind: 'outdated', reason });
const rejected = (reason: Reason): PublishResult => ({ kind: 'rejected', reason });

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
  if (merged === null) return outdated(reasonOf('merge-too-large'));
  const unmoved = first.added !== null || first.branchHead === merge.ours || first.pull?.state !== 'open';
  if (!unmoved) return outdated(reasonOf('branch-moved.merge'));

  const tree = await writeMergedTree(client, at, theirsTree, merged);
  if (tree !== merge.tree) return outdated(reasonOf('merge-differs'));
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
    if (code === 'branch-moved') return outdated(reasonOf('branch-moved.merge'));
    const said = `The merge was not added to this pull request: ${why}.`;
    if (refusal !== undefined) return rejected({ ...refusal, message: `${said} ${refusal.message}` });
    // What makes room for the kept merge, which a retry then publishes.
    return code === 'pull-request-closed' || code === 'branch-deleted' || code === 'auto-merge-enabled'
      ? rejected(reasonOf(`${code}.merge`, { said }))
      : outdated({ ...reasonOf('merge-not-added', { said }), code });
  }
  const { pull: now, head, commit } = result.added;
  return {
    kind: 'published',
    pullRequest: { ...pullRequestRef(now), headSha: head },
    added: commit,
    report: commitReport(input),
  };
}
