/**
 * A bot in a process of its own, so that a case can kill it. Its parent sends the options, receives the log,
 * and asks it to stop. Ends with its parent.
 */
import * as z from 'zod';
import { startBot } from '../host/bot.ts';
import { onStopSignal } from '../host/stop-signals.ts';
import { botOptions, type FromBot } from './bot-process.ts';
import { breakable, toBot, type SandboxCall, type SandboxFault } from './calls/breakable-calls.ts';

const say = (message: FromBot): void => {
  // The channel is closed when the parent was killed.
  if (process.connected) process.send?.(message);
};
process.once('disconnect', () => process.exit(1));
const options = await new Promise<z.infer<typeof botOptions>>((resolve) =>
  process.once('message', (sent) => resolve(botOptions.parse(sent))),
);
const decisions = new Map<number, (fault: SandboxFault | null) => void>();
let calls = 0;
const decide = async (call: SandboxCall): Promise<SandboxFault | null> =>
  await new Promise((resolve) => {
    calls += 1;
    decisions.set(calls, resolve);
    say({ kind: 'call', id: calls, call });
  });
try {
  const { maxSandboxes, standIns, ...rest } = options;
  const bot = await startBot({
    ...rest,
    ...(maxSandboxes === undefined ? {} : { maxSandboxes }),
    ...(standIns === undefined ? {} : { standIns }),
    sandboxCalls: (handle) => breakable(handle, decide),
    progress: () => undefined,
    log: (line) => say({ kind: 'log', line }),
  });
  const stop = (): void => void bot.stop().finally(() => process.exit(0));
  onStopSignal(stop);
  process.on('message', (sent) => {
    const message = toBot.parse(sent);
    if (message.kind === 'stop') return stop();
    decisions.get(message.id)?.(message.fault);
    decisions.delete(message.id);
  });
  say({ kind: 'started', url: bot.url });
} catch (error) {
  say({ kind: 'failed', problem: error instanceof Error ? error.message : String(error) });
  process.exit(1);
}
