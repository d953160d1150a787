/**
 * Decides what an archive of the setup cache may hold. A setup packed it inside a sandbox, and a later task
 * unpacks it: everything in it is untrusted. The first broken rule refuses the whole archive:
 *
 * 1. A name lies in the clone or in one of the package folders, without `..`, `.` or a leading slash.
 * 2. In the clone, no component is `.git`, and nothing at the top is what git or an agent reads as settings.
 *    That it is ignored and not tracked is checked with git, before it is moved into the clone.
 * 3. It is a file, a folder, a symlink or a hard link, without set-user-id, set-group-id or sticky bit.
 * 4. A link's target lies in the same allowed folder. `..` comes first in it, so no other symlink bends it.
 * 5. A name occurs once, and nothing is below a file or a link.
 * 6. Counts, sizes, lengths and depths are bounded.
 *
 * What a dependency plants in its own package folder still reaches the next task: see `docs/security.md`.
 */
import { sandboxPaths } from './checkout.ts';
import { readTarHeaders, TarProblem, type TarEntry } from '../lib/tar-headers.ts';

/** What package managers keep below the home folder and find by content or version. No settings. */
export const packageFolders = [
  '.npm/_cacache',
  '.cache/pip',
  '.cache/pypoetry',
  '.cache/uv',
  '.cache/yarn',
  '.cache/go-build',
  '.cache/composer',
  '.cargo/registry',
  '.cargo/git',
  '.local/share/pnpm/store',
  '.local/share/uv',
  '.yarn/berry/cache',
  '.gem',
  '.bundle/cache',
  '.m2/repository',
  '.gradle/caches',
  'go/pkg/mod',
].map((folder) => `${sandboxPaths.home}/${folder}`);

/** At the top of the clone, in lower case: what git or an agent reads as instructions or settings. */
export const neverCached: readonly string[] = [
  'agents.md',
  'agents.override.md',
  'claude.md',
  'claude.local.md',
  'gemini.md',
  '.agents',
  '.codex',
  '.claude',
  '.cursor',
  '.gemini',
  '.mcp.json',
  '.github',
  '.vscode',
  '.envrc',
  '.gitattributes',
  '.gitconfig',
  '.gitignore',
  '.gitmodules',
];

const maxEntries = 250_000;
const maxNameLength = 4096;
const maxDepth = 100;
/** Bits above the permissions of owner, group and others. */
const specialBits = 0o7000;
/** The owner's rights on a folder. Without them the next task could neither move nor delete what is in it. */
const ownerBits = 0o700;
/** Why an archive is refused, for people. Names of the archive are shortened and made inert. */
class ArchiveRefused extends Error {
  override readonly name = 'ArchiveRefused';
}

export interface ArchiveCheck {
  /** Takes the next bytes of the compressed archive. Ignores them once the archive is refused. */
  write(piece: Uint8Array): Promise<void>;
  /** Null: everything in it is allowed. Otherwise the reason of the refusal. */
  end(): Promise<string | null>;
}

export interface ArchiveLimits {
  readonly maxUnpackedBytes: number;
  /** Bytes per write to the decompressor: workerd keeps the output, and zeros grow a thousandfold. */
  readonly sliceBytes: number;
}

/** Checks a gzip-compressed tar while it passes. Keeps names in memory, no contents. */
export function checkSetupArchive({ maxUnpackedBytes, sliceBytes }: ArchiveLimits): ArchiveCheck {
  const gzip = new DecompressionStream('gzip');
  const writer = gzip.writable.getWriter();
  const progress = { reads: 0, isRefused: false };
  const verdict = readAll(gzip.readable, maxUnpackedBytes, () => (progress.reads += 1));
  void verdict.then((reason) => (progress.isRefused = reason !== null));

  /** workerd's decompressor has no back-pressure: this waits until a turn of the event loop reads nothing. */
  async function drained(): Promise<void> {
    for (let seen = -1; seen !== progress.reads && !progress.isRefused;) {
      seen = progress.reads;
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  return {
    async write(piece) {
      for (let at = 0; at < piece.length && !progress.isRefused; at += sliceBytes) {
        // The verdict reports a stream that is no gzip.
        const slice = Uint8Array.from(piece.subarray(at, at + sliceBytes));
        await Promise.race([writer.write(slice).catch(() => undefined), verdict]);
        await drained();
      }
    },
    async end() {
      writer.close().catch(() => undefined);
      return await verdict;
    },
  };
}

async function readAll(
  stream: ReadableStream<Uint8Array>,
  maxUnpackedBytes: number,
  onRead: () => void,
): Promise<string | null> {
  const allow = entryRules(maxUnpackedBytes);
  const tar = readTarHeaders((entry) => {
    const reason = allow(entry);
    if (reason !== null) throw new ArchiveRefused(reason);
  });
  const reader = stream.getReader();
  let bytes = 0;
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      onRead();
      bytes += value.length;
      if (bytes > maxUnpackedBytes) throw new ArchiveRefused(tooLarge(maxUnpackedBytes));
      tar.write(value);
    }
    tar.end();
    return null;
  } catch (error) {
    reader.cancel().catch(() => undefined);
    if (error instanceof ArchiveRefused || error instanceof TarProblem) return error.message;
    return 'it is not compressed as expected';
  }
}

