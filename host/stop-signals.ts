/** Handles Ctrl-C, a service manager's stop and a closed terminal in programs that have to clean up first. */

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** After the bot has started: removes Miniflare's listeners, which would end the process at once. */
export function onStopSignal(stop: () => void): void {
  for (const signal of signals) {
    process.removeAllListeners(signal);
    process.on(signal, stop);
  }
}
