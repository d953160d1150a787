/** Reactions on the words that asked: a courtesy, so a failure is only logged. */
import type { RepositoryFacts, RoutedRequest } from '../../core/task.ts';
import type { TaskDeps } from './stage.ts';

/** 👀: the words were seen. */
export async function reactSeen(
  request: RoutedRequest,
  facts: RepositoryFacts,
  { chat, codeHost, log }: Pick<TaskDeps, 'chat' | 'codeHost' | 'log'>,
): Promise<void> {
  const { trigger, taskId } = request;
  try {
    if (trigger.kind === 'slack') await chat?.react(trigger, 'eyes');
    else await codeHost.react(facts, request, 'eyes');
  } catch (error) {
    // An issue that takes no reaction must not fail the task.
    log('reaction.failed', { taskId, error: String(error) });
  }
}
