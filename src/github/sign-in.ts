/**
 * Signs people in through the App's own OAuth. The token of a person only tells who it is: it asks for no
 * scope, is used once, revoked, and stored nowhere.
 */
import * as z from 'zod';
import { parseJson } from '../lib/parse-json.ts';
import { readBody } from '../lib/read-body.ts';
import { utf8Of } from '../lib/utf8.ts';
import { apiVersionHeader } from './client.ts';
import type { Person } from './write-permission.ts';

export interface SignInApi {
  readonly clientId: string;
  readonly clientSecret: string;
  /** The address of GitHub's pages, without a trailing slash. */
  readonly webUrl: string;
  readonly apiUrl: string;
  readonly fetch: typeof fetch;
}

/** `denied`: GitHub did not take the code. `unavailable`: GitHub could not be asked. */
export type SignedIn =
  | { readonly kind: 'person'; readonly person: Person }
  | { readonly kind: 'denied' }
  | { readonly kind: 'unavailable' };

const bounds = { maxBytes: 256 * 1024, deadlineMs: 10_000 };

const tokenSchema = z.object({ access_token: z.string().min(1), token_type: z.string() });
const userSchema = z.object({ login: z.string().min(1).max(100), id: z.number().int().positive() });

/** Where the person decides. `challenge`: the SHA-256 of the verifier, in base64url (PKCE). */
export function authorizeAddress(
  { clientId, webUrl }: Pick<SignInApi, 'clientId' | 'webUrl'>,
  asked: { readonly redirectUri: string; readonly state: string; readonly challenge: string },
): string {
  const query = new URLSearchParams({
    client_id: clientId,
    redirect_uri: asked.redirectUri,
    state: asked.state,
    code_challenge: asked.challenge,
    code_challenge_method: 'S256',
    allow_signup: 'false',
  });
  return `${webUrl}/login/oauth/authorize?${query.toString()}`;
}

/** Exchanges the code for a token, asks whose it is, and revokes it. Never throws. */
export async function personOfCode(
  api: SignInApi,
  asked: { readonly code: string; readonly redirectUri: string; readonly verifier: string },
): Promise<SignedIn> {
  const exchanged = await ask(api, `${api.webUrl}/login/oauth/access_token`, {
    method: 'POST',
    body: JSON.stringify({
      client_id: api.clientId,
      client_secret: api.clientSecret,
      code: asked.code,
      redirect_uri: asked.redirectUri,
      code_verifier: asked.verifier,
    }),
  });
  if (exchanged === null) return { kind: 'unavailable' };
  // GitHub answers a wrong code with 200 and an error in the document.
  const token = tokenSchema.safeParse(exchanged.document);
  if (!token.success) return { kind: exchanged.status >= 500 ? 'unavailable' : 'denied' };
  const { access_token: accessToken } = token.data;
  try {
    const asking = { headers: { authorization: `Bearer ${accessToken}` } };
    const user = userSchema.safeParse((await ask(api, `${api.apiUrl}/user`, asking))?.document);
    return user.success
      ? { kind: 'person', person: { login: user.data.login, id: user.data.id } }
      : { kind: 'unavailable' };
  } finally {
    await ask(api, `${api.apiUrl}/applications/${api.clientId}/token`, {
      method: 'DELETE',
      headers: { authorization: `Basic ${btoa(`${api.clientId}:${api.clientSecret}`)}` },
      body: JSON.stringify({ access_token: accessToken }),
    });
  }
}

/** Null: no answer. */
async function ask(
  api: SignInApi,
  address: string,
  init: { readonly method?: string; readonly body?: string; readonly headers?: Record<string, string> },
): Promise<{ readonly status: number; readonly document: unknown } | null> {
  try {
    const response = await api.fetch(address, {
      ...init,
      headers: {
        accept: 'application/json',
        'content-type': 'application/json',
        'user-agent': 'airlock',
        ...apiVersionHeader,
        ...init.headers,
      },
      redirect: 'manual',
      signal: AbortSignal.timeout(bounds.deadlineMs),
    });
    const body = await readBody(response, bounds);
    if (body.kind !== 'bytes') return null;
    return { status: response.status, document: parseJson(utf8Of(body.bytes) ?? '') };
  } catch {
    return null;
  }
}
