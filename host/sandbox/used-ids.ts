/**
 * Remembers on disk every sandbox id that was ever started or destroyed: one empty file each. An id is used once, so that
 * nothing which was said about a sandbox (a grant, a receipt, an output) is ever true of another.
 */
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';

export interface UsedIds {
  /** False when the id was used before, by this host or by one that died. */
  claim(sandboxId: string): Promise<boolean>;
  /** Only for a sandbox in which nothing ever ran. */
  forget(sandboxId: string): Promise<void>;
}

export async function openUsedIds(folder: string): Promise<UsedIds> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return {
    async claim(sandboxId) {
      try {
        const file = await open(join(folder, sandboxId), 'wx', 0o600);
        await file.close();
        return true;
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
        throw error;
      }
    },
    async forget(sandboxId) {
      await rm(join(folder, sandboxId), { force: true });
    },
  };
}
