/** Matches paths with globs: `*` and `?` within a segment, `**` across them. Linear on hostile paths. */

/** Says what a glob should have been; null if it is one. */
export function globProblem(glob: string): string | null {
  if (glob === '' || glob.length > 200) return 'a path or a glob of at most 200 characters';
  if (/[[\]{}!\\]/.test(glob)) return 'a glob with "*", "**" and "?" only';
  if (glob.startsWith('/') || /^[A-Za-z]:/.test(glob)) return 'a path from the root, without a "/" before it';
  const segments = glob.replace(/\/$/, '').split('/');
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..'))
    return 'a path without empty segments, "." and ".."';
  if (segments.some((segment) => segment.includes('**') && segment !== '**'))
    return 'a glob with "**" only as a whole segment, such as "docs/**/*.md"';
  return null;
}

/** True if the glob matches the path or a folder above it: `infra` matches itself and all that is in it. */
export function matchesGlob(glob: string, path: string): boolean {
  const segments = segmentsOf(glob);
  let reached = closure(segments, new Set([0]));
  for (const name of path.split('/')) {
    const next = new Set<number>();
    for (const at of reached) {
      const segment = segments[at];
      if (segment === '**') next.add(at);
      else if (segment !== undefined && matchesSegment(segment, name)) next.add(at + 1);
    }
    reached = closure(segments, next);
    if (reached.has(segments.length)) return true;
  }
  return false;
}

/** True if the glob names paths below `folder`, as far as it is written before a `**`. */
export function leadsThrough(glob: string, folder: string): boolean {
  const names = folder.split('/');
  const segments = segmentsOf(glob);
  const recursive = segments.indexOf('**');
  const named = recursive < 0 ? segments.slice(0, -1) : segments.slice(0, recursive);
  return (
    names.length <= named.length && names.every((name, index) => matchesSegment(named[index] ?? '', name))
  );
}

/** `**` at the end adds nothing: what is below a match matches. */
const segmentsOf = (glob: string): readonly string[] =>
  glob
    .replace(/\/$/, '')
    .replace(/(?:\/\*\*)+$/, '')
    .split('/');

/** Adds the places after each `**`, because it also matches no segment at all. */
function closure(segments: readonly string[], places: Set<number>): Set<number> {
  for (const at of places) if (segments[at] === '**') places.add(at + 1);
  return places;
}

function matchesSegment(pattern: string, name: string): boolean {
  const [letters, wanted] = [Array.from(name), Array.from(pattern)];
  let at = 0;
  let want = 0;
  let star = -1;
  let from = 0;
  while (at < letters.length) {
    if (wanted[want] === '*') {
      star = want;
      from = at;
      want += 1;
    } else if (want < wanted.length && (wanted[want] === '?' || wanted[want] === letters[at])) {
      at += 1;
      want += 1;
    } else if (star >= 0) {
      from += 1;
      at = from;
      want = star + 1;
    } else return false;
  }
  return wanted.slice(want).every((letter) => letter === '*');
}
