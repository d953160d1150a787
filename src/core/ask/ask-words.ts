/**
 * Reads what somebody asks in a chat, from plain text without the mention. Decides neither access nor, when
 * the words name none, the repository.
 *
 * - Options and the repository come at the beginning, in any order. Everything after the first other word is
 *   the instruction.
 * - A word of the form `owner/name` is a repository whether the configuration lists it or not: read as prose,
 *   a misspelled name would send the task to another repository. An alias counts only when it exists.
 * - `ask`, before or after them, makes the instruction a question.
 * - Commands are those of `instruction.ts`.
 */
import { stripHiddenCharacters } from './hidden-characters.ts';
import { parseRepositoryRef } from '../ids.ts';
import { beforeQuestion, commandIn, cutInstruction, questionStart, runIn } from './instruction.ts';
import { readOption, unquote } from './options.ts';
import type { RepositoryRef, TaskOptions, TaskRequest } from '../task.ts';

export interface AskRead {
  readonly ask: TaskRequest['ask'];
  /** Null: the words name none. */
  readonly repository: RepositoryRef | null;
  /** At most 20,000 characters, without invisible ones; empty for a command. */
  readonly instruction: string;
  readonly options: TaskOptions;
}

/** `repositoryOf` knows the aliases; it gets the first word that is neither an option nor `owner/name`. */
export function readAsk(
  untrustedWords: string,
  repositoryOf: (word: string) => RepositoryRef | null,
): AskRead {
  const words = stripHiddenCharacters(untrustedWords).trim();
  const command = commandIn(words);
  if (command !== null) return { ask: command, repository: null, instruction: '', options: {} };

  let repository: RepositoryRef | null = null;
  let options: TaskOptions = {};
  let isQuestion = false;
  let at = 0;
  const gap = /\s*/y;
  const token = /\S+/y;
  for (;;) {
    gap.lastIndex = at;
    gap.exec(words);
    const start = gap.lastIndex;
    const ask = isQuestion ? undefined : beforeQuestion.exec(words.slice(start, start + questionStart))?.[0];
    if (ask !== undefined) {
      isQuestion = true;
      at = start + ask.length;
      continue;
    }
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
      const instruction = words.slice(start);
      const ask: TaskRequest['ask'] = isQuestion ? { kind: 'run', job: 'question' } : runIn(instruction);
      return { ask, repository, instruction: cutInstruction(instruction), options };
    }
    repository = named;
    at = token.lastIndex;
  }
}

/** People also write `acme/shop: fix it` and `shop, fix it`. */
function repositoryIn(
  word: string,
  repositoryOf: (word: string) => RepositoryRef | null,
): RepositoryRef | null {
  const name = unquote(word.replace(/[,:;]$/, ''));
  return parseRepositoryRef(name) ?? repositoryOf(name);
}
