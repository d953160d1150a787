/**
 * Sessions in a signed cookie: who looks, until when. A session gives no access by itself: GitHub is asked
 * for each task. The cookie holds no credential.
 */
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { Context } from 'hono';
import * as z from 'zod';
import type { Viewer } from '../../core/access/page-access.ts';
import { randomWord, type Signer } from '../../lib/signer.ts';
import { openSigned } from './signed-json.ts';

const sessionMs = 12 * 60 * 60_000;

const viewerSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('github'), login: z.string(), id: z.number().int().positive() }),
  z.strictObject({ kind: z.literal('operator') }),
]);
const sessionSchema = z.strictObject({
  viewer: viewerSchema,
  until: z.number(),
  /** Random, so that a form's token belongs to one session. */
  nonce: z.string(),
});

export interface Session {
  readonly viewer: Viewer;
  /** For the forms of this session's pages. */
  readonly formToken: string;
}

/** `__Host-` makes browsers refuse the cookie from anywhere but this host over https. */
const nameOf = (isSecure: boolean) => (isSecure ? '__Host-airlock' : 'airlock');

export async function startSession(
  c: Context,
  viewer: Viewer,
  { signer, isSecure, now }: SessionDeps,
): Promise<void> {
  const session = { viewer, until: now + sessionMs, nonce: randomWord() };
  setCookie(c, nameOf(isSecure), await signer.sign('session', JSON.stringify(session)), {
    ...cookieOptions(isSecure),
    maxAge: sessionMs / 1000,
  });
}

/** Null: nobody is signed in, or no longer. */
export async function sessionOf(c: Context, { signer, isSecure, now }: SessionDeps): Promise<Session | null> {
  const untrusted = getCookie(c, nameOf(isSecure)) ?? '';
  const session = await openSigned(signer, 'session', sessionSchema, { untrusted, now });
  if (session === null) return null;
  const { viewer, nonce } = session;
  return { viewer, formToken: await signer.sign('form', nonce) };
}

export function endSession(c: Context, { isSecure }: Pick<SessionDeps, 'isSecure'>): void {
  deleteCookie(c, nameOf(isSecure), cookieOptions(isSecure));
}

export interface SessionDeps {
  readonly signer: Signer;
  /** Whether the person uses https. */
  readonly isSecure: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export const cookieOptions = (secure: boolean) =>
  ({ path: '/', httpOnly: true, sameSite: 'Lax', secure }) as const;

/** A path of ours to return to; `/tasks` for anything that could lead elsewhere. */
export function returnPath(untrusted: string | undefined): string {
  return untrusted !== undefined && /^\/(?:tasks(?:\/outcomes)?|t\/[a-z0-9-]{1,63})$/.test(untrusted)
    ? untrusted
    : '/tasks';
}
