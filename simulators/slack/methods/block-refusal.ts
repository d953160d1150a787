/** Turns violations of the limits in `block-limits.ts` into Slack's refusal of a message. */
import { messageProblems } from '../block-limits.ts';
import { refuseWithMessages, type Result } from './call.ts';

/** null if Slack would accept them. With blocks the text is optional, and Slack cuts it. */
export function blocksRefusal(blocks: unknown): Result | null {
  const problems = messageProblems({ text: 'checked by the method', blocks });
  if (problems.length === 0) return null;
  return refuseWithMessages(
    problems.find(({ code }) => code !== undefined)?.code ?? 'invalid_blocks',
    problems.map(({ path, message }) => `${path}: ${message}`),
  );
}
