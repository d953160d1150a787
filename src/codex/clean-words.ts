/** Takes credentials out of what Codex says, so that no post, log or pull request ever has them. */
import { stripHiddenCharacters } from '../core/ask/hidden-characters.ts';
import type { Answer } from '../core/progress.ts';
import { withoutSecrets } from '../core/secrets/find-secrets.ts';

/** Each surface strips hidden characters, so those inside a token do not hide it. */
export function cleanWords(text: string): string {
  const visible = stripHiddenCharacters(text);
  const clean = withoutSecrets(visible);
  return clean === visible ? text : clean;
}

/** Again after parsing, because JSON inside JSON can spell a letter as an escape. */
export function cleanAnswer(answer: Answer): Answer {
  const { title, summary, pullRequestText, replies } = answer;
  return {
    ...answer,
    title: cleanWords(title),
    summary: cleanWords(summary),
    ...(typeof pullRequestText === 'string' ? { pullRequestText: cleanWords(pullRequestText) } : {}),
    ...(replies === undefined
      ? {}
      : { replies: replies.map(({ id, text }) => ({ id, text: cleanWords(text) })) }),
  };
}
