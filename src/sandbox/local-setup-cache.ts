/** Implements the setup cache over the host's binding; the bytes never pass through the Worker. */
import * as z from 'zod';
import { SandboxLostError } from '../core/ports/sandbox-port.ts';
import type { SetupCache, SetupCacheEntry } from '../core/ports/setup-cache-port.ts';
import { withDeadline } from '../lib/with-deadline.ts';
import type { SandboxHostBinding } from './local.ts';

const MiB = 1024 * 1024;
/** 512 MiB take a few seconds; a busy machine needs many times that. */
const carryMs = 3 * 60_000;

const refused = z.object({ kind: z.literal('refused'), reason: z.string() });
const restored = z.union([z.object({ kind: z.enum(['restored', 'none']) }), refused]);
const stored = z.union([z.object({ kind: z.enum(['stored', 'not-stored']) }), refused]);
const removed = z.object({});

export function localSetupCache(host: SandboxHostBinding, sandboxId: string, taskId: string): SetupCache {
  async function ask<T>(what: string, body: unknown, answer: z.ZodType<T>): Promise<T> {
    const call = async () => {
      const response = await host.fetch(`http://sandbox-host/sandboxes/${sandboxId}/setup-cache/${what}`, {
        method: 'POST',
        body: JSON.stringify(body),
      });
      const text = await response.text();
      if (response.status === 410) throw new SandboxLostError('the sandbox is gone');
      if (!response.ok) throw new Error(`sandbox host: ${response.status}: ${text.slice(0, 300)}`);
      return answer.parse(JSON.parse(text));
    };
    return await withDeadline(call(), carryMs, 'the setup cache');
  }
  const named = ({ repositoryId, key }: SetupCacheEntry) => ({ repositoryId, key });
  return {
    maxEntryBytes: 512 * MiB,
    restore: async (entry, folder) => await ask('restore', { entry: named(entry), folder }, restored),
    store: async (entry, { folder, sha256, bytes, parts, repository }) => {
      const storedBy = { taskId, repository };
      return await ask('store', { entry: named(entry), folder, sha256, bytes, parts, storedBy }, stored);
    },
    remove: async (entry) => void (await ask('remove', { entry: named(entry) }, removed)),
  };
}
