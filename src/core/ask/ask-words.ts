/**
 * What somebody asks in a chat, from words that are already plain text without the mention. Whether they may, and which
 * repository it is when the words name none, is decided elsewhere.
 *
 * - Options and the repository may stand in any order at the beginning. After the first other word all is instruction.
 * - A word of the form `owner/name` is a repository whether the configuration lists it or not: were an unlisted one
 *   taken for prose, a misspelled name would send the task to another repository. An alias is one only when it exists.
 * - A command (`help`, `status`, `cancel`, `stop` or `retry`) is one only as the sole word.
 */
import { stripHiddenCharacters } from './hidden-characters.ts';
import { parseRepositoryRef } from '../ids.ts';
import { commandIn, cutInstruction } from './instruction.ts';
import { readOption, unquote } from './options.ts';
import type { RepositoryRef, TaskOptions, TaskRequest } from '../task.ts';

export interface AskRead {
  readonly ask: TaskRequest['ask'];
  /** null: the words name none. */
  readonly repository: RepositoryRef | null;
  /** At most 20,000 characters, without characters that nobody sees. Empty for a command, or when there are no more words. */
  readonly instruction: string;
  readonly options: TaskOptions;
}

/** `repositoryOf` knows the aliases; it is asked about the first word that is neither an option nor `owner/name`. Linear. */
export function readAsk(
  untrustedWords: string,
  repositoryOf: (word: string) => RepositoryRef | null,
): AskRead {
  const words = stripHiddenCharacters(untrustedWords).trim();
  const command = commandIn(words);
  if (command !== null) return { ask: command, repository: null, instruction: '', options: {} };

  let repository: RepositoryRef | null = null;
  let options: TaskOptions = {};
  let at = 0;
  const gap = /\s*/y;
  const token = /\S+/y;
  for (;;) {
    gap.lastIndex = at;
    gap.exec(words);
    const start = gap.lastIndex;
    const option = readOption(words, start, options);
    if (option.kind === 'invalid') {
      const instruction = cutInstruction(words.slice(start));
      return { ask: { kind: 'invalid', message: option.message }, repository, instruction, options: {} };
    }
    if (option.kind === 'option') {
      ({ options, end: at } = option);
      continue;
    }
    token.lastIndex = start;
    const word = token.exec(words)?.[0];
    const named: RepositoryRef | null =
      word === undefined || repository !== null ? null : repositoryIn(word, repositoryOf);
    if (named === null) {
      return { ask: { kind: 'run' }, repository, instruction: cutInstruction(words.slice(start)), options };
    }
    repository = named;
    at = token.lastIndex;
  }
}

/** `acme/shop: fix it` and `shop, fix it` are how people write to somebody. */
function repositoryIn(
  word: string,
  repositoryOf: (word: string) => RepositoryRef | null,
): RepositoryRef | null {
  const name = unquote(word.replace(/[,:;]$/, ''));
  return parseRepositoryRef(name) ?? repositoryOf(name);
}
