/**
 * Global set-up: ends every process that a test run started, even by SIGKILL. Children inherit the run's
 * mark; a watchdog outside waits on a pipe that closes with the run, and then kills them.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { runMark } from './run-mark.ts';

export default async function setUp(): Promise<(() => Promise<void>) | undefined> {
  // Another project of this run has set it: one watchdog is enough.
  if (process.env[runMark]?.startsWith(`${process.pid}-`) === true) return undefined;
  const run = `${process.pid}-${Date.now()}`;
  // A run inside a test has an outer mark. Its watchdog has none, so that it outlives the end of both.
  const { [runMark]: _outer, ...environment } = process.env;
  const watchdog = spawn(process.execPath, [join(import.meta.dirname, 'watchdog.ts'), run], {
    env: environment,
    // A process group of its own: neither Ctrl-C nor a kill of the run's group reaches it.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  process.env[runMark] = run;
  // `npm test` holds this channel open: when it is killed, the run ends too.
  const endToo = () => process.kill(process.pid, 'SIGKILL');
  process.once('disconnect', endToo);
  return async () => {
    process.off('disconnect', endToo);
    delete process.env[runMark];
    const ended = once(watchdog, 'exit');
    watchdog.stdin.end();
    await ended;
  };
}
