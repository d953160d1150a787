/** Every case of every group, in the order in which they run. */
import type { ChaosCase } from './case.ts';
import { killPoints } from './kill-points.ts';
import { killsOutsideSteps } from './kills-outside-steps.ts';

export function allCases(): readonly ChaosCase[] {
  return [...killPoints(), ...killsOutsideSteps()];
}
