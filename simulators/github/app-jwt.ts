/** Verifies an App's JWT as GitHub does: RS256, issuer, ten minutes. The messages are GitHub's. */
import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { parseJson } from '../../src/lib/parse-json.ts';

export type JwtVerdict =
  | { readonly kind: 'valid' }
  | { readonly kind: 'refused'; readonly status: 401 | 404; readonly message: string };

/** GitHub refuses an `exp` more than ten minutes ahead. The slack allows for clock skew. Both in seconds. */
const longestLifeS = 600;
const clockSlackS = 5;

const headerSchema = z.object({ alg: z.literal('RS256') });
const claimsSchema = z.object({
  iss: z.union([z.string(), z.number()]).optional(),
  iat: z.unknown().optional(),
  exp: z.unknown().optional(),
});

const refuse = (message: string, status: 401 | 404 = 401): JwtVerdict => ({
  kind: 'refused',
  status,
  message,
});
const undecodable = refuse('A JSON web token could not be decoded');

export function publicKey(pem: string): KeyObject {
  return createPublicKey(pem);
}

/** Verifies signature and claims. `nowS` is in seconds since the epoch. */
export function verifyAppJwt(
  jwt: string,
  app: { readonly id: number; readonly key: KeyObject },
  nowS: number,
): JwtVerdict {
  const [head = '', body = '', signature = '', ...rest] = jwt.split('.');
  if (rest.length > 0) return undecodable;
  const header = headerSchema.safeParse(decodePart(head));
  const claims = claimsSchema.safeParse(decodePart(body));
  if (!header.success || !claims.success) return undecodable;
  if (!verify('RSA-SHA256', Buffer.from(`${head}.${body}`), app.key, Buffer.from(signature, 'base64url')))
    return undecodable;
  const { iss, iat, exp } = claims.data;
  if (iss === undefined) return refuse("Missing 'issuer' claim ('iss')");
  if (String(iss) !== String(app.id)) return refuse('Integration not found', 404);
  if (typeof exp !== 'number' || exp <= nowS)
    return refuse(
      "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
    );
  if (exp > nowS + longestLifeS + clockSlackS)
    return refuse("'Expiration time' claim ('exp') is too far in the future");
  if (typeof iat !== 'number' || iat > nowS + clockSlackS)
    return refuse(
      "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
    );
  return { kind: 'valid' };
}

/** Undefined when it is not JSON: the caller's schema refuses that. */
const decodePart = (part: string): unknown => parseJson(Buffer.from(part, 'base64url').toString());
