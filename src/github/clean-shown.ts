/**
 * Takes secrets out of what people read on GitHub, in each call that writes: also those that somebody pasted
 * into a message that a pull request quotes. Files are written as blobs, and the gate has judged them.
 */
import { withoutSecrets } from '../core/secrets/find-secrets.ts';

const shown: readonly string[] = ['title', 'body', 'message', 'commit_message', 'summary', 'text'];

/** Changes the parameters of a call in place, as Octokit's hooks do. `output` is that of a check run. */
export function cleanShown(parameters: Record<string, unknown>): void {
  for (const name of shown) {
    const text = parameters[name];
    if (typeof text === 'string') parameters[name] = withoutSecrets(text);
  }
  const { output } = parameters;
  if (typeof output !== 'object' || output === null) return;
  const clean = { ...output };
  cleanShown(clean);
  parameters['output'] = clean;
}
