/**
 * Parses the text after a slash command. `cancel the order twice` starts a task, `cancel 1a2b` cancels one. A
 * single Latin word that is unknown is usually a typo; in a script without spaces it can be a sentence.
 */
import { stripHiddenCharacters } from '../core/ask/hidden-characters.ts';
import type { AskRead } from '../core/ask/ask-words.ts';
import { parseRepositoryRef } from '../core/ids.ts';
import type { RepositoryRef } from '../core/task.ts';
import { resembles } from '../lib/nearest.ts';
import { plainText } from './message-text.ts';
import { readWords, textProblem } from './requests.ts';

export type IdVerb = 'status' | 'cancel' | 'retry';

export type CommandReading =
  /** `repository` is set if the text is only a repository. */
  | { readonly kind: 'form'; readonly repository: RepositoryRef | null }
  | { readonly kind: 'help' | 'status' | 'list' | 'repos' }
  /** `idPrefix`: the first four to eight digits of a task's short id, in lower case. */
  | { readonly kind: 'on-task'; readonly verb: IdVerb; readonly idPrefix: string }
  | { readonly kind: 'needs-id'; readonly verb: IdVerb }
  | { readonly kind: 'not-an-id'; readonly verb: IdVerb; readonly word: string }
  /** Asks for the channel's default. `name`: `owner/name` as it was written, or an example. */
  | { readonly kind: 'here'; readonly name: string }
  /** `asked` is plain text, possibly empty. */
  | { readonly kind: 'where'; readonly asked: AskRead }
  /** `meant`: the command that the word resembles. */
  | { readonly kind: 'unknown'; readonly word: string; readonly meant: string | null }
  | { readonly kind: 'problem'; readonly problem: string }
  | { readonly kind: 'run'; readonly asked: AskRead };

const commandWords = ['help', 'status', 'list', 'cancel', 'stop', 'retry', 'repos', 'where'] as const;
type CommandWord = (typeof commandWords)[number];

const idVerbs: Readonly<Partial<Record<CommandWord, IdVerb>>> = {
  status: 'status',
  cancel: 'cancel',
  stop: 'cancel',
  retry: 'retry',
};

/** A task id as people paste it: also in backticks or with a `#`. */
const idWord = /^[`#]{0,2}([0-9a-f]{4,8})`?$/i;

function readCommandWord(word: CommandWord, rest: string): CommandReading | null {
  const verb = idVerbs[word];
  if (verb !== undefined) {
    if (rest === '') return verb === 'status' ? { kind: 'status' } : { kind: 'needs-id', verb };
    if (/\s/.test(rest)) return null;
    const idPrefix = idWord.exec(rest)?.[1]?.toLowerCase();
    return idPrefix === undefined
      ? { kind: 'not-an-id', verb, word: rest }
      : { kind: 'on-task', verb, idPrefix };
  }
  if (rest !== '') return null;
  return word === 'help' || word === 'list' || word === 'repos' ? { kind: word } : null;
}

/** Null: `here` begins a sentence. An example for no name, or for an alias, whose meaning is not shown. */
function nameFor(rest: string, repositoryOf: (word: string) => RepositoryRef | null): string | null {
  if (rest === '' || repositoryOf(rest) !== null) return 'owner/repo';
  const named = parseRepositoryRef(rest);
  return named === null ? null : `${named.owner}/${named.name}`;
}

/** `repositoryOf` resolves aliases. Linear time, except for words of up to 16 letters. */
export function readCommand(
  untrustedMrkdwn: string,
  repositoryOf: (word: string) => RepositoryRef | null,
): CommandReading {
  const problem = textProblem(untrustedMrkdwn);
  if (problem !== null) return { kind: 'problem', problem };
  const words = stripHiddenCharacters(plainText(untrustedMrkdwn, () => null)).trim();
  if (words === '') return { kind: 'form', repository: null };

  const [, first = '', rest = ''] = /^(\S+)\s*(.*)$/s.exec(words) ?? [];
  const here = /^here[.!?]{0,3}$/i.test(first) ? nameFor(rest.trim(), repositoryOf) : null;
  if (here !== null) return { kind: 'here', name: here };
  const command = commandWords.find((one) => one === first.toLowerCase().replace(/[.!?]{1,3}$/, ''));
  if (command === 'where') {
    const read = readWords(untrustedMrkdwn.trimStart().slice(first.length), repositoryOf);
    return read.kind === 'problem' ? read : { kind: 'where', asked: read.asked };
  }
  const reading = command === undefined ? null : readCommandWord(command, rest);
  if (reading !== null) return reading;

  const read = readWords(untrustedMrkdwn, repositoryOf);
  if (read.kind === 'problem') return read;
  const { asked } = read;
  if (asked.ask.kind === 'cancel' || asked.ask.kind === 'retry')
    return { kind: 'needs-id', verb: asked.ask.kind };
  if (asked.ask.kind !== 'run') return { kind: 'help' };
  if (asked.instruction === '') {
    // Options without an instruction cannot open the form, which has no fields for model and effort.
    return Object.keys(asked.options).length === 0
      ? { kind: 'form', repository: asked.repository }
      : { kind: 'problem', problem: 'What should Codex do? Add it after the options.' };
  }
  if (asked.repository === null && rest === '' && /^[a-z-]{1,16}[.!?]{0,3}$/i.test(first)) {
    const word = first.toLowerCase().replace(/[.!?]+$/, '');
    return { kind: 'unknown', word, meant: resembles(word, commandWords) };
  }
  return { kind: 'run', asked };
}
