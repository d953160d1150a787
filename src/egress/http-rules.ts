/** Decides on a request's framing, which gateway and platform have parsed before, once more. */
import type { RequestUrl } from './request-url.ts';
import { deny, type Denial, type RequestHead } from './verdict.ts';

export function framingDenial({ header }: RequestHead, url: RequestUrl): Denial | null {
  if (header('upgrade') !== null || header('http2-settings') !== null)
    return deny('http.upgrade', 'protocol upgrades are refused', 426);
  const host = header('host');
  if (host !== null && host.toLowerCase().replace(/:(?:443|80)$/, '') !== url.host)
    return deny('url.host-mismatch', 'Host is not the host of the request URL', 400);
  // The gateway of one machine sets it. Where there is no gateway, a sandbox that sets it can only get itself
  // refused.
  const sni = header('x-airlock-sni');
  if (sni !== null && sni.toLowerCase() !== url.hostname)
    return deny('url.sni-mismatch', 'the TLS handshake named another host than the request', 400);
  const expect = header('expect');
  if (expect !== null && expect.toLowerCase() !== '100-continue')
    return deny('http.expect', 'an expectation other than 100-continue is refused', 417);
  const coding = header('transfer-encoding');
  if (coding !== null && coding.toLowerCase() !== 'chunked')
    return deny('http.transfer-encoding', 'a transfer coding other than chunked is refused', 400);
  const length = header('content-length');
  // Two lengths arrive as one value with a comma.
  if (length !== null && (!/^\d{1,15}$/.test(length) || coding !== null))
    return deny('http.content-length', 'the length of the body is ambiguous', 400);
  return null;
}

export const mediaType = (contentType: string | null): string | undefined =>
  contentType?.split(';')[0]?.trim().toLowerCase();

/** True if the head announces a body. */
export const hasBody = (header: RequestHead['header']): boolean =>
  header('transfer-encoding') !== null || Number(header('content-length') ?? 0) > 0;
