/**
 * Finds the name that people mention: the configured one, else the App's own slug. Keeps what GitHub said
 * while GitHub cannot be reached. Until it has said it once, the name is a guess.
 */
import type { ConfiguredGithub, GithubPolicy } from '../core/policy.ts';
import { withDeadline } from '../lib/with-deadline.ts';

/** Before GitHub has said the App's slug. */
const guessed = 'airlock';
/** GitHub waits 10 s for the answer to a webhook, which needs the name first, ms. */
const askMs = 1500;
/** An App that was renamed is asked for its new slug after this time, ms. */
const keptMs = 60 * 60_000;
/** After a failure, ms. */
const retryMs = 5000;

export interface MentionName extends GithubPolicy {
  /** True: GitHub has not said yet what the App's slug is. */
  readonly isGuess: boolean;
}

/** Returns a function that never rejects, and asks GitHub at most once an hour. */
export function mentionName(
  configured: ConfiguredGithub,
  deps: {
    /** Asks GitHub for the App's slug. */
    readonly slug: () => Promise<string>;
    readonly now: () => number;
    readonly log: (event: string, fields: Record<string, unknown>) => void;
  },
): () => Promise<MentionName> {
  const { label } = configured;
  let mention = configured.mention;
  let askAt = mention === null ? 0 : Infinity;
  return async () => {
    if (deps.now() >= askAt) {
      try {
        mention = (await withDeadline(deps.slug(), askMs, 'asking GitHub for the App')).toLowerCase();
        askAt = deps.now() + keptMs;
      } catch (error) {
        askAt = deps.now() + retryMs;
        deps.log('mention.unknown', { mention: mention ?? guessed, error: String(error) });
      }
    }
    return { mention: mention ?? guessed, label, isGuess: mention === null };
  };
}
