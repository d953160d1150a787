/** Rules on what a change does to the tree: modes, symlinks, size. */
import type { ChangedFile, MeasuredChange } from '../../core/change-set.ts';
import { utf8Of } from '../../lib/utf8.ts';
import { decodeBase64 } from '../../lib/base64.ts';
import { maxCollisions } from '../name-collisions.ts';
import type { Find, Finding } from './rule.ts';
import { segmentProblem } from './safe-path.ts';

/** A change with more files is marked. */
const manyFiles = 200;
/** Fewer removed files are no broken checkout. */
const minLost = 3;
/** A change with more inserted and deleted lines is marked. */
const manyLines = 5000;

export const newExecutables: Find = ({ change: { files, measure } }) => {
  const before = new Map(measure.modesBefore);
  const now = files.filter((file) => file.type === 'file' && file.mode === '100755');
  return now.map(({ path }) => path).filter((path) => before.get(path) !== '100755');
};

/** What a full list leaves out can be one of `files`, for which the rule applies. */
export const collidingNames: Find = ({
  change: {
    files,
    measure: { collisions },
  },
}) => {
  const found = collisions
    .filter(([name]) => files.some(({ path }) => path === name || path.startsWith(`${name}/`)))
    .map((names) => names.join(' and '));
  return found.length === 0 && files.length > 0 && collisions.length >= maxCollisions
    ? [`More than ${maxCollisions} names`]
    : found;
};

/** Scripts that nothing can start any more. */
export const lostExecutables: Find = ({ change: { files, measure } }) => {
  const before = new Map(measure.modesBefore);
  const now = files.filter((file) => file.type === 'file' && file.mode === '100644');
  return now.map(({ path }) => path).filter((path) => before.get(path) === '100755');
};

/** Symlinks where the base commit has a file or a folder. */
export const linksInPlace: Find = ({ change: { files, measure } }) => {
  const before = new Map(measure.modesBefore);
  const gone = files.flatMap(({ type, path }) => (type === 'deletion' ? [path] : []));
  const links = files.filter((file) => file.type === 'file' && file.mode === '120000');
  return links
    .map(({ path }) => path)
    .filter((path) => {
      const mode = before.get(path);
      return mode === undefined ? gone.some((other) => other.startsWith(`${path}/`)) : mode !== '120000';
    });
};

/** A checkout that is not whole looks like a change that deletes, or empties, the rest. */
function removal({ files, measure: { baseFiles, modesBefore } }: MeasuredChange) {
  const before = new Map(modesBefore);
  const removed = files.filter(
    (file) => file.type === 'deletion' || (isBlank(file) && before.has(file.path)),
  ).length;
  const added = files.filter(
    (file) => file.type === 'file' && !isBlank(file) && !before.has(file.path),
  ).length;
  const all = baseFiles ?? Number.POSITIVE_INFINITY;
  return {
    finding: `The change removes or empties ${removed} of the ${all} files of the base commit`,
    isMost: removed * 2 > all,
    // What moves to another name is not lost. In a tiny repository half of the files is one.
    isLost: removed >= minLost && (all - removed + added) * 2 < all,
  };
}

/** Without a character that counts: a file system that was cut off leaves NUL bytes. */
const isBlank = (file: ChangedFile): boolean => file.type === 'file' && /^[\s\0]*$/.test(atob(file.content));

export const treeLost: Find = ({ change }) => {
  const { finding, isLost } = removal(change);
  return isLost ? [finding] : [];
};
export const mostRemoved: Find = ({ change }) => {
  const { finding, isLost, isMost } = removal(change);
  return isMost && !isLost ? [finding] : [];
};

export const largeChange: Find = ({ change: { files, measure } }) => {
  const lines = measure.insertions + measure.deletions;
  if (files.length <= manyFiles && lines <= manyLines) return [];
  return [`A change of ${files.length} files and ${lines} lines`];
};

export const linksOutside: Find = ({ change }) => change.files.flatMap(linkOutside);

function linkOutside(file: ChangedFile): readonly Finding[] {
  if (file.type !== 'file' || file.mode !== '120000') return [];
  const target = utf8Of(decodeBase64(file.content));
  const depth = file.path.split('/').length - 1;
  return target !== null && staysInside(target, depth) ? [] : [`the symlink ${file.path}`];
}

/** Goes up only at the beginning, not above the root (`a` in `a/../..` can be a symlink), never to `.git`. */
function staysInside(target: string, depth: number): boolean {
  // A NUL cuts the target short where it is used.
  if (target === '' || target.startsWith('/') || /[\\\p{Cc}]|^[A-Za-z]:/u.test(target)) return false;
  const segments = target.split('/');
  const climbs = segments.findIndex((segment) => segment !== '..' && !stays(segment));
  const leading = climbs < 0 ? segments : segments.slice(0, climbs);
  const rest = climbs < 0 ? [] : segments.slice(climbs);
  if (leading.filter((segment) => segment === '..').length > depth) return false;
  return rest.every((segment) => stays(segment) || segmentProblem(segment) === null);
}

const stays = (segment: string): boolean => segment === '' || segment === '.';
