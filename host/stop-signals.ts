/** Handles Ctrl-C, a service manager's stop and a closed terminal in programs that have to clean up first. */

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Calls `stop` on each signal; `stop` ends the program after cleaning up. Call this after the bot has
 * started: it removes Miniflare's own listeners, which would end the process at once and leave sandboxes
 * behind. Stopping the bot disposes of Miniflare as well.
 */
export function onStopSignal(stop: () => void): void {
  for (const signal of signals) {
    process.removeAllListeners(signal);
    process.on(signal, stop);
  }
}
