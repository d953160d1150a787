/** Reads the options that choose what runs an environment's sandboxes: `--sandbox` and `--env`. */
import { sandboxKinds, type SandboxKind } from '../../host/build-worker.ts';
import { UsageProblem } from '../command/run-command.ts';
import { environmentNames, type SandboxChoice } from './deployment-environments.ts';

type Value = string | boolean | undefined;

/** Null if `--sandbox` is not given. */
export function sandboxKindIn(value: Value): SandboxKind | null {
  if (value === undefined) return null;
  const kind = sandboxKinds.find((one) => one === value);
  if (kind === undefined)
    throw new UsageProblem(
      '--sandbox must be native (the platform’s own containers) or sdk (the sandbox SDK’s class)',
    );
  return kind;
}

export function sandboxChoice(values: {
  readonly sandbox?: Value;
  readonly env?: Value;
}): SandboxChoice | null {
  const kind = sandboxKindIn(values.sandbox);
  if (kind === null) return null;
  const { env = '' } = values;
  const environment = ['', ...environmentNames].find((one) => one === env);
  if (environment === undefined)
    throw new UsageProblem(
      `--env must be ${environmentNames.join(' or ')}; without it, the top level is meant`,
    );
  return { environment: environment === '' ? null : environment, kind };
}
