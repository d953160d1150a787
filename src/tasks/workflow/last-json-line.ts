/** How the scripts in a sandbox answer: the last line of standard output, as JSON. */

/** undefined when it is none. Untrusted: the callers' schemas decide. */
export function lastJsonLine({ stdout }: { readonly stdout: string }): unknown {
  const line = stdout.trimEnd().split('\n').at(-1) ?? '';
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // the callers' schemas refuse it
  }
}
