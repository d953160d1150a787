/**
 * Reads the end of a job's log. GitHub answers with a signed address of its storage, which is another host.
 * It is fetched without a credential, only over TLS from the hosts that GitHub names, and not redirected
 * again.
 */
import { lastOf } from '../core/ask/untrusted-text.ts';
import type { RepositoryFacts } from '../core/task.ts';
import { GithubMovedError, GithubRefusal, type GithubApi, type GithubClient } from './client.ts';

/** https://docs.github.com/actions/reference/runners/self-hosted-runners#accessible-domains */
const storageHosts = ['.blob.core.windows.net', '.actions.githubusercontent.com'] as const;
/** A longer log is cut off here, so that its end is not reached. */
const maxLogBytes = 32 * 1024 * 1024;
const timeoutMs = 60_000;
/** Bytes at the end that are decoded: as characters at least a quarter of them. */
const keptBytes = 256 * 1024;

export type JobLog = { readonly text: string } | { readonly missing: string };

/** The address if logs may be fetched from it, or null. The API's own origin serves GHES and tests. */
export function logAddress(location: string, apiUrl: string): URL | null {
  if (!URL.canParse(location)) return null;
  const url = new URL(location);
  if (url.username !== '' || url.password !== '') return null;
  if (url.origin === new URL(apiUrl).origin) return url;
  const isStorage = storageHosts.some((host) => url.hostname.endsWith(host));
  return url.protocol === 'https:' && url.port === '' && isStorage ? url : null;
}

export async function readJobLog(
  { client, api, facts }: { client: GithubClient; api: GithubApi; facts: RepositoryFacts },
  jobId: number,
  maxChars: number,
): Promise<JobLog> {
  const location = await locationOf(client, facts, jobId);
  if (location === null) return { missing: 'Its log is not here: GitHub has none, or not any more.' };
  const url = logAddress(location, api.apiUrl);
  if (url === null)
    return { missing: 'Its log is not here: GitHub named a host that Airlock does not fetch logs from.' };
  return await fetchEnd(url, api.fetch, maxChars);
}

/** The address that GitHub redirects to; null if there is no log any more. */
async function locationOf(
  client: GithubClient,
  { owner, name }: RepositoryFacts,
  jobId: number,
): Promise<string | null> {
  try {
    await client.request('GET /repos/{owner}/{repo}/actions/jobs/{job_id}/logs', {
      owner,
      repo: name,
      job_id: jobId,
    });
    return null;
  } catch (error) {
    // A redirect to where a renamed repository is now has another status.
    if (error instanceof GithubMovedError && error.status === 302) return error.location;
    if (error instanceof GithubRefusal && [404, 410].includes(error.status)) return null;
    throw error;
  }
}

async function fetchEnd(url: URL, fetchLog: typeof fetch, maxChars: number): Promise<JobLog> {
  try {
    const answer = await fetchLog(url, { redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) });
    if (answer.status !== 200 || answer.body === null) {
      await answer.body?.cancel();
      return { missing: `Its log is not here: the storage answered with ${answer.status}.` };
    }
    const body: ReadableStream<unknown> = answer.body;
    const bytes = await lastBytes(body);
    return bytes === null
      ? { missing: `Its log is not here: it is longer than ${maxLogBytes / 1024 / 1024} MiB.` }
      : { text: endOfLog(new TextDecoder().decode(bytes), maxChars) };
  } catch {
    return { missing: 'Its log is not here: it could not be fetched in time.' };
  }
}

/** Null if the stream is longer than a log may be. */
async function lastBytes(body: ReadableStream<unknown>): Promise<Uint8Array | null> {
  const reader = body.getReader();
  let chunks: Uint8Array[] = [];
  let [kept, read] = [0, 0];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (!(value instanceof Uint8Array)) throw new TypeError('the log is no bytes');
    chunks.push(value);
    kept += value.byteLength;
    read += value.byteLength;
    if (read > maxLogBytes) {
      await reader.cancel();
      return null;
    }
    while (chunks.length > 1 && kept - (chunks[0]?.byteLength ?? 0) >= keptBytes) {
      kept -= chunks[0]?.byteLength ?? 0;
      chunks = chunks.slice(1);
    }
  }
  const bytes = new Uint8Array(kept);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes.slice(-keptBytes);
}

/** Without times and colors, up to the last error: after it, GitHub cleans up. */
export function endOfLog(untrustedLog: string, maxChars: number): string {
  const lines = untrustedLog.replaceAll('\r\n', '\n').split('\n').map(withoutTime);
  const error = lines.findLastIndex((line) => line.startsWith('##[error]'));
  const relevant = error === -1 ? lines : lines.slice(0, error + 1);
  return lastOf(relevant.join('\n').trimEnd(), maxChars);
}

const withoutTime = (line: string): string =>
  line.replace(/^\uFEFF?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z ?/, '');
