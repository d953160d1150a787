/**
 * Rebuilds headers from allowlists, in both directions. Nothing passes because it was not thought of:
 * `Authorization`, `Cookie` and organisation headers of the sandbox never reach an upstream, and no upstream header
 * that could carry a credential or set state reaches the sandbox.
 */

const githubRequest = new Set(['accept', 'content-type', 'content-encoding', 'git-protocol', 'user-agent']);
/** As Codex 0.169.0 sends them; the last one selects the protocol that newer models need. */
const openaiRequest = new Set([
  'accept',
  'content-type',
  'originator',
  'user-agent',
  'session-id',
  'session_id',
  'thread-id',
  'x-client-request-id',
  'x-openai-internal-codex-responses-lite',
]);
const response = new Set([
  'content-type',
  'cache-control',
  'retry-after',
  'retry-after-ms',
  'x-request-id',
  'openai-processing-ms',
  'openai-model',
]);

export function githubRequestHeaders(from: Headers, readToken: string): Headers {
  const headers = pick(from, (name) => githubRequest.has(name));
  headers.set('authorization', `Basic ${btoa(`x-access-token:${readToken}`)}`);
  // What is passed on is what was received: no transparent decompression in between.
  headers.set('accept-encoding', 'identity');
  return headers;
}

export function openaiRequestHeaders(from: Headers, apiKey: string): Headers {
  const headers = pick(from, (name) => openaiRequest.has(name) || name.startsWith('x-codex-'));
  headers.set('content-type', 'application/json');
  headers.set('authorization', `Bearer ${apiKey}`);
  headers.set('accept-encoding', 'identity');
  return headers;
}

export function responseHeaders(from: Headers): Headers {
  return pick(
    from,
    (name) => response.has(name) || name.startsWith('x-codex-') || name.startsWith('x-ratelimit-'),
  );
}

function pick(from: Headers, allowed: (lowerCaseName: string) => boolean): Headers {
  const headers = new Headers();
  for (const [name, value] of from) if (allowed(name)) headers.set(name, value);
  return headers;
}
