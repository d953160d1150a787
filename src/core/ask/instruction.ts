/**
 * Defines an instruction: one of a few commands, or text. `cancel please` and `retry` above a signature are
 * commands, `stop using var` is a task. A cancellation that continues gets a question, lest a task waits for
 * the one to stop.
 */
import { anyOf, wholeWords } from './word-patterns.ts';
import type { TaskRequest } from '../task.ts';
import { withoutMiddle } from '../../lib/cut-text.ts';

/** Characters, as in the task's schema: a whole issue, which GitHub limits to 65,536. */
const maxInstructionChars = 70_000;

const cancel: TaskRequest['ask'] = { kind: 'cancel' };
const retry: TaskRequest['ask'] = { kind: 'retry' };
const commands: Readonly<Record<string, TaskRequest['ask']>> = {
  help: { kind: 'help' },
  status: { kind: 'status' },
  cancel,
  stop: cancel,
  abort: cancel,
  halt: cancel,
  'never mind': cancel,
  nevermind: cancel,
  'forget it': cancel,
  取消: cancel,
  停止: cancel,
  キャンセル: cancel,
  retry,
  'try again': retry,
};

/** What people write between the name and the words: `@airlock, fix it`, `@airlock、直して`. */
export const afterName = /^[,:;，：；、،؛]\s*/u;

/** The answer when the bot was only copied in or credited. */
export const copied: TaskRequest['ask'] = {
  kind: 'invalid',
  message:
    'You mentioned me in passing, so I did nothing. To start a task, mention me with what you want done.',
};

const afterCancel: TaskRequest['ask'] = {
  kind: 'invalid',
  message:
    'Did you mean to cancel a task? Write `cancel` as the only word, in the issue or thread of the task. To ' +
    'start a new task, write what to do without the word in front.',
};

/** Words that add nothing to a command. Not for `help`: `please help` asks for work. */
const courtesy = wholeWords(
  `please, pls, plz, kindly, thanks, thank you, thx, ok, okay, can you, could you, would you,
  (?:the|this|that|my) (?:task|run|job), it, this, that, now, immediately, right away, here`,
  'giu',
);

/** The first line of what a mail program or phone adds below the words. */
const mailWords = anyOf(`
  sent (?:from|via|with) , get \\[?outlook for , you are receiving this , reply to this email , von meinem ,
  gesendet (?:von|mit) , envoyé (?:de|depuis) , enviado (?:desde|do) , inviato da , verzonden vanaf ,
  iphoneから, 从我的, 發自我的, 发自我的`);
const signature = new RegExp(
  `^(?:--[ \\t]*|_{5,}[ \\t]*|\\W{0,4}(?:${mailWords}|on .{4,200}\\n?.{0,100}\\bwrote:).*)$`,
  'imu',
);
/** A closing and at most three lines with a name below it. */
const closing = new RegExp(
  `\\n[ \\t]*${anyOf('many thanks, thanks, thank you, cheers, best, best wishes, (?:best |kind |warm )?regards')}` +
    '[ \\t]*[,.!]?[ \\t]*(?:\\n[^\\n]{0,60}){0,3}\\s*$',
  'i',
);

/** Letters, digits and single spaces: what remains of words without punctuation and emoji. */
const bare = (words: string): string =>
  words
    .toLowerCase()
    .replace(/(?:[^\p{L}\p{N}\p{M}\uFFFC]|:[a-z0-9_+-]{1,40}:)+/gu, ' ')
    .trim();

const commandNamed = (words: string): TaskRequest['ask'] | null =>
  Object.hasOwn(commands, words) ? (commands[words] ?? null) : null;

/** Longer words are no command, whatever they contain. */
const maxCommandChars = 2_000;

/** Returns the command, or a question, when the words ask for nothing else; null for a task. Linear. */
export function commandIn(words: string): TaskRequest['ask'] | null {
  const untilSignature = words.slice(0, signature.exec(words)?.index).trim();
  if (untilSignature.length > maxCommandChars) return null;
  const asked = untilSignature.replace(closing, '');
  const exact = commandNamed(bare(asked));
  if (exact !== null) return exact;
  const polite = commandNamed(bare(asked.replace(courtesy, ' ')));
  if (polite !== null && polite.kind !== 'help') return polite;
  const [first = '', id] = /^(\p{L}{4,6})\s+[`#]{0,2}([0-9a-f]{8})`?[.!]?$/iu.exec(asked)?.slice(1) ?? [];
  const clause =
    id === undefined
      ? (/^[^.,;:!?\n—–。、，；！？]*(?=[.,;!?\n—–。、，；！？])/u.exec(asked)?.[0] ?? '')
      : first;
  return commandNamed(bare(clause.replace(courtesy, ' ')))?.kind === 'cancel' ? afterCancel : null;
}

/** Longer text loses its middle, and says so: people ask at the beginning or at the end. */
export function cutInstruction(text: string): string {
  return withoutMiddle(text, maxInstructionChars);
}
