/** Decides what a message without words asks for. Pure. */
import type { AskRead } from '../core/ask/ask-words.ts';
import type { Wordless } from './message-words.ts';
import type { WordsReading } from './requests.ts';

/** Its attachments say what is asked. */
const onlyFiles: AskRead = { ask: { kind: 'run' }, repository: null, instruction: '', options: {} };

/**
 * Null for a message with words. `isAddressed`: it mentions the bot or was sent to it directly. A picture
 * below a task may be for other people; a pasted text that Slack made a file of is a reply like any other.
 */
export function readWordless(held: Wordless | null, isAddressed: boolean): WordsReading | null {
  if (held === null) return null;
  if (held.kind === 'files' && (isAddressed || held.pasted)) return { kind: 'asked', asked: onlyFiles };
  const problem =
    held.kind === 'files'
      ? `Nothing was started for ${held.names} alone. Write in words what you want done with it.`
      : `I cannot read ${held.what}, so nothing was started. Write in words what you want done.`;
  return { kind: 'problem', problem };
}
