/** Wires the egress handler to the records, the tokens and the upstreams. */
import { registrySecret } from '../core/registry.ts';
import type { EgressDeps } from '../egress/handler.ts';
import { purposes } from '../github/app-auth.ts';
import { egressLimits } from '../egress/limits.ts';
import { withDeadline } from '../lib/with-deadline.ts';
import { baseOf } from './base.ts';
import type { Env } from './env.ts';
import { recordOfSandbox } from './objects.ts';
import { now, platformFetch } from './runtime.ts';

export function composeEgress(env: Env, waitUntil: (work: Promise<unknown>) => void): EgressDeps {
  const { settings, tokens } = baseOf(env);
  return {
    admit: async (sandboxId) => await recordOfSandbox(env, sandboxId).admitEgress(),
    record: async (sandboxId, entry, used) => await recordOfSandbox(env, sandboxId).recordEgress(entry, used),
    phaseEnded: async (sandboxId, phase) => {
      const waited = async () =>
        await recordOfSandbox(env, sandboxId).phaseEnded(phase, egressLimits.phaseWaitMs);
      return await withDeadline(waited(), 2 * egressLimits.phaseWaitMs, 'waiting for the end of a phase');
    },
    readToken: async (taskId, { installationId, repositoryId }) =>
      await tokens.tokenFor({ taskId, installationId, repositoryId, permissions: purposes.read }),
    packageToken: async (taskId, { installationId, repositoryId }) =>
      await tokens.tokenFor({ taskId, installationId, repositoryId, permissions: purposes.packages }),
    registrySecret: (name) => registrySecret({ ...env }, name),
    openaiApiKey: settings.openaiApiKey,
    ...settings.openaiAccount,
    githubUrl: settings.githubUrl,
    openaiBaseUrl: settings.openaiBaseUrl,
    fetch: platformFetch,
    now,
    waitUntil,
  };
}
