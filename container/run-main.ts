/** Runs a script's main function: what top-level await does, which a CommonJS bundle cannot have. */

/** Node's code for an await that nothing can settle any more. */
const unsettled = 13;

/** If `main` returns a number, ends the process with it. */
export function runMain(main: () => Promise<unknown>): void {
  let isSettled = false;
  process.once('exit', (code) => {
    if (!isSettled && code === 0) process.exitCode = unsettled;
  });
  void main().then((result) => {
    isSettled = true;
    if (typeof result === 'number') process.exit(result);
  });
}
