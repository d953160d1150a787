/** Access to one bare repository: objects, refs, history and differences. Callers check permissions. */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { signed, unsigned } from './commit-signatures.ts';
import type { FileContent } from './contract.ts';
import { isRefName, moveLooseRef } from './git-refs.ts';
import { ObjectReader, runGit, runGitOrThrow, type GitObject } from './git-process.ts';
import { writeLooseObject } from './loose-objects.ts';
import { workflowGuardHook } from './workflow-guard.ts';

/** Commits that `distance` reads one by one before callers fall back to a git command. */
const maxWalk = 8;
const absent = '0'.repeat(40);
/** The id of git's empty tree, the base of a root commit's diff. */
const emptyTree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

export interface Person {
  readonly name: string;
  readonly email: string;
  /** ISO 8601 with an offset or `Z`. */
  readonly date: string;
}
export interface CommitObject {
  readonly sha: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: Person;
  readonly committer: Person;
  readonly message: string;
  /** The commit without its signature, which is null if it has none. */
  readonly payload: string;
  readonly signature: string | null;
}

export class GitRepository {
  readonly gitDir: string;
  private readonly contents: ObjectReader;
  private readonly headers: ObjectReader;

  private constructor(gitDir: string) {
    this.gitDir = gitDir;
    this.contents = new ObjectReader(gitDir, '--batch');
    this.headers = new ObjectReader(gitDir, '--batch-check');
  }

  static async create(gitDir: string, defaultBranch: string): Promise<GitRepository> {
    await mkdir(gitDir, { recursive: true });
    await runGitOrThrow(gitDir, [
      'init',
      '--quiet',
      '--bare',
      '--template=',
      `--initial-branch=${defaultBranch}`,
    ]);
    // As on GitHub: fetch any object by id, and partial clones. The caller authenticates before receive-pack.
    const settings = [
      '[core]\n\trepositoryformatversion = 0\n\tbare = true\n\tfilemode = true',
      '[uploadpack]\n\tallowFilter = true\n\tallowAnySHA1InWant = true\n\tallowReachableSHA1InWant = true',
      '[http]\n\treceivepack = true\n[receive]\n\tfsckObjects = true\n\tautogc = false\n[gc]\n\tauto = 0',
    ];
    await writeFile(join(gitDir, 'config'), `${settings.join('\n')}\n`);
    await mkdir(join(gitDir, 'hooks'), { recursive: true });
    await writeFile(join(gitDir, 'hooks', 'update'), workflowGuardHook);
    await chmod(join(gitDir, 'hooks', 'update'), 0o755);
    return new GitRepository(gitDir);
  }

  close(): void {
    this.contents.close();
    this.headers.close();
  }

  run(argv: readonly string[], input: string | Uint8Array = ''): Promise<Buffer> {
    return runGitOrThrow(this.gitDir, argv, input);
  }

  /** Reads type and size only. `name` is an object id, `<id>^{tree}`, or a full ref name. */
  describe(name: string): Promise<GitObject | null> {
    return this.headers.read(name);
  }

  read(name: string): Promise<GitObject | null> {
    return this.contents.read(name);
  }

  /** The object id that a ref points to; null if the ref does not exist. `ref` starts with `refs/`. */
  async resolveRef(ref: string): Promise<string | null> {
    if (!isRefName(ref)) return null;
    return (await this.headers.read(ref))?.sha ?? null;
  }

  headOf(branch: string): Promise<string | null> {
    return this.resolveRef(`refs/heads/${branch}`);
  }

  async refs(prefix: string): Promise<readonly { ref: string; sha: string; type: string }[]> {
    const out = await this.run(['for-each-ref', '--format=%(refname) %(objectname) %(objecttype)', 'refs/']);
    const all = lines(out).map((line) => {
      const [ref = '', sha = '', type = ''] = line.split(' ');
      return { ref, sha, type };
    });
    return all.filter((one) => one.ref.startsWith(prefix));
  }

  writeObject(type: 'blob' | 'tree' | 'commit', content: Uint8Array): Promise<string> {
    return writeLooseObject(this.gitDir, type, content);
  }

  writeBlob(content: Uint8Array): Promise<string> {
    return this.writeObject('blob', content);
  }

  /** `sign`: as GitHub's own. */
  writeCommit(commit: Omit<CommitObject, 'sha' | 'payload' | 'signature'>, sign = false): Promise<string> {
    const head = [
      `tree ${commit.tree}`,
      ...commit.parents.map((parent) => `parent ${parent}`),
      `author ${signature(commit.author)}`,
      `committer ${signature(commit.committer)}`,
    ];
    const payload = `${head.join('\n')}\n\n${commit.message}`;
    return this.writeObject('commit', Buffer.from(sign ? signed(payload) : payload));
  }

  async commit(name: string): Promise<CommitObject | null> {
    const object = await this.contents.read(`${name}^{commit}`);
    return object === null || object.type !== 'commit'
      ? null
      : parseCommit(object.sha, object.content.toString());
  }

  /** Lists commits, newest first. `range` holds object ids, `^id` to exclude. */
  async commits(range: readonly string[], limit: number): Promise<readonly CommitObject[]> {
    const shas = lines(await this.run(['rev-list', `--max-count=${limit}`, ...range]));
    const found = await Promise.all(shas.map((sha) => this.commit(sha)));
    return found.filter((commit) => commit !== null);
  }

  /** Compare-and-swap: returns false unless the ref is at `from` (null: does not exist). */
  async moveRef(ref: string, from: string | null, to: string): Promise<boolean> {
    const moved = await moveLooseRef(this.gitDir, ref, from, to);
    return moved ?? (await runGit(this.gitDir, ['update-ref', ref, to, from ?? absent])).exitCode === 0;
  }

