/** Defines an instruction, wherever people write it: one of a few commands, or text up to a limit. */
import type { TaskRequest } from '../task.ts';
import { headOf } from '../../lib/cut-text.ts';

/** Characters, as in the task's schema. Longer text is cut, and says so. */
const maxInstructionChars = 20_000;
const cutNote = '\n[cut here: the instruction was longer]';

const commands: Readonly<Record<string, TaskRequest['ask']>> = {
  help: { kind: 'help' },
  status: { kind: 'status' },
  cancel: { kind: 'cancel' },
  stop: { kind: 'cancel' },
  retry: { kind: 'retry' },
};

/** Returns the command when it is the whole of what was asked: `stop using var` is a task. */
export function commandIn(words: string): TaskRequest['ask'] | null {
  const word = /^\s*([a-z]{1,10})\s*[.!?]{0,3}\s*$/i.exec(words)?.[1]?.toLowerCase();
  return word !== undefined && Object.hasOwn(commands, word) ? (commands[word] ?? null) : null;
}

export function cutInstruction(text: string): string {
  if (text.length <= maxInstructionChars) return text;
  return headOf(text, maxInstructionChars - cutNote.length) + cutNote;
}
