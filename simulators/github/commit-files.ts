/** Commits files to a branch: what people and CI push in a test. */
import type { FileContent } from './contract.ts';
import type { GitRepository, Person } from './git-repository.ts';
import { applyChanges, type TreeChange } from './git-trees.ts';

/** Returns the commit's id. `from` null: of a new branch, without a parent. Deletes a file that is null. */
export async function commitFiles(
  git: GitRepository,
  change: {
    readonly branch: string;
    readonly from: string | null;
    readonly files: Readonly<Record<string, FileContent | null>>;
    readonly message: string;
    readonly author: Person;
  },
): Promise<string> {
  const { branch, from, files, message, author } = change;
  const written = Object.entries(files).map(async ([path, file]): Promise<TreeChange> => {
    if (file === null) return { path, mode: '100644', sha: null };
    const { content, mode = '100644' } = typeof file === 'string' ? { content: file } : file;
    return { path, mode, sha: await git.writeBlob(Buffer.from(content)) };
  });
  const base = from === null ? null : ((await git.commit(from))?.tree ?? null);
  const tree = await applyChanges(git, base, await Promise.all(written));
  if (tree.kind === 'refused') throw new Error(`cannot commit to the branch ${branch}: ${tree.message}`);
  const parents = from === null ? [] : [from];
  const sha = await git.writeCommit({ tree: tree.sha, parents, author, committer: author, message });
  const known = (await git.headOf(branch)) === null ? null : from;
  if (!(await git.moveRef(`refs/heads/${branch}`, known, sha)))
    throw new Error(`cannot move the branch ${branch}`);
  return sha;
}
