/**
 * Rebuilds headers from allowlists, in both directions: no `Authorization`, `Connection` or unknown header of
 * the sandbox reaches an upstream, and no cookie or credential comes back.
 */

const githubRequest = new Set(['accept', 'content-type', 'content-encoding', 'user-agent']);
/** As Codex 0.171.0 sends them (recorded, `test/egress/fixtures`), by name, not by prefix. */
const openaiRequest = new Set([
  'accept',
  'originator',
  'user-agent',
  'session-id',
  'thread-id',
  'x-client-request-id',
  'x-codex-turn-metadata',
  'x-codex-turn-state',
  'x-codex-window-id',
  'x-openai-internal-codex-responses-lite',
]);
const hostRequest = new Set([
  'accept',
  'user-agent',
  'range',
  'if-none-match',
  'if-modified-since',
  'if-range',
]);
/** Without `range`: two answers could have a half of the credential each. */
const registryRequest = new Set(['accept', 'user-agent', 'if-none-match', 'if-modified-since']);
const response = new Set([
  'content-type',
  'cache-control',
  'content-range',
  'accept-ranges',
  'etag',
  'last-modified',
  'retry-after',
  'retry-after-ms',
  'x-request-id',
  'openai-processing-ms',
  'openai-model',
  // Codex returns it with the next request of the turn.
  'x-codex-turn-state',
]);
/** Codex's largest value, its turn metadata, has about 1 KB. */
const maxValueCharacters = 8_192;

export function githubRequestHeaders(from: Headers, readToken: string): Headers {
  const headers = pick(from, githubRequest);
  const protocol = from.get('git-protocol');
  // Version 2, or what older clients speak. Any other value could carry data out.
  if (protocol !== null && /^version=[012]$/.test(protocol)) headers.set('git-protocol', protocol);
  headers.set('authorization', basic(readToken));
  // No transparent decompression: the answer is passed on as it was received.
  headers.set('accept-encoding', 'identity');
  return headers;
}

export function lfsRequestHeaders(readToken: string): Headers {
  const type = 'application/vnd.git-lfs+json';
  return new Headers({ accept: type, 'content-type': type, authorization: basic(readToken) });
}

export function openaiRequestHeaders(
  from: Headers,
  ours: {
    readonly openaiApiKey: string;
    readonly openaiOrganization?: string;
    readonly openaiProject?: string;
  },
): Headers {
  const headers = pick(from, openaiRequest);
  // Switches on behaviour on OpenAI's side, so by value: OpenAI compacts a long thread.
  const features = from.get('x-codex-beta-features');
  if (features === 'remote_compaction_v2') headers.set('x-codex-beta-features', features);
  headers.set('content-type', 'application/json');
  headers.set('authorization', `Bearer ${ours.openaiApiKey}`);
  headers.set('accept-encoding', 'identity');
  if (ours.openaiOrganization !== undefined) headers.set('openai-organization', ours.openaiOrganization);
  if (ours.openaiProject !== undefined) headers.set('openai-project', ours.openaiProject);
  return headers;
}

export function hostRequestHeaders(from: Headers): Headers {
  const headers = pick(from, hostRequest);
  headers.set('accept-encoding', 'identity');
  return headers;
}

export function registryRequestHeaders(
  from: Headers,
  credential: { readonly header: string; readonly value: string } | null,
): Headers {
  const headers = pick(from, registryRequest);
  headers.set('accept-encoding', 'identity');
  if (credential !== null) headers.set(credential.header, credential.value);
  return headers;
}

export function responseHeaders(from: Headers): Headers {
  const headers = pick(from, response);
  for (const [name, value] of from) if (name.startsWith('x-ratelimit-')) headers.set(name, value);
  return headers;
}

function pick(from: Headers, allowed: ReadonlySet<string>): Headers {
  const headers = new Headers();
  for (const [name, value] of from)
    if (allowed.has(name) && value.length <= maxValueCharacters) headers.set(name, value);
  return headers;
}

const basic = (readToken: string): string => `Basic ${btoa(`x-access-token:${readToken}`)}`;
