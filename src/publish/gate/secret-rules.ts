/**
 * Finds secrets in everything that a change publishes. What Codex writes has none any more: the adapter of
 * Codex takes them out as they arrive, and leaves words in their place.
 */
import { stripHiddenCharacters } from '../../core/ask/hidden-characters.ts';
import type { ChangedFile, ChangeSet } from '../../core/change-set.ts';
import type { GateInput } from '../../core/ports/publication.ts';
import { findSecrets, wasHere } from '../../core/secrets/find-secrets.ts';
import type { Finding } from './rule.ts';

export const secrets = ({ change, words }: GateInput): readonly Finding[] => [
  ...change.files.flatMap((file) => secretsIn(file, change.measure.secretsBefore)),
  ...secretsInNames(change),
  ...wordsOf(words).flatMap(([place, text]) => kindsIn(text).map((kind) => `${kind} in ${place}`)),
];

export const secretsTakenOut = ({ words }: GateInput): readonly Finding[] =>
  wordsOf(words).flatMap(([place, text]) => {
    const [, kind] = wasHere.exec(text) ?? [];
    return kind === undefined ? [] : [`${kind} in ${place}`];
  });

/** Every text of an answer, with its place in words. */
function wordsOf({
  title,
  summary,
  pullRequestText,
  replies = [],
}: GateInput['words']): readonly (readonly [string, string])[] {
  return [
    ['the title', title],
    ['the summary', summary],
    ['the filled-in template', pullRequestText ?? ''],
    ...replies.map(({ text }) => ['a reply to a line comment', text] as const),
  ];
}

/** Deleted files are on the base branch already; names left out are shown in the pull request. */
function secretsInNames({ files, skipped }: ChangeSet): readonly Finding[] {
  const names = [...files.filter(({ type }) => type === 'file'), ...skipped].map(({ path }) => path);
  return kindsIn(names.join('\n')).map((kind) => `${kind} in the name of a file`);
}

/** One that the base has in a changed file is no news: everyone who reads the branch has read it. */
function secretsIn(file: ChangedFile, before: ChangeSecrets): readonly Finding[] {
  if (file.type !== 'file') return [];
  const known = new Set(before.flatMap(([path, line]) => (path === file.path ? [line] : [])));
  // One character per byte: the patterns are ASCII, and a key in a binary file counts too.
  const found = findSecrets(atob(file.content), file.path).filter(({ line }) => !known.has(line));
  return [...new Set(found.map(({ kind, line }) => `${kind} in ${file.path}, line ${line}`))];
}

type ChangeSecrets = GateInput['change']['measure']['secretsBefore'];

/** Of the text as people see it. */
const kindsIn = (text: string): readonly string[] => [
  ...new Set(findSecrets(stripHiddenCharacters(text)).map(({ kind }) => kind)),
];
