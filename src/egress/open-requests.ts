/**
 * Counts what one sandbox has under way at a time. What a request costs is known at its end, so the number of open ones is what bounds by how
 * much a budget can be overdrawn. In memory of this isolate: a bound beneath the budget, not the budget itself.
 */
export interface OpenRequests {
  /** null when as many are open already; else what ends this one, which may be called again. */
  open(containerId: string): (() => void) | null;
}

export function createOpenRequests(max: number): OpenRequests {
  const counts = new Map<string, number>();
  return {
    open(containerId) {
      const open = counts.get(containerId) ?? 0;
      if (open >= max) return null;
      counts.set(containerId, open + 1);
      let isOpen = true;
      return () => {
        if (!isOpen) return;
        isOpen = false;
        const left = (counts.get(containerId) ?? 1) - 1;
        if (left > 0) counts.set(containerId, left);
        else counts.delete(containerId);
      };
    },
  };
}
