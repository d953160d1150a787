/**
 * Decides which folders of this machine a sandbox sees as toolchains, and where. A folder is refused if it
 * could show a secret, if somebody else could replace it, or if something in it leads out of the sandbox: a
 * read-only mount keeps nobody from connecting to a socket. `layout.ts` binds the others.
 */
import { open, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join, normalize } from 'node:path';

export interface Toolchain {
  /** On this machine: a real path, without links. */
  readonly source: string;
  /** Where the sandbox has it: at the same path, and one of `~` also in the sandbox's home. */
  readonly targets: readonly string[];
  /** For the front of the PATH; null if it has no programs. */
  readonly bin: string | null;
}

/** What a sandbox never sees. All paths are real ones. */
export interface Places {
  readonly home: string;
  readonly hidden: readonly { readonly folder: string; readonly what: string }[];
}

/** The message names the folder, and the remedy: for the operator alone. */
export class ToolchainProblem extends Error {
  override readonly name = 'ToolchainProblem';
}

const sandboxHome = '/home/codex';
/** Of the sandbox itself. A toolchain there would hide them, or the other way round. */
const sandboxPaths = ['/airlock', '/opt/airlock', '/opt/codex', '/opt/node', '/workspace', sandboxHome];
/** State and secrets of the machine, unless somebody's home is there. */
const systemFolders = ['/boot', '/dev', '/etc', '/proc', '/root', '/run', '/sys', '/var'];
/** Where people and tools keep credentials, at the end of a path. */
const secretPath =
  /\/(?:\.(?:ssh|gnupg|aws|azure|kube|docker|config|password-store|mozilla|thunderbird|codex|claude|netrc|npmrc|pypirc|pgpass|my\.cnf|git-credentials|vault-token|dev\.vars|env|m2\/settings(?:-security)?\.xml|gradle\/gradle\.properties)|_netrc|keyrings|credentials(?:\.toml|\.json)?|auth\.json|id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?)$/i;
/** Deeper, such names belong to packages and their tests. */
const secretDepth = 3;
const keyFile = /\.(?:pem|key)$/i;
/** A key comes at the start of its file, after at most a certificate. */
const keyFileBytes = 16 * 1024;
const maxEntries = 400_000;
/** A folder that was looked at is not looked at again for this long. */
const checkedMs = 10 * 60_000;

const isWithin = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder === '/' ? folder : `${folder}/`);
const ancestorsOf = (path: string): string[] => (path === '/' ? [] : [path, ...ancestorsOf(dirname(path))]);

/** Says why a path may not be a toolchain wherever it is; null if it may. Looks at no file. */
export function placeProblem(path: string, { home, hidden }: Places): string | null {
  if (/[:\p{C}]/u.test(path)) return 'a PATH cannot name it. Rename it';
  if (dirname(path) === '/') return 'it is more than a toolchain. Name a folder below it';
  if (isWithin(home, path)) return 'it holds the home folder. Name a folder below that';
  const system = isWithin(path, home) ? undefined : systemFolders.find((folder) => isWithin(path, folder));
  if (system !== undefined) return `${system} holds the state of this machine. Install it somewhere else`;
  for (const { folder, what } of hidden) {
    if (isWithin(path, folder)) return `it is in ${what}. Install it somewhere else`;
    if (isWithin(folder, path)) return `it holds ${what}. Name a narrower folder`;
  }
  const own = sandboxPaths.find((folder) => isWithin(path, folder) || isWithin(folder, path));
  if (own !== undefined) return `the sandbox has its own ${own}. Install it somewhere else`;
  const secret = ancestorsOf(path).find((folder) => secretPath.test(folder));
  return secret === undefined ? null : `credentials are kept in ${secret}. Install it somewhere else`;
}

/** Homes and the checkout can have links in their paths. */
export async function placesWith(folders: Readonly<Record<string, string>>): Promise<Places> {
  const real = async (path: string) => await realpath(path).catch(() => path);
  const hidden = Object.entries(folders).map(async ([what, folder]) => ({
    what,
    folder: await real(folder),
  }));
  return { home: await real(homedir()), hidden: await Promise.all(hidden) };
}

