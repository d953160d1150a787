/**
 * Checks the paths of a change, more strictly than git. Refuses a path that some file system or tool reads as
 * another one: the gate and the reviewer must see the name that a checkout creates.
 */

/** Characters that HFS+ ignores in a name and a reader cannot see: `.g\u200cit` is `.git` there. */
const invisible = /[\p{Default_Ignorable_Code_Point}\p{Cf}]/gu;
/** NTFS drops trailing spaces and dots, cuts at a colon (a stream), and also knows `.git` as `git~1`. */
const gitFolder = /^(?:\.git|git~\d+)(?:[ .]*|:.*)$/;

/** Returns why the path is refused, as the end of a sentence; null if it is accepted. */
export function pathProblem(path: string): string | null {
  if (!path.isWellFormed()) return 'is not well-formed Unicode';
  if (/\p{Cc}/u.test(path)) return 'holds control characters';
  if (path.includes('\\')) return 'holds a backslash';
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path)) return 'is absolute';
  const encoder = new TextEncoder();
  if (encoder.encode(path).byteLength > 4096) return 'is longer than 4096 bytes';
  for (const segment of path.split('/')) {
    if (segment === '') return 'has an empty segment';
    if (/^[. ]+$/.test(segment)) return 'has a segment of dots';
    if (encoder.encode(segment).byteLength > 255) return 'has a segment longer than 255 bytes';
    const seen = segment.normalize('NFKC').replace(invisible, '').toLowerCase();
    if (gitFolder.test(seen) || gitFolder.test(segment.toLowerCase())) return 'leads into a git folder';
    if (segment.replace(invisible, '') !== segment) return 'holds invisible characters';
  }
  return null;
}
