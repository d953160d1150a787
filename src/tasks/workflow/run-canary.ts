/** Runs one round of the canary in a sandbox. */
import { scriptCommand } from '../../core/checkout.ts';
import { SandboxLostError, type TaskSandbox } from '../../core/ports/sandbox-port.ts';
import { taskLimits } from '../limits.ts';
import { canaryReport, judgeCanary, type CanaryRound, type CanaryVerdict } from './canary-verdict.ts';
import { lastJsonLine } from './last-json-line.ts';

type RoundInput = Pick<CanaryRound, 'pending' | 'roundsLeft'> & { readonly nonce: string };

/** Runs the pending probes once. Rejects only if the sandbox is lost. */
export async function runCanary(
  sandbox: TaskSandbox,
  { nonce, pending, roundsLeft }: RoundInput,
): Promise<CanaryVerdict> {
  const names = pending === 'all' ? [] : pending;
  const argv = scriptCommand('canary', nonce, ...names);
  const limits = {
    timeoutMs: taskLimits.canaryMs,
    maxOutputBytes: 32_768,
    atOrdinaryPriority: true,
  } as const;
  try {
    const result = await sandbox.exec({ argv }, limits);
    const report = canaryReport.safeParse(lastJsonLine(result));
    const exitCode = result.timedOut ? null : result.exitCode;
    return judgeCanary({ pending, report: report.success ? report.data : null, exitCode, roundsLeft });
  } catch (error) {
    if (error instanceof SandboxLostError) throw error;
    return judgeCanary({ pending, report: null, exitCode: null, roundsLeft });
  }
}
