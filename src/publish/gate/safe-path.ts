/** Checks paths more strictly than git: none that some file system or tool reads as another one. */

/** Characters that HFS+ ignores in a name and a reader cannot see: `.g\u200cit` is `.git` there. */
const invisible = /[\p{Default_Ignorable_Code_Point}\p{Cf}]/gu;
/** Also the short name that NTFS gives to `.git`. */
const gitFolder = /^(?:\.git|git~\d+)$/;

/** Returns why the path is refused, as the end of a sentence; null if it is accepted. */
export function pathProblem(path: string): string | null {
  if (!path.isWellFormed()) return 'is not well-formed Unicode';
  if (/\p{Cc}/u.test(path)) return 'holds control characters';
  if (path.includes('\\')) return 'holds a backslash';
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path)) return 'is absolute';
  if (byteLength(path) > 4096) return 'is longer than 4096 bytes';
  for (const segment of path.split('/')) {
    const problem = segmentProblem(segment);
    if (problem !== null) return problem;
  }
  return null;
}

/** Like `pathProblem`, for one segment of a path or of a link's target. */
export function segmentProblem(segment: string): string | null {
  if (segment === '') return 'has an empty segment';
  if (/^[. ]+$/.test(segment.normalize('NFKC'))) return 'has a segment of dots';
  if (byteLength(segment) > 255) return 'has a segment longer than 255 bytes';
  if (gitFolder.test(plainName(segment))) return 'leads into a git folder';
  if (segment.replace(invisible, '') !== segment) return 'holds invisible characters';
  return null;
}

/** Returns the path that file systems which ignore case, or know other spellings of a name, open for it. */
export function plainPath(path: string): string {
  return path.split('/').map(plainName).join('/');
}

/**
 * HFS+ ignores invisible characters, and APFS folds `ß`. NTFS cuts at a colon (a stream), and drops trailing
 * spaces and dots.
 */
function plainName(segment: string): string {
  const seen = segment.normalize('NFKC').replace(invisible, '').toLowerCase().replaceAll('ß', 'ss');
  return seen.replace(/:.*$/s, '').replace(/(?<![ .])[ .]+$/, '');
}

const byteLength = (text: string): number => new TextEncoder().encode(text).byteLength;