  async deleteRef(ref: string): Promise<boolean> {
    return (await runGit(this.gitDir, ['update-ref', '-d', ref])).exitCode === 0;
  }

  async isAncestor(ancestor: string, descendant: string): Promise<boolean> {
    if ((await this.distance(ancestor, descendant)) !== null) return true;
    return (await runGit(this.gitDir, ['merge-base', '--is-ancestor', ancestor, descendant])).exitCode === 0;
  }

  async mergeBase(one: string, other: string): Promise<string | null> {
    if ((await this.distance(one, other)) !== null) return one;
    const result = await runGit(this.gitDir, ['merge-base', one, other]);
    return result.exitCode === 0 ? result.stdout.toString().trim() : null;
  }

  /** The tree of a merge without conflicts; null if there is one. */
  async mergedTree(ours: string, theirs: string): Promise<string | null> {
    const merged = await runGit(this.gitDir, ['merge-tree', '--write-tree', ours, theirs]);
    return merged.exitCode === 0 ? merged.stdout.toString().trim() : null;
  }

  async countCommits(from: string, to: string): Promise<number> {
    const near = await this.distance(from, to);
    if (near !== null) return near;
    return Number((await this.run(['rev-list', '--count', to, `^${from}`])).toString());
  }

  /** Commits along a short line without merges; null if unknown. Saves a process in the usual case. */
  private async distance(ancestor: string, descendant: string): Promise<number | null> {
    let at = descendant;
    for (let steps = 0; steps <= maxWalk; steps += 1) {
      if (at === ancestor) return steps;
      const parents = (await this.commit(at))?.parents ?? [];
      const [parent] = parents;
      if (parent === undefined || parents.length > 1) return null;
      at = parent;
    }
    return null;
  }

  /**
   * Paths under `.github/workflows/` that are changed by commits of `to` that no branch contains yet. A merge
   * changes what differs from each parent: the same file on another branch is no change to GitHub.
   */
  async newWorkflowChanges(to: string): Promise<readonly string[]> {
    const out = await this.run([
      'log',
      '--format=',
      '--name-only',
      '-c',
      '--no-renames',
      '-z',
      to,
      '--not',
      '--branches',
      '--',
      '.github/workflows',
    ]);
    return out
      .toString()
      .split('\0')
      .filter((path) => path !== '');
  }

  /** Runs `diff-tree` with an output format. `from` null compares with the empty tree. */
  async diff(from: string | null, to: string, format: readonly string[]): Promise<Buffer> {
    return this.run([
      'diff-tree',
      '-r',
      '-M',
      '--no-color',
      '--no-ext-diff',
      ...format,
      from ?? emptyTree,
      to,
    ]);
  }

  /** Commits files to a branch and returns the commit id. Creates the branch if `from` is null. */
  async commitFiles(change: {
    readonly branch: string;
    readonly from: string | null;
    readonly files: Readonly<Record<string, FileContent | null>>;
    readonly message: string;
    readonly author: Person;
  }): Promise<string> {
    const parts: (string | Uint8Array)[] = [];
    const data = (content: string | Uint8Array): void => {
      const bytes = typeof content === 'string' ? Buffer.from(content) : content;
      parts.push(`data ${bytes.length}\n`, bytes, '\n');
    };
    parts.push(`commit refs/heads/${change.branch}\n`, `committer ${signature(change.author)}\n`);
    data(change.message);
    if (change.from !== null) parts.push(`from ${change.from}\n`);
    for (const [path, file] of Object.entries(change.files)) {
      const quoted = `"${path.replaceAll(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`;
      if (file === null) {
        parts.push(`D ${quoted}\n`);
        continue;
      }
      const { content, mode } = typeof file === 'string' ? { content: file, mode: undefined } : file;
      parts.push(`M ${mode ?? '100644'} inline ${quoted}\n`);
      data(content);
    }
    const stream = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
    await this.run(['fast-import', '--quiet', '--date-format=raw'], stream);
    const head = await this.headOf(change.branch);
    if (head === null) throw new Error(`fast-import did not create the branch ${change.branch}`);
    return head;
  }
}

function signature(person: Person): string {
  const clean = (text: string): string => text.replaceAll(/[<>\n\0]/g, '').trim();
  const offset = /([+-])(\d{2}):?(\d{2})$/.exec(person.date);
  const zone = offset === null ? '+0000' : `${offset[1] ?? '+'}${offset[2] ?? '00'}${offset[3] ?? '00'}`;
  const seconds = Math.floor(Date.parse(person.date) / 1000);
  return `${clean(person.name)} <${clean(person.email)}> ${seconds} ${zone}`;
}

function parseCommit(sha: string, text: string): CommitObject {
  const split = text.indexOf('\n\n');
  const header = split < 0 ? text : text.slice(0, split);
  const field = (name: string): string[] =>
    header
      .split('\n')
      .filter((line) => line.startsWith(`${name} `))
      .map((line) => line.slice(name.length + 1));
  return {
    sha,
    tree: field('tree')[0] ?? '',
    parents: field('parent'),
    author: parseSignature(field('author')[0] ?? ''),
    committer: parseSignature(field('committer')[0] ?? ''),
    message: split < 0 ? '' : text.slice(split + 2),
    ...unsigned(text),
  };
}

function parseSignature(text: string): Person {
  const [, name = '', email = '', seconds = '0'] = /^(.*?) ?<(.*)> (\d+) [+-]\d{4}$/.exec(text) ?? [];
  return { name, email, date: new Date(Number(seconds) * 1000).toISOString().replace('.000Z', 'Z') };
}

function lines(output: Buffer): string[] {
  return output
    .toString()
    .split('\n')
    .filter((line) => line !== '');
}
