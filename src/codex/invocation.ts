/**
 * What is written into the sandbox and started there so that Codex does one turn. Pure; performs nothing.
 * The driver's job file is the contract with `container/codex-driver.js`.
 */
import { sandboxPaths } from '../core/checkout.ts';
import type { CodexJob } from '../core/ports/codex.ts';
import type { SandboxCommand } from '../core/ports/sandbox-port.ts';
import { answerJsonSchema } from './answer.ts';
import { codexConfig, toToml } from './config-toml.ts';

/** All outside the clone, so that nothing of ours ends up in the change and no file of the repository takes its place. */
export const codexPaths = {
  binary: '/opt/codex/bin/codex',
  home: '/home/codex/.codex',
  job: '/run/airlock/codex/job.json',
  /** One JSON object a line, see `container/control-file.ts`. Append, or replace by all lines so far and new ones. */
  control: '/run/airlock/codex/control.jsonl',
} as const;

export interface CodexSettings {
  /** OpenAI's base URL as seen from inside the sandbox, ending in `/v1`. */
  readonly openaiBaseUrl: string;
  /** A thread to go on with; its rollout file has to be written below `sessions/` of Codex's folder beforehand. */
  readonly resume?: { readonly threadId: string };
}

export interface CodexInvocation {
  readonly files: readonly { readonly path: string; readonly content: string }[];
  readonly command: SandboxCommand;
}

export function codexInvocation(settings: CodexSettings, job: CodexJob): CodexInvocation {
  const config = codexConfig({
    openaiBaseUrl: settings.openaiBaseUrl.replace(/\/+$/, ''),
    model: job.model,
    repository: sandboxPaths.repository,
  });
  const driverJob = {
    prompt: job.prompt,
    cwd: sandboxPaths.repository,
    model: job.model,
    effort: job.effort,
    outputSchema: answerJsonSchema,
    codexBinary: codexPaths.binary,
    codexHome: codexPaths.home,
    ...(settings.resume === undefined ? {} : { resume: settings.resume }),
  };
  return {
    files: [
      { path: `${codexPaths.home}/config.toml`, content: toToml(config) },
      { path: codexPaths.job, content: JSON.stringify(driverJob) },
    ],
    // Not in the clone: Node reads files of its working directory before the first line of ours runs.
    command: { argv: ['node', `${sandboxPaths.scripts}/codex-driver.js`, codexPaths.job], cwd: '/workspace' },
  };
}
