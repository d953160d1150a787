/** Takes credentials out of what Codex says, so that no post, log or pull request ever has them. */
import type { Answer } from '../core/progress.ts';
import { withoutSecrets } from '../core/secrets/find-secrets.ts';

/** Again after parsing, because JSON inside JSON can spell a letter as an escape. */
export function cleanAnswer({ title, summary, replies, ...rest }: Answer): Answer {
  const clean = { ...rest, title: withoutSecrets(title), summary: withoutSecrets(summary) };
  return replies === undefined
    ? clean
    : { ...clean, replies: replies.map(({ id, text }) => ({ id, text: withoutSecrets(text) })) };
}
