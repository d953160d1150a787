/**
 * Steps that outlast a full disk. The platform stores each step; where it cannot, the step fails and would
 * end the instance, with work done and nobody told. Steps tolerate being done again.
 */
import type { WorkflowStep } from 'cloudflare:workers';
import { taskLimits } from '../limits.ts';

/** SQLite's codes for a disk that is full, read-only or broken, and the local engine's words for any. */
const notStored = /SQLITE_(?:FULL|READONLY|IOERR|CANTOPEN)|Storage failure for/;

const pauseForRoom = async () =>
  await new Promise<void>((resolve) => setTimeout(resolve, taskLimits.roomPollMs));

/** Returns steps that are tried again, without an end, while the platform cannot store them. */
export function patientStep(step: WorkflowStep, pause: () => Promise<void> = pauseForRoom): WorkflowStep {
  return new Proxy(step, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return async (...given: readonly unknown[]): Promise<unknown> => {
        for (;;) {
          try {
            return await Reflect.apply(method, target, given);
          } catch (error) {
            if (!notStored.test(String(error))) throw error;
            await pause();
          }
        }
      };
    },
  });
}
