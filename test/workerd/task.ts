/** Fixtures for tests in workerd: a task, its record and its scripted sandbox. */
import { env } from 'cloudflare:workers';
import { inject } from 'vitest';
import { z } from 'zod';
import type { Authorization } from '../../src/core/authorization.ts';
import { closedPolicy } from '../../src/core/policy.ts';
import type { TaskRequest } from '../../src/core/task.ts';

export function taskRequest(taskId: string, changes: Partial<TaskRequest> = {}): TaskRequest {
  return {
    taskId,
    shortId: '0a1b2c3d',
    acceptedAt: new Date().toISOString(),
    repository: { owner: 'acme', name: 'split' },
    trigger: { kind: 'api' },
    requester: null,
    ask: { kind: 'run' },
    instruction: 'fix the rounding',
    options: {},
    ...changes,
  };
}

export function authorization(): Authorization {
  const { id, installationId, headSha } = inject('repository');
  return {
    facts: {
      owner: 'acme',
      name: 'split',
      repositoryId: id,
      installationId,
      defaultBranch: 'main',
      private: true,
    },
    policy: { ...closedPolicy, limits: { minutes: 10, tokens: 100_000 } },
    baseBranch: 'main',
    baseSha: headSha,
    model: 'gpt-test',
    effort: 'medium',
    alsoRead: [],
    continues: null,
    pull: null,
    guidanceSha: null,
    readOnly: null,
    requester: null,
  };
}

/** The sandbox id under which the egress handler finds the task's grant. */
export function sandboxIdOf(taskId: string): string {
  return env.TASKS.idFromName(`sandbox:${taskId}`).toString();
}

export function recordOf(taskId: string) {
  return env.TASKS.get(env.TASKS.idFromName(sandboxIdOf(taskId)));
}

async function host(path: string, init?: RequestInit): Promise<Response> {
  if (env.SANDBOX_HOST === undefined) throw new Error('no sandbox host is bound');
  return await env.SANDBOX_HOST.fetch(`http://sandbox-host${path}`, init);
}

/** Sets the output of the run `codex` so far, and its exit code if it has ended. */
export async function setCodexOutput(taskId: string, output: string, exitCode?: number): Promise<void> {
  const end = exitCode === undefined ? '' : `?exit=${exitCode}`;
  await host(`/script/${sandboxIdOf(taskId)}/codex${end}`, { method: 'PUT', body: output });
}

/** The calls to the task's sandbox, in order. */
export async function sandboxCalls(taskId: string): Promise<string[]> {
  const answer = await host(`/calls/${sandboxIdOf(taskId)}`);
  return z.array(z.string()).parse(await answer.json());
}
