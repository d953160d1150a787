import { expect, it } from 'vitest';
import { initialProgress } from '../../codex/progress.ts';
import { failureOf } from './run-failure.ts';

const completed = { ...initialProgress, turn: { status: 'completed' as const } };
const failed = { ...initialProgress, turn: { status: 'failed' as const, message: 'it was filtered' } };
const exited = (exitCode: number) => ({ kind: 'exited', exitCode }) as const;

it.each([
  ['nothing of a completed run', exited(0), completed, null, null],
  ['the words of a refusal', exited(0), completed, 'I cannot\n help.', 'The model refused: “I cannot help.”'],
  ['nothing of a refusal before an answer', exited(0), { ...completed, finalMessage: 'x' }, 'No.', null],
  ['the reason of a failed turn', exited(1), failed, null, 'Codex ended early: it was filtered'],
  ['the last error', exited(3), { ...initialProgress, lastError: 'boom' }, null, 'Codex ended early: boom'],
  ['the status alone', exited(9), null, null, 'Codex ended early (exit status 9).'],
  [
    'the budget',
    { kind: 'budget', budget: 'tokens' } as const,
    null,
    null,
    'The token budget was used up and Codex was stopped.',
  ],
])('says %s', (_, end, progress, refusal, sentence) => {
  expect(failureOf(end, progress, refusal)).toBe(sentence);
});
