/**
 * Runs a task from its beginning once more in the same Workflow instance: under other names, so that no
 * result of the first run counts. For a record that lost its file: what the first run stored there is gone.
 */
import type { WorkflowStep } from 'cloudflare:workers';

export function stepsAgain(step: WorkflowStep): WorkflowStep {
  return new Proxy(step, {
    get(target, property) {
      const method: unknown = Reflect.get(target, property);
      if (typeof method !== 'function') return method;
      return async (name: string, ...given: readonly unknown[]): Promise<unknown> =>
        await Reflect.apply(method, target, [`${name} again`, ...given]);
    },
  });
}
