/**
 * Waits until what was uploaded answers: meanwhile the deployment before it does, and the doctor would examine that one. Decides nothing about
 * what is wrong with what answers; that is the doctor’s.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { askDoctor, askHealth } from '../doctor/ask-worker.ts';

export interface AwaitOptions {
  readonly url: string;
  /** Cloudflare’s id of what was uploaded; null: not known, then any Airlock will do. */
  readonly versionId: string | null;
  /** null: nobody can be asked for an id, then any Airlock will do. */
  readonly apiToken: string | null;
  readonly fetch: typeof fetch;
  readonly stop: AbortSignal;
  /** Milliseconds in all. */
  readonly forMs: number;
  /** Milliseconds between two questions. */
  readonly everyMs: number;
  /** Called once, when the first answer is not the one. */
  readonly waiting: () => void;
}

/** A certificate that is not there yet, or a host that is not known yet, may hang. */
const questionMs = 5000;

/** null: it answers, or what does refuses to say what it is, which the doctor will name. Otherwise what answered in its place to the end. */
export async function awaitDeployment(options: AwaitOptions): Promise<string | null> {
  const until = Date.now() + options.forMs;
  let other: string | null = null;
  for (let tries = 0; Date.now() < until; tries += 1) {
    const seen = await look(options);
    if (seen === 'there') return null;
    other = seen.other;
    if (tries === 0) options.waiting();
    await delay(options.everyMs, undefined, { signal: options.stop });
  }
  return other;
}

async function look({
  url,
  versionId,
  apiToken,
  fetch: send,
}: AwaitOptions): Promise<'there' | { readonly other: string | null }> {
  const service = { fetch: send, timeoutMs: questionMs };
  const { kind } = await askHealth(service, url);
  if (kind !== 'airlock' && kind !== 'not-configured') return { other: null };
  if (versionId === null || apiToken === null) return 'there';
  const report = await askDoctor(service, url, apiToken, { only: 'version' });
  if (report.ok && report.deploymentId === versionId) return 'there';
  if (report.ok) return { other: report.deploymentId ?? 'one that has no id' };
  // Versions that have no id yet do not take the question. A refused token may be one that comes with this very upload.
  return { other: report.status === 400 ? 'one that has no id' : null };
}
