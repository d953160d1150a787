/** Rules on what a change does to the tree: modes, symlinks, size. */
import type { ChangedFile } from '../../core/change-set.ts';
import type { GateInput } from '../../core/ports/publication.ts';
import { utf8Of } from '../../lib/utf8.ts';
import { decodeBase64 } from '../base64.ts';
import type { Finding } from './rule.ts';
import { segmentProblem } from './safe-path.ts';

/** A change with more files is marked. */
const manyFiles = 200;
/** A change with more inserted and deleted lines is marked. */
const manyLines = 5000;

export function newExecutables({ change: { files, measure } }: GateInput): readonly Finding[] {
  const before = new Map(measure.modesBefore);
  const now = files.filter((file) => file.type === 'file' && file.mode === '100755');
  return now.map(({ path }) => path).filter((path) => before.get(path) !== '100755');
}

export function largeChange({ change: { files, measure } }: GateInput): readonly Finding[] {
  const lines = measure.insertions + measure.deletions;
  if (files.length <= manyFiles && lines <= manyLines) return [];
  return [`A change of ${files.length} files and ${lines} lines`];
}

export const linksOutside = ({ change }: GateInput): readonly Finding[] => change.files.flatMap(linkOutside);

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
