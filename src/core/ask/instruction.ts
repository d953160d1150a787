/**
 * Defines an instruction: one of a few commands, or text. `cancel please` and `retry` above a signature are
 * commands, `stop using var` is a task. A cancellation that continues gets a question, lest a task waits for
 * the one to stop.
 */
import { anyOf, wholeWords } from './word-patterns.ts';
import type { TaskJob, TaskRequest } from '../task.ts';
import { withoutMiddle } from '../../lib/cut-text.ts';

/** Characters, as in the task's schema: a whole issue, which GitHub limits to 65,536. */
const maxInstructionChars = 70_000;

const cancel: TaskRequest['ask'] = { kind: 'cancel' };
const retry: TaskRequest['ask'] = { kind: 'retry' };
const status: TaskRequest['ask'] = { kind: 'status' };
const commands: Readonly<Record<string, TaskRequest['ask']>> = {
  help: { kind: 'help' },
  status,
  'any update': status,
  'any updates': status,
  'any news': status,
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
  ask: { kind: 'invalid', message: 'Write your question after `ask`.' },
  retry,
  'try again': retry,
  'run again': retry,
  rerun: retry,
};

/**
 * Directly after the name: what follows is a question about the code. `ask for confirmation before deleting`
 * and `ask the user twice` are tasks. Looks at no more than `questionStart` characters.
 */
export const beforeQuestion = new RegExp(
  `^(?:(?:please|pls|plz)[ \\t,]+)?ask\\b[ \\t]*[:,]?\\s+(?=\\S)(?!(?:for|before|again|twice|permission|confirmation|them|him|her|people|whether|` +
    `(?:(?:a|an|all|any|each|every|new|the|their|your) )?(?:user|person|customer|caller|client|visitor|operator|` +
    `admin|owner|reader|reviewer|buyer|player|guest)s?)\\b)`,
  'iu',
);
export const questionStart = 80;

const place = '(?: (?:on|in|of|for) (?:the|this|my)? ?(?:pr|mr|pull request|branch|change))?';
/** What reports whether a change works. */
const checkNames =
  '(?:ci|checks?|tests?|test suite|unit tests?|builds?|pipelines?|workflows?|(?:github )?actions|lint|type ?checks?)';
const jobs: readonly (readonly [TaskJob, RegExp])[] = [
  [
    'fix-checks',
    new RegExp(
      '^(?:fix|mend|repair|unbreak|make|get|turn)(?: (?:the|all|these|those|any|our|failing|failed|broken|red|ci))* ' +
        `${checkNames}(?: (?:failures?|errors?|runs?|jobs?))?(?: (?:to )?(?:pass|green|work|succeed))?(?: again)?` +
        `${place}$`,
      'u',
    ),
  ],
  [
    'fix-checks',
    new RegExp(
      `^(?:the |all )?${checkNames}(?: (?:is|are|still|now|again|runs?))* (?:red|failing|broken|fails?|failed)` +
        `(?: (?:again|now))?${place}(?: (?:and|so))? (?:fix|repair|mend)(?: them)?$`,
      'u',
    ),
  ],
  [
    'resolve-conflicts',
    new RegExp(
      '^(?:resolve|fix|solve)(?: (?:the|all|these|those|any|merge|git))* conflicts?' +
        `(?: with (?:the )?(?:base|target|main|master)(?: branch)?)?${place}$`,
      'u',
    ),
  ],
  // As GitHub's button of that name does.
  ['resolve-conflicts', /^update (?:(?:the|my) )?(?:branch|pr|pull request)$/u],
];

/** What people write between the name and the words: `@airlock, fix it`, `@airlock、直して`. */
export const afterName = /^[,:;，：；、،؛]\s*/u;

/** The answer when the bot was only copied in or credited. */
export const copied: TaskRequest['ask'] = {
  kind: 'invalid',
  message:
    'You mentioned me in passing, so I did nothing. To start a task, mention me with what you want done.',
};

/** The answer to a mention without words, or with a greeting. */
export const nothingAsked: TaskRequest['ask'] = {
  kind: 'invalid',
  message:
    'Nothing was asked, so I did nothing. Mention me with what you want done, for example `fix this`; `help` ' +
    'shows what else I understand.',
};

const afterCancel: TaskRequest['ask'] = {
  kind: 'invalid',
  message:
    'Did you mean to cancel a task? Write `cancel` as the only word, in the issue or thread of the task. To ' +
    'start a new task, write what to do without the word in front.',
};

/** With what people leave out or copy along. `approve button is grey` is a task. */
const approval =
  /^approve\b\s*(?:(?:the|held|change|hash)\b\s*){0,4}[`#]{0,2}([0-9a-f]{0,64})(?:…|\.{3})?`?\s*[.,!]*$/iu;
const minHash = 12;
const shortHash: TaskRequest['ask'] = {
  kind: 'invalid',
  message:
    'To approve a held change, write `approve` with at least the first 12 characters of its hash, as the ' +
    'comment of its task shows it. In Slack, press Approve on the message of the task.',
};

const retryOfId: TaskRequest['ask'] = {
  kind: 'invalid',
  message:
    'I retry no task by its id here. Write `retry` as the only word: it repeats the latest task here that failed.',
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
  const plain = asked.replace(courtesy, ' ').trim();
  const hash = approval.exec(plain)?.[1];
  if (hash !== undefined)
    return hash.length < minHash ? shortHash : { kind: 'approve', hash: hash.toLowerCase() };
  const polite = commandNamed(bare(plain));
  if (polite !== null && polite.kind !== 'help') return polite;
  const [first = '', id] = /^(\p{L}{4,6})\s+[`#]{0,2}([0-9a-f]{8})`?[.!]?$/iu.exec(asked)?.slice(1) ?? [];
  if (id !== undefined && commandNamed(first.toLowerCase())?.kind === 'retry') return retryOfId;
  const clause =
    id === undefined
      ? (/^[^.,;:!?\n—–。、，；！？]*(?=[.,;!?\n—–。、，；！？])/u.exec(asked)?.[0] ?? '')
      : first;
  return commandNamed(bare(clause.replace(courtesy, ' ')))?.kind === 'cancel' ? afterCancel : null;
}

/** What words that are no command ask for: a job if they say nothing else, or a change. Linear. */
export function runIn(words: string): TaskRequest['ask'] & { readonly kind: 'run' } {
  const asked = words.slice(0, signature.exec(words)?.index).trim();
  if (asked.length > maxCommandChars) return { kind: 'run' };
  const said = bare(asked.replace(closing, '').replace(courtesy, ' ')).replace(/ +/g, ' ');
  const job = jobs.find(([, pattern]) => pattern.test(said))?.[0];
  return job === undefined ? { kind: 'run' } : { kind: 'run', job };
}

const failure = wholeWords(
  'fail(?:s|ed|ing|ure|ures)?, red, broken, breaks?, green, pass(?:es|ing)?, fix, mend',
);
const namesChecks = wholeWords(checkNames);

/** Whether words speak of checks that fail, next to other things. In doubt they do: it costs a look. */
export function speaksOfChecks(words: string): boolean {
  const start = words.slice(0, maxCommandChars);
  return namesChecks.test(start) && failure.test(start);
}

/** Longer text loses its middle, and says so: people ask at the beginning or at the end. */
export function cutInstruction(text: string): string {
  return withoutMiddle(text, maxInstructionChars);
}