const checked = new Map<string, number>();

/** Resolves a folder of the configuration. Rejects with `ToolchainProblem`. `now`: milliseconds. */
export async function toolchainAt(written: string, places: Places, now: number): Promise<Toolchain> {
  const refuse = (why: string): never => {
    throw new ToolchainProblem(`The toolchain ${written} cannot be given to a sandbox: ${why}.`);
  };
  const below = written.startsWith('~/') ? written.slice(2) : null;
  const path = below === null ? written : join(places.home, below);
  if (!path.startsWith('/') || normalize(path) !== path || path.endsWith('/'))
    return refuse('its path is neither absolute nor below "~/"');
  const source = await realpath(path).catch(() => null);
  if (source === null) return refuse('there is no such folder here');
  if (source !== path) return refuse(`its path has a link and leads to ${source}. Name that folder`);
  const problem = placeProblem(source, places) ?? (await ownerProblem(source));
  if (problem !== null) return refuse(problem);
  if (now - (checked.get(source) ?? -Infinity) > checkedMs) {
    const found = (await mountProblem(source)) ?? (await contentProblem(source));
    if (found !== null) return refuse(found);
    checked.set(source, now);
  }
  const bin = basename(source) === 'bin' ? source : join(source, 'bin');
  return {
    source,
    targets: [source, ...(below === null ? [] : [join(sandboxHome, below)])],
    bin: (await isFolder(bin)) ? bin : null,
  };
}

async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** A user who can replace the folder, or one above it, could have any other folder bound in its place. */
async function ownerProblem(path: string): Promise<string | null> {
  if (!(await isFolder(path))) return 'it is not a folder';
  const trusted = new Set([0, process.geteuid?.() ?? 0]);
  const folders = [...ancestorsOf(path), '/'];
  const found = await Promise.all(folders.map(async (at) => await stat(at)));
  const isSticky = (mode: number): boolean => (mode & 0o1000) !== 0;
  for (const [index, { uid, mode }] of found.entries()) {
    const at = folders[index] ?? '/';
    if (!trusted.has(uid)) return `${at} belongs to another user, who could replace it`;
    if ((mode & 0o002) !== 0 && (index === 0 || !isSticky(mode))) return `every user can write to ${at}`;
  }
  return null;
}

async function mountProblem(path: string): Promise<string | null> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  const points = lines.map((line) =>
    (line.split(' ')[4] ?? '').replaceAll(/\\(\d{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    ),
  );
  const below = points.find((point) => point !== path && isWithin(point, path));
  return below === undefined ? null : `another file system is mounted at ${below}. Name a narrower folder`;
}

async function contentProblem(folder: string): Promise<string | null> {
  const pending = [{ path: folder, depth: 1 }];
  let seen = 0;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { path, depth } = next;
    // One that this user cannot read, no sandbox of theirs can.
    for (const entry of await readdir(path, { withFileTypes: true }).catch(() => [])) {
      const at = join(path, entry.name);
      if (++seen > maxEntries)
        return `it has more than ${maxEntries} files. Name the folder of one toolchain`;
      if (entry.isDirectory()) pending.push({ path: at, depth: depth + 1 });
      else if (!entry.isFile() && !entry.isSymbolicLink())
        return `${at} is a socket, a pipe or a device, through which a sandbox could reach others`;
      if (depth > secretDepth) continue;
      if (secretPath.test(at) || (entry.isFile() && keyFile.test(at) && (await isPrivateKey(at))))
        return `${at} can hold a credential. Name a narrower folder`;
    }
  }
  return null;
}

async function isPrivateKey(path: string): Promise<boolean> {
  const file = await open(path).catch(() => null);
  if (file === null) return false;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(keyFileBytes), 0, keyFileBytes, 0);
    return buffer.toString('latin1', 0, bytesRead).includes('PRIVATE KEY-----');
  } finally {
    await file.close();
  }
}
