/** Sends one HTTP request for a check, without redirects. Returns a failure as a value. */
import * as z from 'zod';
import { parseJson } from '../lib/parse-json.ts';

export interface Service {
  readonly fetch: typeof fetch;
  /** For one request with its body. Shorter than a check's deadline, so that a check can name it. */
  readonly timeoutMs: number;
}

export type Asked =
  | { readonly answered: true; readonly status: number; readonly headers: Headers; readonly body: unknown }
  | { readonly answered: false; readonly why: string };

export async function ask(
  { fetch: send, timeoutMs }: Service,
  url: string,
  init: { readonly method?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Asked> {
  try {
    const response = await send(url, {
      method: init.method ?? 'GET',
      headers: { 'user-agent': 'airlock', ...init.headers },
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await response.text();
    return { answered: true, status: response.status, headers: response.headers, body: parseJson(text) };
  } catch (error) {
    return { answered: false, why: whyOf(error, timeoutMs) };
  }
}

export type StatusAsked =
  | { readonly answered: true; readonly status: number }
  | { readonly answered: false; readonly why: string };

/** As `ask`, without reading the body: the root of a registry can list a hundred thousand packages. */
export async function statusAt(
  { fetch: send, timeoutMs }: Service,
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<StatusAsked> {
  try {
    const { status, body } = await send(url, {
      headers: { 'user-agent': 'airlock', ...headers },
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    await body?.cancel();
    return { answered: true, status };
  } catch (error) {
    return { answered: false, why: whyOf(error, timeoutMs) };
  }
}

const withCause = z.object({ cause: z.object({ code: z.string() }) });

function whyOf(error: unknown, timeoutMs: number): string {
  if (error instanceof Error && error.name === 'TimeoutError')
    return `no answer within ${timeoutMs / 1000} s`;
  const caused = withCause.safeParse(error); // In Node: ECONNREFUSED and the like.
  if (caused.success) return caused.data.cause.code;
  return error instanceof Error ? error.message.slice(0, 200) : 'unknown error';
}
