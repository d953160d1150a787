/** Kill points in the middle of a call: it has had its effect, and its answer does not arrive. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RepositoryName } from '../simulators/github/contract.ts';
import { ask } from './ask.ts';
import type { ChaosCase, Place } from './case.ts';
import { killTargets, type KillTarget } from './lane.ts';

interface HeldCall {
  readonly method: string;
  /** Below the repository. */
  readonly path: string;
  readonly step: string;
  /** Git's answer is a stream, so this call is held before it has an effect. */
  readonly when?: 'before';
}

/** Each call that writes to GitHub, the first read of a task, and git's. */
const heldCalls: readonly HeldCall[] = [
  { method: 'GET', path: '/collaborators/maria/permission', step: 'authorize' },
  { method: 'POST', path: '/issues/\\d+/comments', step: 'acknowledge' },
  { method: 'POST', path: '/git-upload-pack', step: 'clone', when: 'before' },
  { method: 'POST', path: '/git/trees', step: 'publish' },
  { method: 'POST', path: '/git/commits', step: 'publish' },
  { method: 'POST', path: '/git/refs', step: 'publish' },
  { method: 'POST', path: '/pulls', step: 'publish' },
  { method: 'POST', path: '/check-runs', step: 'check' },
];

/** For the effect of a call, whose answer the simulator keeps. */
const effectMs = 150;

export function killsInCalls(): readonly ChaosCase[] {
  return heldCalls.flatMap((call) => (['worker', 'host'] as const).map((target) => killInCall(call, target)));
}

function killInCall({ method, path, step, when }: HeldCall, target: KillTarget): ChaosCase {
  const name = path.replace('/\\d+', '').replace(/\/maria.*$/, '');
  return {
    id: `kill/call/${method}${name.replaceAll('/', '-')}/${target}`,
    group: 'kills',
    phase: `in ${method} ${name} of ${step}`,
    injected: killTargets[target],
    alone: true,
    owner: 'acme',
    run: async (place) => {
      const { lane, repository } = place;
      const isMet = untilMet(place, method, pathIn(repository, path), when ?? 'after');
      const { taskId, issue } = await ask(lane.world, '@airlock mend it [mend]', { repository });
      await isMet;
      await sleep(effectMs);
      const at = await lane.kill(target);
      const losesSandbox = target === 'host' && ['acknowledge', 'clone'].includes(step);
      const ends = losesSandbox ? (['pull-request', 'failed'] as const) : (['pull-request'] as const);
      return { taskId, asker: { kind: 'issue', issue }, at, ends };
    },
  };
}

const pathIn = ({ owner, name }: RepositoryName, path: string): RegExp =>
  new RegExp(`/${owner}/${name}(?:\\.git)?${path}$`);

async function untilMet(
  { lane, signal }: Place,
  method: string,
  path: RegExp,
  when: 'before' | 'after',
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error(`no ${method} ${path.source}`)), { once: true });
    lane.world.github.failNext({ method, path, status: 'timeout', when, onMet: resolve });
  });
}