/** Returns a function that gives the reason why an entry is refused; null if it is allowed. */
function entryRules(maxUnpackedBytes: number): (entry: TarEntry) => string | null {
  const seen = new Map<string, 'folder' | 'file' | 'link'>();
  let entries = 0;
  let bytes = 0;

  /** Records the folders that a name implies; false if one of them is not a folder. */
  function hasFoldersOnly(name: string, root: string): boolean {
    for (let end = name.lastIndexOf('/'); end >= root.length; end = name.lastIndexOf('/', end - 1)) {
      const folder = name.slice(0, end);
      const known = seen.get(folder);
      if (known === 'folder') return true;
      if (known !== undefined) return false;
      seen.set(folder, 'folder');
    }
    return true;
  }

  return (entry) => {
    entries += 1;
    bytes += entry.size;
    if (entries > maxEntries || seen.size > 2 * maxEntries) return `it has more than ${maxEntries} entries`;
    if (bytes > maxUnpackedBytes) return tooLarge(maxUnpackedBytes);
    const { type, mode, linkName } = entry;
    const isFolder = type === 'folder';
    const name = isFolder ? entry.name.replace(/\/$/, '') : entry.name;
    const refuse = (why: string): string => `${shown(entry.name)} ${why}`;
    const badName = nameProblem(name);
    if (badName !== null) return refuse(badName);
    const root = rootOf(name);
    if (root === null) return refuse('is outside the package folders and the clone');
    if (root === cloneRoot && name === root) return refuse('is the clone itself');
    if (name === root && !isFolder) return refuse('takes the place of a package folder');
    const badInClone = root === cloneRoot ? cloneProblem(name.slice(root.length + 1)) : null;
    if (badInClone !== null) return refuse(badInClone);
    if ((mode & specialBits) !== 0) return refuse('has a set-user-id, set-group-id or sticky bit');
    if (isFolder && (mode & ownerBits) !== ownerBits)
      return refuse('is a folder that its owner cannot change');
    if (!hasFoldersOnly(name, root)) return refuse('is below a file or a link');
    const known = seen.get(name);
    if (known !== undefined && !(isFolder && known === 'folder')) return refuse('occurs twice');
    if (type === 'symlink' && !staysInside(name, linkName, root)) return refuse('links out of its folder');
    if (type === 'hard-link' && (seen.get(linkName) !== 'file' || rootOf(linkName) !== root))
      return refuse('is a hard link to no file of its folder before it');
    seen.set(name, isFolder ? 'folder' : type === 'symlink' ? 'link' : 'file');
    return null;
  };
}

const cloneRoot = sandboxPaths.repository.slice(1);
const roots = [cloneRoot, ...packageFolders.map((folder) => folder.slice(1))];

/** The allowed folder that a name is, or is in. */
const rootOf = (name: string): string | null =>
  roots.find((root) => name === root || name.startsWith(`${root}/`)) ?? null;

function nameProblem(name: string): string | null {
  if (name.startsWith('/')) return 'is an absolute name';
  if (name.length > maxNameLength) return 'is too long';
  const components = name.split('/');
  if (components.length > maxDepth) return 'is too deep';
  if (components.includes('..')) return 'has `..` in its name';
  if (components.some((one) => one === '' || one === '.')) return 'is not a plain name';
  return null;
}

function cloneProblem(path: string): string | null {
  const components = path.toLowerCase().split('/');
  if (components.includes('.git')) return 'belongs to git';
  return neverCached.includes(components[0] ?? '') ? 'is read as settings by git or an agent' : null;
}

/** True if the target is in `root`. Rule 5 allows nothing below a link, so leading `..` can be counted. */
function staysInside(name: string, target: string, root: string): boolean {
  if (target === '' || target.startsWith('/') || target.length > maxNameLength) return false;
  const components = target.split('/').filter((one) => one !== '' && one !== '.');
  const ups = components.findIndex((one) => one !== '..');
  const down = ups === -1 ? [] : components.slice(ups);
  if (down.includes('..')) return false;
  const upCount = ups === -1 ? components.length : ups;
  const folder = name.split('/').slice(0, -1);
  if (folder.length - upCount < root.split('/').length) return false;
  const resolved = [...folder.slice(0, folder.length - upCount), ...down].join('/');
  return root !== cloneRoot || cloneProblem(resolved.slice(root.length + 1)) === null;
}

const tooLarge = (maxBytes: number): string =>
  `it has more than ${Math.floor(maxBytes / 1024 ** 2)} MiB unpacked`;

/** A name of the archive as inert text: it can neither end its code span nor make a link or a mention. */
const shown = (name: string): string =>
  `\`${name.slice(0, 100).replace(/[^\w./+=-]/g, '?')}${name.length > 100 ? '…' : ''}\``;
