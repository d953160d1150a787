/** Records every sandbox id on disk: an id is used once, so that no grant or receipt applies to another. */
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';

export interface UsedIds {
  /** Returns false if the id was used before, by this host or an earlier one with the same folder. */
  claim(sandboxId: string): Promise<boolean>;
  /** Releases the id of a sandbox in which nothing ran. */
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
