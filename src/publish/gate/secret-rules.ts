/** Finds secrets in everything that a change publishes. */
import type { ChangedFile, ChangeSet } from '../../core/change-set.ts';
import type { GateInput } from '../../core/ports/publication.ts';
import type { Finding } from './rule.ts';
import { findSecret } from './secrets.ts';

export const secrets = ({ change }: GateInput): readonly Finding[] => [
  ...change.files.flatMap(secretIn),
  ...secretInNames(change),
];

/** Deleted files are on the base branch already; names left out are shown in the pull request. */
function secretInNames({ files, skipped }: ChangeSet): readonly Finding[] {
  return [...files.filter(({ type }) => type === 'file'), ...skipped].flatMap(({ path }) => {
    const found = findSecret(path);
    return found === null ? [] : [`${found.kind} in the name of a file`];
  });
}

/** The whole file, because the gate does not see its earlier content: the safe side. */
function secretIn(file: ChangedFile): readonly Finding[] {
  if (file.type !== 'file') return [];
  // One character per byte: the patterns are ASCII, and a key in a binary file counts too.
  const found = findSecret(atob(file.content));
  return found === null ? [] : [`${found.kind} in ${file.path}, line ${found.line}`];
}
