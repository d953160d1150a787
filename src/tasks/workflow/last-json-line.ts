/** How the scripts in a sandbox answer: the last line of standard output, as JSON. */
import { parseJson } from '../../lib/parse-json.ts';

/** undefined when it is none. Untrusted: the callers' schemas decide. */
export function lastJsonLine({ stdout }: { readonly stdout: string }): unknown {
  return parseJson(stdout.trimEnd().split('\n').at(-1) ?? '');
}
