/** Restarts workerd when it does not answer, as in a loop. Tasks continue from the state on disk. */

export interface WorkerWatch {
  /** Pause between two questions, ms; also the deadline of one. */
  readonly everyMs: number;
  /** Consecutive questions without an answer after which workerd is restarted. */
  readonly misses: number;
}

/** A slow machine answers within seconds; two minutes of silence are no load. */
export const defaultWatch: WorkerWatch = { everyMs: 30_000, misses: 4 };

/** Until the returned function is called. `ask` rejects when late; `restart` gets the problem. */
export function watchWorker(
  { everyMs, misses }: WorkerWatch,
  ask: (signal: AbortSignal) => Promise<void>,
  restart: (problem: string) => void,
): () => void {
  let missed = 0;
  let timer: NodeJS.Timeout;
  const stopped = new AbortController();
  const askOnce = async (): Promise<void> => {
    try {
      await ask(AbortSignal.any([stopped.signal, AbortSignal.timeout(everyMs)]));
      missed = 0;
    } catch (error) {
      missed += 1;
      if (missed >= misses && !stopped.signal.aborted) {
        missed = 0;
        restart(String(error));
      }
    }
    if (!stopped.signal.aborted) schedule();
  };
  const schedule = (): void => {
    timer = setTimeout(() => void askOnce(), everyMs);
    timer.unref();
  };
  schedule();
  return () => {
    stopped.abort();
    clearTimeout(timer);
  };
}
