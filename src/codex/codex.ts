/** Implements the `Codex` port from invocation, progress and answer. */
import type { Codex } from '../core/ports/codex.ts';
import { answerOf, replyOf } from './answer.ts';
import { codexInvocation, controlFile, type CodexSettings } from './invocation.ts';
import { readRollout } from './rollout.ts';
import { fold, initialProgress } from './progress.ts';

export function createCodex(settings: CodexSettings): Codex {
  return {
    invocation: (job) => codexInvocation(settings, job),
    readRollout,
    initialProgress,
    fold,
    control: controlFile,
    answer: answerOf,
    reply: replyOf,
  };
}
