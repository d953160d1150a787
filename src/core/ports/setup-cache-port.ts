/**
 * Where what setup installed is kept for the next task, as a contract. The bytes go between the sandbox and the cache; neither the Worker
 * nor the cache looks into them. Deadlines as in `code-host.ts`.
 */
export interface SetupCacheEntry {
  readonly repositoryId: number;
  /** 64 hex digits, from `setupCacheKey`. */
  readonly key: string;
}

/** Beside one task's sandbox. */
export interface SetupCache {
  /** Bytes that one entry may have. */
  readonly maxEntryBytes: number;
  /**
   * Puts the entry's parts into a folder of the sandbox. False when there is none, or what lies there is not what was stored. Rejects on
   * what may pass; the caller goes on without.
   */
  restore(entry: SetupCacheEntry, folder: string): Promise<boolean>;
  /**
   * Takes the parts out of a folder of the sandbox. They count only if all of them together have the hash that was taken before Codex
   * ran: whatever somebody in the sandbox does to them later, or an attempt that comes late reads, is not stored. False when they do not.
   */
  store(
    entry: SetupCacheEntry,
    packed: {
      readonly folder: string;
      readonly sha256: string;
      readonly bytes: number;
      readonly parts: number;
    },
  ): Promise<boolean>;
}

/** Name of a part in the folder, by its number from 0. At most 8 MiB each. */
export const partName = (number: number): string => `part-${String(number).padStart(5, '0')}`;
export const partBytes = 8 * 1024 * 1024;
