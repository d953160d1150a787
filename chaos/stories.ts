/** The tasks that kill points are tried on. Together they run every step that the Workflow has. */
import type { TaskOutcome } from '../src/core/task.ts';
import { ask } from './ask.ts';
import type { Asker, Place } from './case.ts';
import type { Owner } from './lane.ts';

export interface AskedStory {
  readonly taskId: string;
  readonly instanceId: string;
  readonly asker: Asker;
}

export interface Story {
  readonly name: string;
  readonly owner: Owner;
  /** Each step of its run, with the engine's counter, in the order of their beginnings. */
  readonly steps: readonly string[];
  readonly ends: readonly TaskOutcome['kind'][];
  ask(place: Place): Promise<AskedStory>;
}

const comment = async ({ lane, repository }: Place): Promise<AskedStory> => {
  const { world } = lane;
  const attached = world.github.attach({ ...repository, file: 'numbers.log', content: '0.005 became 0.01' });
  const { taskId, issue } = await ask(world, `@airlock mend it [mend] [numbers.log](${attached})`, {
    repository,
  });
  return { taskId, instanceId: taskId, asker: { kind: 'issue', issue } };
};

export const stories: readonly Story[] = [
  {
    name: 'comment',
    owner: 'full',
    steps: [
      'authorize-1',
      'acknowledge-1',
      'context-1',
      'slot-1',
      'provision-1',
      'canary-1',
      'clone-1',
      'setup-1',
      'wait for setup-1',
      'setup-2',
      'setup-3',
      'codex-1',
      'attachments-1',
      'codex-2',
      'wait for Codex-1',
      'codex-3',
      'collect-1',
      'gate-1',
      'publish-1',
      'check-1',
      'report-1',
      'show-1',
      'react-1',
      'cleanup-1',
      'remember-1',
      'revoke-1',
    ],
    ends: ['pull-request'],
    ask: comment,
  },
];
