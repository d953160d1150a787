/** The contract of the cache for setup, which checks names and types (`setup-archive.ts`) both ways. */
export interface SetupCacheEntry {
  readonly repositoryId: number;
  /** 64 hex digits, from `setupCacheKey`. */
  readonly key: string;
}

/** The cache, as seen from one task's sandbox. */
export interface SetupCache {
  /** The largest size of an entry, bytes. */
  readonly maxEntryBytes: number;
  /** Writes the entry's parts into a folder, or deletes a refused entry. Rejects on transient errors. */
  restore(entry: SetupCacheEntry, folder: string): Promise<SetupCacheRestored>;
  /** The parts must have the hash from before Codex ran: nothing is stored that was changed later. */
  store(
    entry: SetupCacheEntry,
    packed: {
      readonly folder: string;
      readonly sha256: string;
      readonly bytes: number;
      readonly parts: number;
      /** `owner/name`, for people who list the cache. */
      readonly repository: string;
    },
  ): Promise<SetupCacheStored>;
  remove(entry: SetupCacheEntry): Promise<void>;
}

interface Refused {
  readonly kind: 'refused';
  /** What the check of `setup-archive.ts` found. */
  readonly reason: string;
}
/** `none`: there is no entry, or it is not what was stored. */
export type SetupCacheRestored = { readonly kind: 'restored' } | { readonly kind: 'none' } | Refused;
/** `not-stored`: the parts are not what was packed, or are too large. */
export type SetupCacheStored = { readonly kind: 'stored' } | { readonly kind: 'not-stored' } | Refused;

/** Name of a part in the folder, by its number from 0. At most 8 MiB each. */
export const partName = (number: number): string => `part-${String(number).padStart(5, '0')}`;
export const partBytes = 8 * 1024 * 1024;
