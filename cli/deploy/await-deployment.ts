/** Waits until the uploaded version answers, lest the doctor checks the previous deployment. */
import { setTimeout as delay } from 'node:timers/promises';
import { askDoctor, askHealth } from '../doctor/ask-worker.ts';

export interface AwaitOptions {
  readonly url: string;
  /** Cloudflare’s id of the uploaded version; null if unknown: then any Airlock is accepted. */
  readonly versionId: string | null;
  /** null: the deployment cannot be asked for its id, and any Airlock is accepted. */
  readonly apiToken: string | null;
  readonly fetch: typeof fetch;
  readonly stop: AbortSignal;
  /** Total time limit, in milliseconds. */
  readonly forMs: number;
  /** Milliseconds between two requests. */
  readonly everyMs: number;
  /** Called once, if the first answer is not from the uploaded version. */
  readonly waiting: () => void;
}

/** Time limit of a request, which can hang while the certificate or the DNS record does not exist yet. */
const requestMs = 5000;

/**
 * Null once the uploaded version answers, or none that identifies itself does in time; else the id of the
 * other deployment that still answers.
 */
export async function awaitDeployment(options: AwaitOptions): Promise<string | null> {
  const until = Date.now() + options.forMs;
  let other: string | null = null;
  for (let tries = 0; Date.now() < until; tries += 1) {
    const answer = await askOnce(options);
    if (answer === 'uploaded version') return null;
    other = answer.other;
    if (tries === 0) options.waiting();
    await delay(options.everyMs, undefined, { signal: options.stop });
  }
  return other;
}

async function askOnce({
  url,
  versionId,
  apiToken,
  fetch: send,
}: AwaitOptions): Promise<'uploaded version' | { readonly other: string | null }> {
  const service = { fetch: send, timeoutMs: requestMs };
  const { kind } = await askHealth(service, url);
  if (kind !== 'airlock' && kind !== 'not-configured') return { other: null };
  if (versionId === null || apiToken === null) return 'uploaded version';
  const report = await askDoctor(service, url, apiToken, { only: 'version' });
  if (report.ok && report.deploymentId === versionId) return 'uploaded version';
  if (report.ok) return { other: report.deploymentId ?? 'without an id' };
  // Older versions answer 400 to this request. A refused token can be one that this upload is about to set.
  return { other: report.status === 400 ? 'without an id' : null };
}
