/** Judges what the deep check of a deployment found. Pure. */
import { z } from 'zod';
import type { TaskOutcome } from '../../src/core/task.ts';
import { durationText } from '../../src/core/task-words.ts';
import { fail, ok, skip, warn, type Verdict } from '../../src/doctor/check.ts';
import { parseJson } from '../../src/lib/parse-json.ts';

export type ContractResult =
  | { readonly kind: 'ran'; readonly held: number; readonly broken: readonly string[] }
  | { readonly kind: 'did-not-run'; readonly why: string };

/** What came of the deployment while Codex worked. */
export type MidTask =
  | { readonly kind: 'not-wanted' }
  | { readonly kind: 'no-command' }
  | { readonly kind: 'failed'; readonly why: string }
  | {
      readonly kind: 'deployed';
      /** Checks that failed on the new version. */
      readonly broken: readonly string[];
      /** Of the task; null: its log ended without one. */
      readonly outcome: TaskOutcome | null;
    };

const testReport = z.object({
  testResults: z.array(
    z.object({
      message: z.string().optional(),
      assertionResults: z.array(z.object({ status: z.string(), title: z.string() })),
    }),
  ),
});

/** Reads the JSON report of the contract's tests. */
export function contractResultOf(reportText: string): ContractResult {
  const report = testReport.safeParse(parseJson(reportText));
  if (!report.success) return { kind: 'did-not-run', why: 'vitest wrote no report' };
  const rows = report.data.testResults.flatMap(({ assertionResults }) => assertionResults);
  const broken = rows.filter(({ status }) => status === 'failed').map(({ title }) => title);
  const held = rows.filter(({ status }) => status === 'passed').length;
  if (held + broken.length > 0) return { kind: 'ran', held, broken };
  const message = report.data.testResults[0]?.message?.split('\n')[0] ?? '';
  return { kind: 'did-not-run', why: message === '' ? 'no rule was checked' : message };
}

export function judgeContract(result: ContractResult): Verdict {
  if (result.kind === 'did-not-run')
    return fail(`the contract was not checked: ${result.why}`, 'Fix the failures above, then try again.');
  const { held, broken } = result;
  if (broken.length === 0) return ok(`all ${held} rules hold in its containers`);
  return fail(
    `${broken.length} of ${held + broken.length} rules do not hold: ${broken.join('; ')}`,
    'Accept no tasks there. Build the image of this checkout (npm run image -- --build), and report it if it stays.',
  );
}

export function judgeTask(outcome: TaskOutcome | null, tookMs: number): Verdict {
  const took = `in ${durationText(tookMs)}`;
  if (outcome === null) return fail('its log ended without an outcome', 'Check the log of the deployment.');
  if (outcome.kind === 'pull-request') {
    const { number, url } = outcome.pullRequest;
    return ok(`pull request #${number} ${took}: close it (${url})`);
  }
  if ('reason' in outcome)
    return fail(`${outcome.kind} ${took}: ${outcome.reason.message}`, outcome.reason.next);
  return warn(
    `it ended ${took} without a pull request (${outcome.kind}), so publication was not checked`,
    'Try again, or choose another repository.',
  );
}

export function judgeDeployment(deployment: MidTask): Verdict {
  switch (deployment.kind) {
    case 'not-wanted':
      return skip('name the environment to deploy with --env');
    case 'no-command':
      return skip('Codex ran no command during which to deploy; deep.task says why');
    case 'failed':
      return fail(`deploying again failed: ${deployment.why}`, 'Fix it, then try again.');
    case 'deployed': {
      const { broken, outcome } = deployment;
      if (broken.length > 0)
        return fail(
          `the new version fails ${broken.join(', ')}`,
          'Run npm run doctor -- --url … for the remedies.',
        );
      return outcome?.kind === 'pull-request'
        ? ok('the task outlived a deployment while Codex worked')
        : fail(
            `the task did not outlive a deployment while Codex worked (${outcome?.kind ?? 'no outcome'})`,
            'Deploy only while no task runs, and report it with the log of the deployment.',
          );
    }
  }
}
