/** Access to one bare repository: objects, refs, history and differences. Callers check permissions. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { signed, unsigned } from './commit-signatures.ts';
import { isRefName, listLooseRefs, moveLooseRef } from './git-refs.ts';
import { ObjectReader, runGit, runGitOrThrow, type GitObject, type GitResult } from './git-process.ts';
import { readLooseObject, writeLooseObject } from './loose-objects.ts';
import { workflowGuardHook } from './workflow-guard.ts';

/** Commits that `line` reads one by one before callers fall back to a git command. */
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
  private readonly objects: ObjectReader;
  /** Answers about ids, which never change. */
  private readonly answers = new Map<string, Promise<GitResult>>();

  private constructor(gitDir: string) {
    this.gitDir = gitDir;
    this.objects = new ObjectReader(gitDir);
  }

  static async create(gitDir: string, defaultBranch: string): Promise<GitRepository> {
    // What `git init` makes, without a process.
    for (const folder of ['objects/info', 'objects/pack', 'refs/heads', 'refs/tags', 'hooks'])
      await mkdir(join(gitDir, folder), { recursive: true });
    await writeFile(join(gitDir, 'HEAD'), `ref: refs/heads/${defaultBranch}\n`);
    // As on GitHub: fetch any object by id, and partial clones. The caller authenticates before receive-pack.
    const settings = [
      '[core]\n\trepositoryformatversion = 0\n\tbare = true\n\tfilemode = true',
      '[uploadpack]\n\tallowFilter = true\n\tallowAnySHA1InWant = true\n\tallowReachableSHA1InWant = true',
      '[http]\n\treceivepack = true\n[receive]\n\tfsckObjects = true\n\tautogc = false\n[gc]\n\tauto = 0',
    ];
    await writeFile(join(gitDir, 'config'), `${settings.join('\n')}\n`);
    await writeFile(join(gitDir, 'hooks', 'update'), workflowGuardHook, { mode: 0o755 });
    return new GitRepository(gitDir);
  }

  close(): void {
    this.objects.close();
  }

  run(argv: readonly string[], input: string | Uint8Array = ''): Promise<Buffer> {
    return runGitOrThrow(this.gitDir, argv, input);
  }

  /** Reads type and size only. `name` is an object id, `<id>^{tree}`, or a full ref name. */
  async describe(name: string): Promise<GitObject | null> {
    const loose = readLooseObject(this.gitDir, name);
    return loose === undefined ? await this.objects.ask('info', name) : loose;
  }

  async read(name: string): Promise<GitObject | null> {
    const loose = readLooseObject(this.gitDir, name);
    return loose === undefined ? await this.objects.ask('contents', name) : loose;
  }

  /** The object id that a ref points to; null if the ref does not exist. `ref` starts with `refs/`. */
  async resolveRef(ref: string): Promise<string | null> {
    if (!isRefName(ref)) return null;
    return (await this.describe(ref))?.sha ?? null;
  }

  headOf(branch: string): Promise<string | null> {
    return this.resolveRef(`refs/heads/${branch}`);
  }

  private answerOnce(...argv: readonly string[]): Promise<GitResult> {
    const key = argv.join(' ');
    const answer = this.answers.get(key) ?? runGit(this.gitDir, argv);
    this.answers.set(key, answer);
    return answer;
  }

  async refs(prefix: string): Promise<readonly { ref: string; sha: string; type: string }[]> {
    const loose = listLooseRefs(this.gitDir);
    if (loose !== null) {
      const wanted = loose.filter((ref) => ref.startsWith(prefix));
      const found = wanted.map(async (ref) => ({ ref, object: await this.describe(ref) }));
      return (await Promise.all(found)).flatMap(({ ref, object }) =>
        object === null ? [] : [{ ref, sha: object.sha, type: object.type }],
      );
    }
    const out = await this.run(['for-each-ref', '--format=%(refname) %(objectname) %(objecttype)', 'refs/']);
    const all = lines(out).map((line) => {
      const [ref = '', sha = '', type = ''] = line.split(' ');
      return { ref, sha, type };
    });
    return all.filter((one) => one.ref.startsWith(prefix));
  }

  writeObject(type: 'blob' | 'tree' | 'commit', content: Uint8Array): Promise<string> {
    return Promise.resolve(writeLooseObject(this.gitDir, type, content));
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
    const object = await this.read(`${name}^{commit}`);
    return object === null || object.type !== 'commit'
      ? null
      : parseCommit(object.sha, object.content.toString());
  }

  /** Lists commits, newest first. `since` is an object id to exclude with its ancestors. */
  async commits(to: string, since: string | null, limit: number): Promise<readonly CommitObject[]> {
    const near = await this.line(since, to);
    if (near !== null) return near.slice(0, limit);
    return await this.listed(`--max-count=${limit}`, to, ...(since === null ? [] : [`^${since}`]));
  }

  /** Those that no branch contains. */
  newCommits(to: string, limit: number): Promise<readonly CommitObject[]> {
    return this.listed(`--max-count=${limit}`, to, '--not', '--branches');
  }

  private async listed(...argv: readonly string[]): Promise<readonly CommitObject[]> {
    const shas = lines(await this.run(['rev-list', ...argv]));
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
    if ((await this.line(ancestor, descendant)) !== null) return true;
    return (await this.answerOnce('merge-base', '--is-ancestor', ancestor, descendant)).exitCode === 0;
  }

  async mergeBase(one: string, other: string): Promise<string | null> {
    if ((await this.line(one, other)) !== null) return one;
    return idFrom(await this.answerOnce('merge-base', one, other));
  }

  /** The tree of a merge without conflicts; null if there is one. */
  async mergedTree(ours: string, theirs: string): Promise<string | null> {
    return idFrom(await this.answerOnce('merge-tree', '--write-tree', ours, theirs));
  }

  async countCommits(from: string, to: string): Promise<number> {
    const near = await this.line(from, to);
    if (near !== null) return near.length;
    return Number((await this.answerOnce('rev-list', '--count', to, `^${from}`)).stdout.toString());
  }

  /**
   * The commits after `ancestor` (null: from the root), newest first, along a short line without merges; null
   * if unknown. Saves a process in the usual case.
   */
  private async line(ancestor: string | null, descendant: string): Promise<readonly CommitObject[] | null> {
    const found: CommitObject[] = [];
    let at: string | null = descendant;
    while (at !== ancestor && at !== null && found.length <= maxWalk) {
      const commit: CommitObject | null = await this.commit(at);
      if (commit === null || commit.parents.length > 1) return null;
      found.push(commit);
      at = commit.parents[0] ?? null;
    }
    return at === ancestor ? found : null;
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

  /** Runs `diff-tree` on ids with an output format. `from` null compares with the empty tree. */
  async diff(from: string | null, to: string, format: readonly string[]): Promise<Buffer> {
    const options = ['-r', '-M', '--no-color', '--no-ext-diff', ...format];
    const { exitCode, stdout, stderr } = await this.answerOnce(
      'diff-tree',
      ...options,
      from ?? emptyTree,
      to,
    );
    if (exitCode !== 0) throw new Error(`git diff-tree failed: ${stderr.trim()}`);
    return stdout;
  }
}

const idFrom = ({ exitCode, stdout }: GitResult): string | null =>
  exitCode === 0 ? stdout.toString().trim() : null;

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
