/** Asks at the terminal. What is typed for a secret is not shown, and stays out of the terminal's history. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

export function openPrompt(stop: AbortSignal) {
  const shown = { on: true };
  const output = new Writable({
    write(chunk: Buffer, _, done) {
      if (shown.on) process.stdout.write(chunk);
      done();
    },
  });
  const lines = createInterface({
    input: process.stdin,
    output,
    terminal: process.stdin.isTTY,
    historySize: 0,
  });
  // In raw mode the terminal sends no signal of its own.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  const closed = new AbortController();
  lines.once('close', () => closed.abort());
  return {
    async ask(question: string, kind: 'text' | 'secret'): Promise<string> {
      if (kind === 'secret') process.stdout.write(question);
      shown.on = kind === 'text';
      try {
        const signal = AbortSignal.any([stop, closed.signal]);
        return await lines.question(kind === 'text' ? question : '', { signal });
      } catch (error) {
        if (stop.aborted || !closed.signal.aborted) throw error;
        throw new Error('The input ended. Run npm run setup again to continue.', { cause: error });
      } finally {
        shown.on = true;
        if (kind === 'secret') process.stdout.write('\n');
      }
    },
    close: () => lines.close(),
  };
}
