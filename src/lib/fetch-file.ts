/**
 * Fetches a file within bounds of size and time. Decides each address before asking it, the first one and
 * those of redirects: no redirect leads to another host, and each host gets its own credential or none.
 */
import { readBody } from './read-body.ts';

/** The headers for an address; null if it is not allowed. */
export type DecideAddress = (url: URL) => Promise<Readonly<Record<string, string>> | null>;

export type FileFetched =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array<ArrayBuffer>; readonly contentType: string }
  | { readonly kind: 'status'; readonly status: number }
  /** `host` is where it, or a redirect, leads. */
  | { readonly kind: 'elsewhere'; readonly host: string }
  | { readonly kind: 'too-large' | 'unreachable' };

export interface FileBounds {
  readonly maxBytes: number;
  /** For each request including its body, in ms. */
  readonly deadlineMs: number;
}

const maxRedirects = 3;

/** Asks a second time after a failure that may be transient. Never throws. */
export async function fetchFile(...asked: Parameters<typeof fetchOnce>): Promise<FileFetched> {
  const fetched = await fetchOnce(...asked);
  const isTransient = fetched.kind === 'unreachable' || (fetched.kind === 'status' && fetched.status >= 500);
  return isTransient ? await fetchOnce(...asked) : fetched;
}

async function fetchOnce(
  address: string,
  decide: DecideAddress,
  platformFetch: typeof fetch,
  { maxBytes, deadlineMs }: FileBounds,
): Promise<FileFetched> {
  let url = parsed(address);
  for (let redirects = 0; ; redirects += 1) {
    if (url === null || redirects > maxRedirects) return { kind: 'elsewhere', host: url?.host ?? '' };
    try {
      const headers = await decide(url);
      if (headers === null) return { kind: 'elsewhere', host: url.host };
      const response = await platformFetch(url, {
        headers: { ...headers, 'user-agent': 'airlock' },
        redirect: 'manual',
        signal: AbortSignal.timeout(deadlineMs),
      });
      const { status } = response;
      if (status >= 300 && status < 400) {
        await response.body?.cancel();
        url = parsed(response.headers.get('location') ?? '', url);
        continue;
      }
      if (status !== 200) {
        await response.body?.cancel();
        return { kind: 'status', status };
      }
      const body = await readBody(response, { maxBytes, deadlineMs });
      if (body.kind === 'too-large') return { kind: 'too-large' };
      if (body.kind !== 'bytes') return { kind: 'unreachable' };
      return { kind: 'bytes', bytes: body.bytes, contentType: response.headers.get('content-type') ?? '' };
    } catch {
      return { kind: 'unreachable' };
    }
  }
}

function parsed(address: string, base?: URL): URL | null {
  return URL.parse(address, base?.href);
}
