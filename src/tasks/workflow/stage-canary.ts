/** Proves from inside, before anything untrusted runs, that the sandbox is sealed by this handler. */
import type { WorkflowStep } from 'cloudflare:workers';
import { reasonOf } from '../../core/reason.ts';
import type { Reason } from '../../core/task.ts';
import { taskLimits } from '../limits.ts';
import type { CanaryRound, PendingProbes } from './canary-verdict.ts';
import { runCanary } from './run-canary.ts';
import { unlessLost } from './stage-sandbox.ts';
import type { Stage, TaskDeps } from './stage.ts';
import { retryBriefly, runnerOf } from './step-runner.ts';
import { waitFor } from './wait-for.ts';

/** Until it is proven, a probe got a wrong answer (never retried), or the rounds are used up. */
export async function proveSealed(step: WorkflowStep, deps: TaskDeps): Promise<Stage<'sealed'>> {
  const run = runnerOf(step, deps);
  // A replay of the Workflow counts again, from the stored results of the steps.
  let pending: PendingProbes = 'all';
  let roundsLeft = taskLimits.canaryRounds;
  const look = async (): Promise<Stage<'sealed' | null>> => {
    roundsLeft -= 1;
    const input = { pending, roundsLeft };
    const judged = await run<'sealed' | PendingProbes>(
      'canary',
      retryBriefly,
      async () => await judgeSandbox(input, deps),
    );
    if (!judged.go) return judged;
    if (judged.value === 'sealed') return { go: true, value: 'sealed' };
    pending = judged.value;
    return { go: true, value: null };
  };
  return await waitFor('the next round of the canary', look, step, {
    pollMs: () => taskLimits.canaryPauseMs,
  });
}

/** `sealed`, or the probes to repeat. */
async function judgeSandbox(
  input: Pick<CanaryRound, 'pending' | 'roundsLeft'>,
  { sandbox, record, log }: TaskDeps,
): Promise<Stage<'sealed' | PendingProbes>> {
  return await unlessLost<'sealed' | PendingProbes>(async () => {
    const nonce = (await record.snapshot())?.canaryNonce ?? '';
    const verdict = await runCanary(sandbox, { ...input, nonce });
    switch (verdict.kind) {
      case 'sealed':
        log('canary.passed', { platform: verdict.platform.map(({ name, got }) => `${name}: ${got}`) });
        return { go: true, value: 'sealed' };
      case 'retry':
        await record.appendToLog({
          kind: 'note',
          text: 'The check of the sandbox got no answer in time; it is repeated.',
        });
        return { go: true, value: verdict.pending };
      case 'breached': {
        log('canary.failed', { failed: verdict.wrong });
        const probes = verdict.wrong.map(({ name }) => name).join(', ');
        return failed(reasonOf('not-sealed', { probes }));
      }
      case 'unknown':
        log('canary.timed_out', { unanswered: verdict.unanswered });
        return failed(reasonOf('sandbox-not-checked'));
    }
  });
}

function failed(reason: Reason): Stage<never> {
  return { go: false, outcome: { kind: 'failed', reason, changeKept: false } };
}
