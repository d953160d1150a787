/** Lends a check a token that can only read one repository, and revokes it. */
import * as z from 'zod';
import type { RepositoryRef } from '../core/task.ts';
import { createAppTokens, purposes, type Permissions } from '../github/app-auth.ts';
import type { AsApp } from './github-checks.ts';
import type { Service } from './service.ts';

export interface TokenInput extends Service {
  readonly appId: number;
  readonly privateKey: string;
  readonly apiUrl: string;
  readonly now: () => number;
}

const installationSchema = z.object({ id: z.number() });

/**
 * null: suspended, not installed there, or renamed. `github.installed` reports each of them. The token has
 * `permissions`.
 */
export async function withReadToken<T>(
  input: TokenInput,
  asApp: AsApp,
  { owner, name }: RepositoryRef,
  use: (token: string) => Promise<T>,
  permissions: Permissions = purposes.read,
): Promise<T | null> {
  const found = await asApp(`/repos/${encodeURIComponent(owner)}/${encodeURIComponent(name)}/installation`);
  const installation = found.answered ? installationSchema.safeParse(found.body) : null;
  if (installation?.success !== true) return null;
  const installationId = installation.data.id;
  const tokens = createAppTokens({ ...input, retryDelaysMs: [] });
  const taskId = 'doctor';
  try {
    const located = await tokens.repositoryByName({ taskId, installationId, owner, name }).catch(() => null);
    if (located === null) return null;
    const scope = { taskId, installationId, repositoryId: located.id, permissions };
    return await use(await tokens.tokenFor(scope));
  } finally {
    await tokens.forget(taskId);
  }
}
