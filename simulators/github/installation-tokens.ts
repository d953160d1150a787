/** Issues narrowed installation tokens, and finds valid ones. Callers authenticate the App. */
import { randomBytes } from 'node:crypto';
import type { PermissionLevel, Permissions } from './contract.ts';
import type { Installation, Repository } from './store.ts';

/** The lifetime of an installation token on GitHub, in ms. */
const lifetimeMs = 60 * 60 * 1000;

export interface InstallationToken {
  readonly token: string;
  readonly installation: Installation;
  readonly permissions: Permissions;
  /** null: all repositories of the installation, including those added later. */
  readonly narrowedTo: readonly Repository[] | null;
  readonly createdAt: number;
  readonly expiresAt: number;
  revoked: boolean;
  /** A request came with it. */
  used: boolean;
}

export interface TokenRequest {
  readonly repositories: readonly string[] | undefined;
  readonly repositoryIds: readonly number[] | undefined;
  readonly permissions: Permissions | undefined;
}
export type MintResult =
  | { readonly kind: 'minted'; readonly token: InstallationToken }
  | { readonly kind: 'refused'; readonly message: string };

const rank: Readonly<Record<PermissionLevel, number>> = { read: 1, write: 2 };

export function covers(permissions: Permissions, name: string, level: PermissionLevel): boolean {
  const held = permissions[name];
  return held !== undefined && rank[held] >= rank[level];
}

export class TokenStore {
  private readonly tokens = new Map<string, InstallationToken>();
  private granted: Permissions;

  constructor(granted: Permissions) {
    this.granted = { ...granted, metadata: 'read' };
  }

  /** Replaces the permissions that later tokens can have. */
  grant(granted: Permissions): void {
    this.granted = { ...granted, metadata: 'read' };
  }

  get permissions(): Permissions {
    return this.granted;
  }

  all(): readonly InstallationToken[] {
    return [...this.tokens.values()];
  }

  mint(installation: Installation, request: TokenRequest, now: number): MintResult {
    const wanted = Object.entries(request.permissions ?? this.granted);
    if (wanted.some(([name, level]) => !covers(this.granted, name, level)))
      return { kind: 'refused', message: 'The permissions requested are not granted to this installation.' };
    const narrowedTo = narrow(installation, request);
    if (narrowedTo === 'inaccessible') {
      const message =
        'There is at least one repository that does not exist or is not accessible to the parent installation.';
      return { kind: 'refused', message };
    }
    const token: InstallationToken = {
      token: `ghs_${randomBytes(40).toString('base64url').replaceAll(/[-_]/g, '0').slice(0, 36)}`,
      installation,
      permissions: { ...Object.fromEntries(wanted), metadata: 'read' },
      narrowedTo,
      createdAt: now,
      expiresAt: now + lifetimeMs,
      revoked: false,
      used: false,
    };
    this.tokens.set(token.token, token);
    return { kind: 'minted', token };
  }

  /** Finds a valid token; null if it is unknown, expired or revoked. `now` is in ms. */
  find(token: string, now: number): InstallationToken | null {
    const found = this.tokens.get(token);
    if (found === undefined || found.revoked || found.expiresAt <= now) return null;
    found.used = true;
    return found;
  }
}

export function repositoriesOf(token: InstallationToken): readonly Repository[] {
  return token.narrowedTo ?? token.installation.repositories;
}

function narrow(
  installation: Installation,
  request: TokenRequest,
): readonly Repository[] | null | 'inaccessible' {
  const { repositories, repositoryIds } = request;
  if (repositories === undefined && repositoryIds === undefined) return null;
  const named = (repositories ?? []).map((name) =>
    installation.repositories.find((one) => one.name.toLowerCase() === name.toLowerCase()),
  );
  const numbered = (repositoryIds ?? []).map((id) => installation.repositories.find((one) => one.id === id));
  const found = [...named, ...numbered].filter((one) => one !== undefined);
  if (found.length !== named.length + numbered.length) return 'inaccessible';
  return [...new Set(found)];
}
