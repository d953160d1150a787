/** The doctor's own sandboxes in a deployment, by the calls of the contract at `POST /api/doctor/sandbox`. */
import { createHash, randomUUID } from 'node:crypto';
import type { Sandboxes } from '../../src/core/ports/sandbox-port.ts';
import { remoteSandboxes } from './remote-sandboxes.ts';

/** A start can pull the image. */
const callMs = 150_000;

export interface DeployedSandboxes {
  readonly sandboxes: Sandboxes;
  /** Destroys every sandbox that was named. */
  close(): Promise<void>;
}

export function deployedSandboxes(url: string, apiToken: string): DeployedSandboxes {
  const uuids = new Map<string, string>();
  const run = randomUUID();
  // Only the deployment can derive the real id. This one has its form.
  const idFor = (taskId: string): string => {
    const sandboxId = createHash('sha256').update(`${run} ${taskId}`).digest('hex');
    if (!uuids.has(sandboxId)) uuids.set(sandboxId, randomUUID());
    return sandboxId;
  };
  const sandboxes = remoteSandboxes(idFor, async (sandboxId, call) => {
    const response = await fetch(`${url}/api/doctor/sandbox`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ sandbox: uuids.get(sandboxId), call }),
      signal: AbortSignal.timeout(callMs),
    });
    if (response.ok) return await response.text();
    throw new Error(`the deployment answered ${response.status}: ${(await response.text()).slice(0, 300)}`);
  });
  return {
    sandboxes,
    close: async () =>
      void (await Promise.all([...uuids.keys()].map(async (id) => await sandboxes.get(id).destroy()))),
  };
}
