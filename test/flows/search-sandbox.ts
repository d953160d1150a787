/**
 * Runs inside a sandbox and prints as JSON where given texts are found: in files, environments and command
 * lines. Arguments: the file with the texts, and the time from which on host files count.
 */
import {
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
} from 'node:fs';

const [needlesFile = '', hostFoldersSince = ''] = process.argv.slice(2);
const needles: readonly { name: string; text: string }[] = JSON.parse(readFileSync(needlesFile, 'utf8'));

const found: { name: string; where: string }[] = [];
const unreadable: string[] = [];
const programs: string[] = [];
let files = 0;

/** Mounted read-only, and huge. Only files newer than the bot can hold one of its secrets. */
const hostFolders = ['/usr/', '/opt/'];
/** Processes are looked at by themselves. A terminal is no file, and the kernel's own tree is not mounted. */
const notWalked = new Set([needlesFile, '/proc', '/dev/pts']);

function search(where: string, bytes: Buffer): void {
  for (const { name, text } of needles) if (bytes.includes(text)) found.push({ name, where });
}

function attempt<T>(what: string, read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    unreadable.push(`${what}: ${String(error)}`);
    return null;
  }
}

const pieceBytes = 1024 * 1024;
/** So that a text which two pieces share is found. */
const overlap = Math.max(...needles.map(({ text }) => Buffer.byteLength(text)));

/**
 * Never waits: opening a pipe without a writer would. Reads by pieces: a file can be larger than the memory
 * of the sandbox.
 */
function searchFile(path: string): void {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const piece = Buffer.alloc(overlap + pieceBytes);
    let kept = 0;
    for (let read; (read = readSync(file, piece, kept, pieceBytes, null)) > 0;) {
      search(path, piece.subarray(0, kept + read));
      const rest = piece.subarray(Math.max(0, kept + read - overlap), kept + read);
      kept = rest.copy(piece);
    }
  } finally {
    closeSync(file);
  }
}

function walk(path: string): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined || notWalked.has(path)) return;
  search(`name of ${path}`, Buffer.from(path));
  if (stat.isSymbolicLink()) return search(`link ${path}`, Buffer.from(readlinkSync(path)));
  if (stat.isDirectory()) {
    const names = attempt(path, () => readdirSync(path)) ?? [];
    for (const name of names) walk(path === '/' ? `/${name}` : `${path}/${name}`);
    return;
  }
  const isHosts = hostFolders.some((folder) => path.startsWith(folder));
  if (!stat.isFile() || (isHosts && Math.max(stat.mtimeMs, stat.ctimeMs) < Number(hostFoldersSince))) return;
  if (attempt(path, () => searchFile(path)) !== null) files += 1;
}

/** True for a process that has ended, or is ending, since `/proc` was listed: it holds nothing any more. */
function isOver(pid: string): boolean {
  try {
    // The state follows the name, which can hold anything: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return /^[ZXx] /.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return true;
  }
}

walk('/');
for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
  for (const part of ['cmdline', 'comm', 'environ', 'mountinfo']) {
    const path = `/proc/${pid}/${part}`;
    let bytes: Buffer;
    try {
      bytes = readFileSync(path);
    } catch (error) {
      if (!isOver(pid)) unreadable.push(`${path}: ${String(error)}`);
      continue;
    }
    search(path, bytes);
    if (part === 'comm') programs.push(bytes.toString('utf8').trim());
  }
}
process.stdout.write(`${JSON.stringify({ found, files, unreadable, programs })}\n`);
