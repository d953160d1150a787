/** Builds the files and the command for one turn of Codex; the job is read by `container/codex-driver.ts`. */
import { sandboxPaths, scriptCommand } from '../core/checkout.ts';
import type { CodexJob } from '../core/ports/codex.ts';
import type { SandboxCommand } from '../core/ports/sandbox-port.ts';
import type { Remark } from '../core/remark.ts';
import { answerJsonSchema, replyJsonSchema } from './answer.ts';
import { codexConfig, toToml } from './config-toml.ts';

/** Outside the clone: none of these files gets into the change, and none of the repository replaces one. */
export const codexPaths = {
  binary: '/opt/codex/bin/codex',
  home: '/home/codex/.codex',
  job: '/run/airlock/codex/job.json',
  /** One JSON object per line, see `container/control-file.ts`. */
  control: '/run/airlock/codex/control.jsonl',
} as const;

/** In the form that `container/control-file.ts` reads. */
export function controlFile(remarks: readonly Pick<Remark, 'id' | 'message'>[]): {
  path: string;
  content: string;
} {
  const lines = remarks.map(({ id, message }) => ({ kind: 'steer', id, text: message }));
  return { path: codexPaths.control, content: lines.map((line) => `${JSON.stringify(line)}\n`).join('') };
}

export interface CodexSettings {
  /** OpenAI's base URL inside the sandbox, ending in `/v1`. */
  readonly openaiBaseUrl: string;
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
  const { resume } = job;
  const driverJob = {
    prompt: job.prompt,
    images: job.images,
    cwd: sandboxPaths.repository,
    model: job.model,
    effort: job.effort,
    outputSchema: job.isQuestion ? replyJsonSchema : answerJsonSchema,
    codexBinary: codexPaths.binary,
    codexHome: codexPaths.home,
    ...(resume === undefined
      ? {}
      : {
          resume: {
            threadId: resume.threadId,
            codexVersion: resume.codexVersion,
            prompt: resume.prompt,
          },
        }),
  };
  return {
    files: [
      { path: `${codexPaths.home}/config.toml`, content: toToml(config) },
      // Codex finds a thread by the end of the file's name.
      ...(resume === undefined
        ? []
        : [
            {
              path: `${codexPaths.home}/sessions/rollout-2026-01-01T00-00-00-${resume.threadId}.jsonl`,
              content: resume.rollout,
            },
          ]),
      { path: codexPaths.job, content: JSON.stringify(driverJob) },
    ],
    // Starts outside the clone, because Node reads files in its working directory before it runs the script.
    command: { argv: scriptCommand('codex-driver', codexPaths.job), cwd: '/workspace' },
  };
}
