/** Every case of every group, in the order in which they run. */
import { callCases } from './calls/call-cases.ts';
import { cancelCases } from './calls/cancel-cases.ts';
import type { ChaosCase, GroupName } from './case.ts';
import { killPoints } from './kill-points.ts';
import { killsInCalls } from './kills-in-calls.ts';
import { killsOutsideSteps } from './kills-outside-steps.ts';
import { stateCases } from './state-cases.ts';

export async function allCases(
  groups: readonly GroupName[],
  signal: AbortSignal,
): Promise<readonly ChaosCase[]> {
  return [
    ...(groups.includes('kills') ? [...killPoints(), ...killsInCalls(), ...killsOutsideSteps()] : []),
    ...(groups.includes('state') ? stateCases() : []),
    ...(groups.includes('cancels') ? cancelCases() : []),
    ...(groups.includes('calls') ? await callCases(signal) : []),
  ];
}
