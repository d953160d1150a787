/**
 * A git folder of our own over somebody else's working tree: it knows the base commit's objects and index, which `clone.ts` kept, and
 * nothing that was done to the clone's `.git`. Decides nothing about what it finds.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { copyIndex, gitComplaint, gitEnvironment, neutralAttributes, runGit } from './git.ts';

export type GitFailure = 'too-many-files' | 'base-missing' | 'git-failed';

const freshConfig = `[core]
\trepositoryformatversion = 0
\tbare = false
\tfilemode = true
\tsymlinks = true
\tignoreCase = false
\tautocrlf = false
\tfsmonitor = false
\tuntrackedCache = false
\thooksPath = /dev/null
\tattributesFile = /dev/null
\texcludesFile = /dev/null
\tprotectNTFS = false
[gc]
\tauto = 0
`;

/** Bytes in a latin1 string, because a path need not be UTF-8. Rejects with what `refuse` makes of a failure. */
export type Git = (
  argv: readonly string[],
  options?: { input?: string; maxBytes?: number; failsAs?: GitFailure },
) => Promise<string>;

/** Makes the git folder; the returned function runs git in it. The index is the base commit's. */
export async function freshGit(
  job: { readonly directory: string; readonly objectStore: string },
  folder: string,
  refuse: (code: GitFailure, message: string) => Error,
): Promise<{ git: Git; environment: Record<string, string> }> {
  const environment = gitEnvironment(folder, { GIT_DIR: folder, GIT_WORK_TREE: job.directory });
  await mkdir(join(folder, 'objects', 'info'), { recursive: true });
  await Promise.all([
    mkdir(join(folder, 'refs')),
    mkdir(join(folder, 'info')).then(() => writeFile(join(folder, 'info', 'attributes'), neutralAttributes)),
    writeFile(join(folder, 'HEAD'), 'ref: refs/heads/none\n'),
    writeFile(join(folder, 'config'), freshConfig),
    writeFile(join(folder, 'objects', 'info', 'alternates'), `${join(job.objectStore, 'objects')}\n`),
    // Spares git reading every unchanged file again. A missing or broken copy only costs that time, see below.
    copyIndex(join(job.objectStore, 'index'), join(folder, 'index')).catch(() => undefined),
  ]);
  const git: Git = async (argv, options = {}) => {
    const run = await runGit(argv, {
      environment,
      cwd: job.directory,
      ...(options.input === undefined ? {} : { input: Buffer.from(options.input, 'latin1') }),
      ...(options.maxBytes === undefined ? {} : { maxBytes: options.maxBytes }),
    });
    if (run.cut) throw refuse('too-many-files', 'too many files changed or were added to list them');
    if (run.exitCode !== 0) {
      throw refuse(options.failsAs ?? 'git-failed', `git ${argv[0] ?? ''}: ${gitComplaint(run.stderr)}`);
    }
    return run.stdout.toString('latin1');
  };
  return { git, environment };
}
