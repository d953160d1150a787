/** Decides access, for REST and git. Stricter than GitHub: public repositories need a permission too. */
import type { KeyObject } from 'node:crypto';
import { verifyAppJwt } from './app-jwt.ts';
import type { PermissionLevel } from './contract.ts';
import { covers, repositoriesOf, type InstallationToken, type TokenStore } from './installation-tokens.ts';
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

/** `Bearer`, `token`, or Basic with the token as password. `now` in ms. */
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

/** The permission that an operation requires: any one of the names, at this level. */
export interface RequiredPermission {
  readonly anyOf: readonly string[];
  readonly level: PermissionLevel;
}
export type Access =
  | { readonly kind: 'allowed'; readonly repository: Repository }
  /** Answered as if the repository did not exist. */
  | { readonly kind: 'hidden' }
  | { readonly kind: 'unauthenticated'; readonly message: string }
  | { readonly kind: 'forbidden' };

export function decideAccess(
  caller: Caller,
  repository: Repository | null,
  need: RequiredPermission,
): Access {
  if (caller.kind === 'refused') return { kind: 'unauthenticated', message: caller.message };
  if (repository === null) return { kind: 'hidden' };
  // GitHub accepts an App JWT only for the App's own endpoints.
  if (caller.kind === 'app') return { kind: 'forbidden' };
  const publicRead = !repository.private && need.level === 'read';
  if (caller.kind === 'anonymous') {
    if (publicRead) return { kind: 'allowed', repository };
    return repository.private
      ? { kind: 'hidden' }
      : { kind: 'unauthenticated', message: 'Requires authentication' };
  }
  if (!repositoriesOf(caller.token).includes(repository)) {
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
