/**
 * Runs a command of `package.json` to an exit status: 0 is done, 1 failed, 2 wrong usage, 130 interrupted. A
 * caller's mistake is one line without a stack trace; a reader that ends early is no error.
 */
import { onStopSignal } from '../../host/stop-signals.ts';
import { helpOf, readArguments, type CommandLine, type OptionTable, type Values } from './read-arguments.ts';

/** The caller has to change the command line or a file that it names: exit status 2. */
export class UsageProblem extends Error {}

export interface Invocation<Options extends OptionTable> {
  readonly values: Values<Options>;
  readonly positionals: readonly string[];
  /** Prints a line. */
  readonly say: (line: string) => void;
  /** Aborted when nobody reads the output any more. */
  readonly closed: AbortSignal;
  /** Calls `stop` at Ctrl-C, a service manager's stop, or when nobody reads the output any more. */
  readonly onStop: (stop: () => void) => void;
}

export interface Command<Options extends OptionTable> extends CommandLine<Options> {
  /** Resolves with the exit status. */
  readonly run: (invocation: Invocation<Options>) => Promise<number>;
  /** Ignores output that cannot be written: a bot does not end with its terminal. */
  readonly outlivesOutput?: boolean;
}

export async function runCommand<const Options extends OptionTable>(
  command: Command<Options>,
): Promise<void> {
  const closed = watchOutput(command.outlivesOutput === true);
  const reading = readArguments(command, process.argv.slice(2), process.env);
  if (reading.kind === 'help') return void process.stdout.write(helpOf(command));
  if (reading.kind === 'wrong') {
    process.stderr.write(`${reading.problem}\n`);
    process.exitCode = 2;
    return;
  }
  try {
    const status = await command.run({
      values: reading.values,
      positionals: reading.positionals,
      say: (line) => void process.stdout.write(`${line}\n`),
      closed,
      onStop: (stop) => {
        onStopSignal(stop);
        closed.addEventListener('abort', stop, { once: true });
      },
    });
    process.exitCode = closed.aborted && status === 130 ? 0 : status;
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = error instanceof UsageProblem ? 2 : 1;
  }
}

function watchOutput(outlives: boolean): AbortSignal {
  const closed = new AbortController();
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (outlives) return;
      if (error.code === 'EPIPE') return closed.abort();
      process.stderr.write(`The output cannot be written: ${error.message}\n`);
      process.exit(1);
    });
  return closed.signal;
}

/** Returns the message; with `DEBUG` set, the stack of an error without a message for people. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return (process.env['DEBUG'] === undefined ? undefined : error.stack) ?? error.message;
}
