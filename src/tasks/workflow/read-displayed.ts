/** Reads what is asked from the texts as GitHub displays them. What the webhook delivered was a preview. */
import { aloneIn, readMention } from '../../core/ask/mention.ts';
import { askOfReview } from '../../core/ask/review-ask.ts';
import type { Findings } from '../../core/ports/task-record.ts';
import { reasonOf } from '../../core/reason.ts';
import type { RepositoryFacts, RoutedRequest } from '../../core/task.ts';
import type { Stage, TaskDeps } from './stage.ts';

/** A mention that nobody can see, or somebody else's, ends the task without a word. */
export async function readDisplayed(
  request: RoutedRequest,
  facts: RepositoryFacts,
  mayAsk: boolean,
  { codeHost, record }: TaskDeps,
): Promise<Stage<RoutedRequest>> {
  const asked = await readAsked(request, facts, mayAsk, codeHost);
  if (asked === 'as-delivered') return { go: true, value: request };
  if (asked === null) {
    return { go: false, outcome: { kind: 'ignored', reason: reasonOf('mention-not-displayed') } };
  }
  await record.learn({ asked });
  return { go: true, value: { ...request, ...asked } };
}

/** null: nobody can see a mention. */
async function readAsked(
  request: RoutedRequest,
  facts: RepositoryFacts,
  mayAsk: boolean,
  codeHost: TaskDeps['codeHost'],
): Promise<NonNullable<Findings['asked']> | null | 'as-delivered'> {
  const { trigger } = request;
  if (trigger.kind !== 'github') return 'as-delivered';
  // A whole review is read only for somebody who may ask. Others are refused for the text that arrived.
  if (trigger.reviewId !== undefined && mayAsk)
    return askOfReview(await codeHost.reviewWords(facts, trigger, trigger.reviewId), trigger);
  const words = await codeHost.displayedWords(facts, request);
  if (words === null) return 'as-delivered';
  const mention = readMention(words, trigger.mention, aloneIn(trigger.event));
  if (mention.kind === 'none') return null;
  const { ask, instruction, options } = mention;
  return { ask, instruction, options };
}
