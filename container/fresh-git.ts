/** Creates a new git folder for an untrusted tree, from the base's kept objects and index alone. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { copyIndex, gitEnvironment, gitReason, isDiskFull, runGit } from './git.ts';

export type GitFailure = 'too-many-files' | 'base-missing' | 'disk-full' | 'git-failed';

/** No filter, so that git runs no outside program. Git's own conversions are the defaults. */
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

/** Output is a latin1 string of bytes, because a path need not be UTF-8. */
export type Git = (
  argv: readonly string[],
  options?: { input?: string; maxBytes?: number; failsAs?: GitFailure; indexFile?: string },
) => Promise<string>;

/** Creates the git folder with the index of the base commit, and returns a function that runs git in it. */
export async function freshGit(
  job: { readonly directory: string; readonly objectStore: string },
  folder: string,
  failWith: (code: GitFailure, message: string) => Error,
): Promise<{ git: Git; environment: Record<string, string> }> {
  const environment = gitEnvironment(folder, { GIT_DIR: folder, GIT_WORK_TREE: job.directory });
  await mkdir(join(folder, 'objects', 'info'), { recursive: true });
  await Promise.all([
    mkdir(join(folder, 'refs')),
    writeFile(join(folder, 'HEAD'), 'ref: refs/heads/none\n'),
    writeFile(join(folder, 'config'), freshConfig),
    writeFile(join(folder, 'objects', 'info', 'alternates'), `${join(job.objectStore, 'objects')}\n`),
    // Saves git from reading every unchanged file. If the copy is missing or damaged, the callers rebuild the
    // index.
    copyIndex(join(job.objectStore, 'index'), join(folder, 'index')).catch(() => undefined),
  ]);
  const git: Git = async (argv, options = {}) => {
    const { indexFile } = options;
    const run = await runGit(argv, {
      environment: indexFile === undefined ? environment : { ...environment, GIT_INDEX_FILE: indexFile },
      cwd: job.directory,
      ...(options.input === undefined ? {} : { input: Buffer.from(options.input, 'latin1') }),
      ...(options.maxBytes === undefined ? {} : { maxBytes: options.maxBytes }),
    });
    if (run.cut) throw failWith('too-many-files', 'too many files were changed or added to list them');
    if (run.exitCode !== 0) {
      const code = isDiskFull(run.stderr) ? 'disk-full' : (options.failsAs ?? 'git-failed');
      throw failWith(code, `git ${argv[0] ?? ''}: ${gitReason(run.stderr)}`);
    }
    return run.stdout.toString('latin1');
  };
  return { git, environment };
}
