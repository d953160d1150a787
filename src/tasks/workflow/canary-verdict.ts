/** Sealed if every probe got what it should, a breach at one wrong answer; else asked again. */
import * as z from 'zod';
import type { PlatformFinding, ProbeFinding } from '../../core/sandbox-probe.ts';

export const canaryReport = z.object({
  probes: z
    .array(
      z.object({
        name: z.string().max(100),
        result: z.enum(['expected', 'wrong', 'unanswered']),
        got: z.string().max(300),
      }),
    )
    .min(1)
    .max(50),
  platform: z
    .array(z.object({ name: z.string().max(100), got: z.string().max(300), open: z.boolean() }))
    .max(20)
    .default([]),
});
export type CanaryReport = z.infer<typeof canaryReport>;

/** The probes that still have to get what is expected, by name; `all` before the first report. */
export type PendingProbes = 'all' | readonly string[];

export interface CanaryRound {
  readonly pending: PendingProbes;
  /** null if the canary could not be run, or ended without a report. */
  readonly report: CanaryReport | null;
  readonly exitCode: number | null;
  /** How many more rounds are allowed. */
  readonly roundsLeft: number;
}

export type CanaryVerdict =
  | { readonly kind: 'sealed'; readonly platform: readonly PlatformFinding[] }
  | { readonly kind: 'breached'; readonly wrong: readonly ProbeFinding[] }
  | { readonly kind: 'retry'; readonly pending: PendingProbes; readonly unanswered: readonly ProbeFinding[] }
  | { readonly kind: 'unknown'; readonly unanswered: readonly ProbeFinding[] };

export function judgeCanary({ pending, report, exitCode, roundsLeft }: CanaryRound): CanaryVerdict {
  const probes = report?.probes ?? [];
  const wrong = probes.filter(({ result }) => result === 'wrong').map(finding);
  if (wrong.length > 0) return { kind: 'breached', wrong };

  const unanswered = unansweredOf(pending, report);
  if (unanswered.length === 0 && exitCode === 0) return { kind: 'sealed', platform: report?.platform ?? [] };
  if (unanswered.length === 0) {
    // The program contradicts its own report, which proves nothing.
    const contradiction = [{ name: 'canary', got: `exit code ${exitCode ?? 'unknown'}` }];
    if (roundsLeft <= 0) return { kind: 'unknown', unanswered: contradiction };
    return { kind: 'retry', pending, unanswered: contradiction };
  }
  if (roundsLeft <= 0) return { kind: 'unknown', unanswered };
  const names = report === null ? pending : unanswered.map(({ name }) => name);
  return { kind: 'retry', pending: names, unanswered };
}

/** Includes the pending probes that the report leaves out. */
function unansweredOf(pending: PendingProbes, report: CanaryReport | null): ProbeFinding[] {
  if (report === null) return [{ name: 'canary', got: 'no report' }];
  const asExpected = new Set(report.probes.filter(({ result }) => result === 'expected').map(nameOf));
  const reported = new Map(report.probes.map((probe) => [probe.name, probe]));
  const names = pending === 'all' ? report.probes.map(nameOf) : pending;
  return names
    .filter((name) => !asExpected.has(name))
    .map((name) => ({ name, got: reported.get(name)?.got ?? 'not in the report' }));
}

const nameOf = ({ name }: { readonly name: string }): string => name;
const finding = ({ name, got }: ProbeFinding): ProbeFinding => ({ name, got });
