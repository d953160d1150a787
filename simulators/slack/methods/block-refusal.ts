/** How Slack refuses the blocks of a message; the limits themselves are `block-limits.ts`'. */
import { messageProblems } from '../block-limits.ts';
import { refuseWith, type Result } from './call.ts';

/** null when Slack would take them. The text is not looked at: Slack cuts a long one and takes none beside blocks. */
export function blocksRefusal(blocks: unknown): Result | null {
  const problems = messageProblems({ text: 'is judged by the method', blocks });
  if (problems.length === 0) return null;
  return refuseWith(
    'invalid_blocks',
    problems.map(({ path, message }) => `${path}: ${message}`),
  );
}
