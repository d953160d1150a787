/** Ctrl-C, a service manager's stop and a closed terminal, taken over by a program that has something to clean up. */

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Calls `stop` at each such signal; the program ends itself when it is done. To be called once the bot runs: Miniflare has
 * its own listeners by then, which end the process at once and leave sandboxes behind. They are removed; stopping the bot
 * disposes of Miniflare as well.
 */
export function onStopSignal(stop: () => void): void {
  for (const signal of signals) {
    process.removeAllListeners(signal);
    process.on(signal, stop);
  }
}
