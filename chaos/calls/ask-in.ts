/** Asks for a task on GitHub or in Slack, and tells the exchange which calls are the task's. */
import { slackTaskId } from '../../src/core/ids.ts';
import { ask } from '../ask.ts';
import type { Asker, Place } from '../case.ts';
import { sandboxIdOf } from '../journal.ts';
import type { Owner } from '../lane.ts';

export type Surface = 'issue' | 'slack';

export const ownerOf = (surface: Surface): Owner => (surface === 'slack' ? 'chat' : 'acme');

export interface AskedPlace {
  readonly taskId: string;
  readonly asker: Asker;
  readonly requester: string;
}

/** `script` names what the model does; see `scripts` of the lane. */
export async function askIn(
  surface: Surface,
  { lane, repository }: Place,
  script = 'mend',
): Promise<AskedPlace> {
  const { world, exchange } = lane;
  if (surface === 'issue') {
    const { taskId, issue } = await ask(world, `@airlock mend it [${script}]`, { repository });
    exchange.markLast(repository, sandboxIdOf(taskId));
    return { taskId, asker: { kind: 'issue', issue }, requester: 'maria' };
  }
  const { slack } = world;
  const requester = lane.nextPerson();
  exchange.mark(repository, slack.user(requester).id);
  const text = `<@${slack.botUserId}> ${repository.owner}/${repository.name} mend it [${script}]`;
  const { ts } = await slack.say({ user: requester, channel: 'dev', text });
  const taskId = await slackTaskId({
    event: 'message',
    teamId: slack.teamId,
    channelId: slack.channel('dev').id,
    ts,
  });
  exchange.markLast(repository, ts, sandboxIdOf(taskId));
  return { taskId, asker: { kind: 'slack', channel: 'dev', threadTs: ts }, requester };
}
