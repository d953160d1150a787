/** Computes GitHub's "diff entries" between two trees from git's raw, numstat and patch output. */
import type { GitRepository } from './git-repository.ts';

export interface FileDifference {
  readonly path: string;
  readonly previousPath: string | null;
  readonly status: 'added' | 'removed' | 'modified' | 'renamed' | 'copied' | 'changed';
  /** The blob id after the change; for a removed file, the id before it. */
  readonly sha: string;
  readonly mode: string;
  readonly previousMode: string;
  readonly additions: number;
  readonly deletions: number;
  /** Hunks without git's header; null for binary files and pure renames. */
  readonly patch: string | null;
}

const statuses: Readonly<Record<string, FileDifference['status']>> = {
  A: 'added',
  D: 'removed',
  M: 'modified',
  R: 'renamed',
  C: 'copied',
  T: 'changed',
};

/** Compares two commit or tree ids. If `from` is null, every file counts as added. */
export async function differences(
  git: GitRepository,
  from: string | null,
  to: string,
): Promise<readonly FileDifference[]> {
  const [raw, numstat, patch] = await Promise.all([
    git.diff(from, to, ['--raw', '--no-abbrev', '-z']),
    lineCounts(git, from, to),
    git.diff(from, to, ['--patch']),
  ]);
  const patches = patch.toString().split(/^(?=diff --git )/m);
  return parseRaw(raw.toString()).map((entry, index) => {
    const [additions = 0, deletions = 0] = numstat[index] ?? [];
    // git prints two patches for a type change (file to symlink): a removal and an addition.
    const own = entry.status === 'changed' ? patches.splice(0, 2) : patches.splice(0, 1);
    return { ...entry, additions, deletions, patch: hunks(own.join('')) };
  });
}

/** Added and deleted lines of each file, in the order of `differences`. Zeros for a binary file. */
export async function lineCounts(
  git: GitRepository,
  from: string | null,
  to: string,
): Promise<readonly (readonly [number, number])[]> {
  return parseNumstat((await git.diff(from, to, ['--numstat', '-z'])).toString());
}

type RawEntry = Omit<FileDifference, 'additions' | 'deletions' | 'patch'>;

function parseRaw(text: string): RawEntry[] {
  const fields = text.split('\0');
  const entries: RawEntry[] = [];
  for (let at = 0; at < fields.length;) {
    const found = /^:(\d{6}) (\d{6}) ([0-9a-f]{40}) ([0-9a-f]{40}) ([A-Z])\d*$/.exec(fields[at] ?? '');
    at += 1;
    if (found === null) continue;
    const [, previousMode = '', mode = '', before = '', after = '', letter = ''] = found;
    const status = statuses[letter] ?? 'changed';
    const moved = status === 'renamed' || status === 'copied';
    const first = fields[at] ?? '';
    const second = moved ? (fields[at + 1] ?? '') : first;
    at += moved ? 2 : 1;
    const sha = status === 'removed' ? before : after;
    entries.push({ path: second, previousPath: moved ? first : null, status, sha, mode, previousMode });
  }
  return entries;
}

function parseNumstat(text: string): [number, number][] {
  const fields = text.split('\0');
  const counts: [number, number][] = [];
  for (let at = 0; at < fields.length; at += 1) {
    const found = /^(\d+|-)\t(\d+|-)\t(.*)$/s.exec(fields[at] ?? '');
    if (found === null) continue;
    counts.push([Number(found[1]) || 0, Number(found[2]) || 0]);
    // A rename has an empty path, followed by its two paths as separate fields.
    if (found[3] === '') at += 2;
  }
  return counts;
}

function hunks(patch: string): string | null {
  const start = patch.search(/^@@ /m);
  return start < 0 ? null : patch.slice(start).replace(/\n$/, '');
}
