/**
 * Who is calling and whether they may: the one place that decides access, for REST and for git alike.
 * Stricter than GitHub in one point: on a public repository that a token names, a missing read permission refuses.
 */
import type { KeyObject } from 'node:crypto';
import { verifyAppJwt } from './app-jwt.ts';
import type { PermissionLevel } from './contract.ts';
import { covers, reachable, type InstallationToken, type TokenStore } from './installation-tokens.ts';
import type { Repository } from './store.ts';

export type Caller =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'app' }
  | { readonly kind: 'installation'; readonly token: InstallationToken }
  | { readonly kind: 'refused'; readonly status: 401 | 404; readonly message: string };

export interface Identities {
  readonly tokens: TokenStore;
  readonly app: { readonly id: number; readonly key: KeyObject };
}

/** Reads an `Authorization` header: `Bearer`, `token` or Basic with the token as password. */
export function identify(authorization: string | undefined, identities: Identities, now: number): Caller {
  if (authorization === undefined || authorization === '') return { kind: 'anonymous' };
  const [, scheme = '', value = ''] = /^(\S+) +(\S+)$/.exec(authorization) ?? [];
  const credential = scheme.toLowerCase() === 'basic' ? basicPassword(value) : value;
  if (credential.split('.').length === 3) {
    const verdict = verifyAppJwt(credential, identities.app, Math.floor(now / 1000));
    return verdict.kind === 'valid' ? { kind: 'app' } : verdict;
  }
  const token = identities.tokens.find(credential, now);
  return token === null
    ? { kind: 'refused', status: 401, message: 'Bad credentials' }
    : { kind: 'installation', token };
}

/** What an operation needs: any one of the permissions at the level. */
export interface Need {
  readonly anyOf: readonly string[];
  readonly level: PermissionLevel;
}
export type Access =
  | { readonly kind: 'allowed'; readonly repository: Repository }
  /** As if it did not exist. */
  | { readonly kind: 'hidden' }
  | { readonly kind: 'unauthenticated'; readonly message: string }
  | { readonly kind: 'forbidden' };

export function decideAccess(caller: Caller, repository: Repository | null, need: Need): Access {
  if (caller.kind === 'refused') return { kind: 'unauthenticated', message: caller.message };
  if (repository === null) return { kind: 'hidden' };
  // An App JWT is for /app only, whatever it names elsewhere.
  if (caller.kind === 'app') return { kind: 'forbidden' };
  const publicRead = !repository.private && need.level === 'read';
  if (caller.kind === 'anonymous') {
    if (publicRead) return { kind: 'allowed', repository };
    return repository.private
      ? { kind: 'hidden' }
      : { kind: 'unauthenticated', message: 'Requires authentication' };
  }
  if (!reachable(caller.token).includes(repository)) {
    if (publicRead) return { kind: 'allowed', repository };
    return repository.private ? { kind: 'hidden' } : { kind: 'forbidden' };
  }
  const held = need.anyOf.some((name) => covers(caller.token.permissions, name, need.level));
  return held ? { kind: 'allowed', repository } : { kind: 'forbidden' };
}

function basicPassword(value: string): string {
  const decoded = Buffer.from(value, 'base64').toString();
  return decoded.slice(decoded.indexOf(':') + 1);
}
