/** Where a task's live installation tokens are stored, sealed, until they are revoked or have expired. */
export interface TokenLedger {
  /** Stores a sealed token before its first use. `expiresAt` in ms since the epoch. */
  remember(taskId: string, sealed: string, expiresAt: number): Promise<void>;
  live(taskId: string): Promise<readonly string[]>;
  forget(taskId: string, sealed: string): Promise<void>;
}

/** For programs without tasks, whose tokens end with them. */
export function memoryLedger(): TokenLedger {
  const live = new Map<string, string>();
  return {
    remember: async (taskId, sealed) => void live.set(sealed, taskId),
    live: async (taskId) => [...live].filter(([, owner]) => owner === taskId).map(([sealed]) => sealed),
    forget: async (_, sealed) => void live.delete(sealed),
  };
}
