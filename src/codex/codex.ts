/** Implements the `Codex` port from invocation, progress and answer. */
import type { Codex } from '../core/ports/codex.ts';
import { answerOf, replyOf } from './answer.ts';
import { cleanAnswer, cleanWords } from './clean-words.ts';
import { codexInvocation, controlFile, type CodexSettings } from './invocation.ts';
import { readRollout } from './rollout.ts';
import { fold, initialProgress } from './progress.ts';

export function createCodex(settings: CodexSettings): Codex {
  return {
    invocation: (job) => codexInvocation(settings, job),
    readRollout,
    initialProgress,
    // In the whole line: a later cut could leave most of a secret that no rule recognizes.
    fold: (progress, untrustedLine, now) => fold(progress, cleanWords(untrustedLine), now),
    control: controlFile,
    answer: (progress) => cleanAnswer(answerOf(progress)),
    reply: (progress) => cleanWords(replyOf(progress)),
  };
}
