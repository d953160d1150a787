/**
 * Mints the App's JWT and installation tokens. A token is narrowed to one repository and one purpose; only
 * the listing token covers an installation, and can only name its repositories. Its task's ledger holds it,
 * sealed, until GitHub has revoked it, so that another isolate can revoke it after a crash.
 */
import { createAppAuth } from '@octokit/auth-app';
import * as z from 'zod';
import { appSlug, botLogin } from './bot-login.ts';
import { githubClient, GithubRefusal, type GithubApi } from './client.ts';
import { pkcs8Pem, PrivateKeyError } from './private-key.ts';
import { memoryLedger, type TokenLedger } from './token-ledger.ts';
import { createTokenSeal } from './token-seal.ts';
import { withDeadline } from '../lib/with-deadline.ts';

/** The permission sets in use. There are few, because each mint costs a round trip. */
export const purposes = {
  /** Clones, branches, repository facts and permissions (every token includes `metadata: read`). */
  read: { contents: 'read' },
  /** Writes the sticky comment and reactions, and reads the conversation. */
  conversation: { issues: 'write' },
  pullRequestConversation: { pull_requests: 'write' },
  /** Reads a pull request's state before work on its branch begins. */
  pullRequests: { pull_requests: 'read' },
  /** What continuous integration reports. One each, because an older App may lack some of them. */
  checks: { checks: 'read' },
  statuses: { statuses: 'read' },
  /** Jobs and their logs. */
  actions: { actions: 'read' },
  /** Packages of GitHub's registries, for setup. Only if the App may read packages. */
  packages: { packages: 'read' },
  /** Objects, branches, pull requests, reviewers, and comments, for which GitHub accepts `pull_requests`. */
  publish: { contents: 'write', pull_requests: 'write' },
  /** Teams as reviewers. Only if the App may read the organization's members. */
  teamReviews: { pull_requests: 'write', members: 'read' },
  /** Check runs, and which commits and branches need one. Only if the App may write checks. */
  receipt: { checks: 'write', contents: 'read', pull_requests: 'read' },
} as const satisfies Record<string, Permissions>;

export type Permissions = Readonly<Record<string, 'read' | 'write'>>;

export interface TokenScope {
  /** The task that the token belongs to, or another key of those who share it. */
  readonly taskId: string;
  readonly installationId: number;
  readonly repositoryId: number;
  readonly permissions: Permissions;
}

export interface AppTokens {
  readonly appId: number;
  /** Signs a new JWT at each call, valid for ten minutes. */
  appJwt(): Promise<string>;
  /** Valid for at least five more minutes. Concurrent callers of the same scope share one mint. */
  tokenFor(scope: TokenScope): Promise<string>;
  /** GitHub's document of a repository known by name, null if not installed there; caches a `read` token. */
  repositoryByName(wanted: {
    taskId: string;
    installationId: number;
    owner: string;
    name: string;
  }): Promise<LocatedRepository | null>;
  /** Drops a token that GitHub no longer accepts, so that the next call mints another. */
  drop(scope: TokenScope): void;
  /** Lends a token that can list an installation's repositories but not read them, and revokes it. */
  withListingToken<T>(installationId: number, use: (token: string) => Promise<T>): Promise<T>;
  /** Lends a token that no task keeps, and revokes it. */
  lend<T>(scope: Omit<TokenScope, 'taskId'>, use: (token: string) => Promise<T>): Promise<T>;
  /** Revokes the task's tokens, another isolate's too, in at most five seconds. Never throws. */
  forget(taskId: string): Promise<void>;
  /** Returns the App's slug, which GitHub is asked for each time. */
  slug(): Promise<string>;
  /** Returns the login of the App's account. Asks GitHub once per process. */
  readonly bot: () => Promise<string>;
}

/** What is read of a repository's document. */
export const locatedSchema = z.object({
  id: z.number().int().positive(),
  name: z.string(),
  owner: z.object({ login: z.string() }),
  default_branch: z.string(),
  private: z.boolean(),
});
export type LocatedRepository = z.infer<typeof locatedSchema>;

const renewBeforeMs = 5 * 60_000;
/** Longer than a mint takes. One that has not ended by then never will: its request went away, in workerd. */
const mintMs = 30_000;
const revokeWithinMs = 5000;

const mintedSchema = z.object({
  token: z.string().min(1),
  expires_at: z.iso.datetime({ offset: true }),
  repositories: z.array(z.unknown()).optional(),
});

/** The only permission set that is not narrowed to a repository. */
const listing: Permissions = { metadata: 'read' };

interface Held {
  readonly taskId: string;
  readonly token: Promise<string>;
  /** Milliseconds since the epoch, like `expiresAt`. */
  readonly begunAt: number;
  /** Null during the mint. */
  expiresAt: number | null;
}

/** @throws PrivateKeyError at once if the key is malformed. */
export function createAppTokens(
  deps: GithubApi & {
    readonly appId: number;
    readonly privateKey: string;
    readonly now: () => number;
    /** In memory by default: then a crash leaves tokens that nobody revokes. */
    readonly ledger?: TokenLedger;
  },
): AppTokens {
  const pem = pkcs8Pem(deps.privateKey);
  const auth = createAppAuth({ appId: deps.appId, privateKey: pem });
  const seal = createTokenSeal(pem);
  const ledger = deps.ledger ?? memoryLedger();
  const held = new Map<string, Held>();
  let bot: string | null = null;

  async function appJwt(): Promise<string> {
    try {
      return (await auth({ type: 'app' })).token;
    } catch (cause) {
      throw new PrivateKeyError(
        'GITHUB_APP_PRIVATE_KEY cannot sign. Copy the whole RSA key that GitHub generated for the App.',
        { cause },
      );
    }
  }
  const asApp = githubClient(deps, appJwt);

  // Bypasses the auth library, whose cache would give one task's token to another task of the same
  // repository.
  async function mint(
    installationId: number,
    narrowing: { repository_ids: number[] } | { repositories: string[] } | Record<string, never>,
    permissions: Permissions,
  ): Promise<z.infer<typeof mintedSchema>> {
    const { data } = await asApp.request('POST /app/installations/{installation_id}/access_tokens', {
      installation_id: installationId,
      ...narrowing,
      permissions: { ...permissions },
    });
    return mintedSchema.parse(data);
  }

  /** Mints a token of a task and remembers it. A token that cannot be remembered is not used. */
  async function mintFor(
    taskId: string,
    ...how: Parameters<typeof mint>
  ): Promise<z.infer<typeof mintedSchema>> {
    const minted = await mint(...how);
    try {
      const sealed = await seal.seal(minted.token, taskId);
      await ledger.remember(taskId, sealed, Date.parse(minted.expires_at));
    } catch (error) {
      await revoke(minted.token);
      throw error;
    }
    return minted;
  }

  /** Returns whether GitHub no longer accepts the token. Never throws. */
  async function revoke(token: string): Promise<boolean> {
    const client = githubClient({ ...deps, timeoutMs: revokeWithinMs }, () => Promise.resolve(token));
    return await client.request('DELETE /installation/token').then(
      () => true,
      (error: unknown) => error instanceof GithubRefusal && error.status === 401,
    );
  }

  async function lendMinted<T>(
    { token }: z.infer<typeof mintedSchema>,
    use: (token: string) => Promise<T>,
  ): Promise<T> {
    try {
      return await use(token);
    } finally {
      if (!(await revoke(token))) await revoke(token);
    }
  }

  /** Otherwise mints one for all concurrent callers. */
  async function sharedMint(
    key: string,
    taskId: string,
    minting: () => Promise<z.infer<typeof mintedSchema>>,
  ): Promise<string> {
    const found = held.get(key);
    if (found !== undefined) {
      const { begunAt, expiresAt } = found;
      const now = deps.now();
      if (expiresAt === null ? now - begunAt < mintMs : expiresAt - now > renewBeforeMs)
        return await found.token;
    }
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const entry: Held = { taskId, token: promise, begunAt: deps.now(), expiresAt: null };
    held.set(key, entry);
    minting().then(
      (minted) => {
        entry.expiresAt = Date.parse(minted.expires_at);
        resolve(minted.token);
      },
      (error: unknown) => {
        // Do not cache a failure: the next call tries again.
        if (held.get(key) === entry) held.delete(key);
        reject(error);
      },
    );
    return await promise;
  }

  return {
    appId: deps.appId,
    appJwt,

    async tokenFor(scope) {
      const { taskId, installationId, repositoryId, permissions } = scope;
      return await sharedMint(
        keyOf(scope),
        taskId,
        async () => await mintFor(taskId, installationId, { repository_ids: [repositoryId] }, permissions),
      );
    },

    async withListingToken(installationId, use) {
      return await lendMinted(await mint(installationId, {}, listing), use);
    },

    async lend({ installationId, repositoryId, permissions }, use) {
      return await lendMinted(
        await mint(installationId, { repository_ids: [repositoryId] }, permissions),
        use,
      );
    },

    async repositoryByName({ taskId, installationId, owner, name }) {
      const narrowed = { repositories: [name] };
      const minted = await mintFor(taskId, installationId, narrowed, purposes.read).catch(
        (error: unknown) => {
          // 422: the installation has no repository with that name.
          if (error instanceof GithubRefusal && (error.status === 422 || error.status === 404)) return null;
          throw error;
        },
      );
      if (minted === null) return null;
      const token = Promise.resolve(minted.token);
      // A narrowed mint usually answers with its repositories. Ask again if this server does not.
      const document =
        minted.repositories?.[0] ??
        (
          await githubClient(deps, async () => await token).request('GET /repos/{owner}/{repo}', {
            owner,
            repo: name,
          })
        ).data;
      const located = locatedSchema.parse(document);
      if (located.owner.login.toLowerCase() !== owner.toLowerCase()) return null;
      const scope = { taskId, installationId, repositoryId: located.id, permissions: purposes.read };
      const expiresAt = Date.parse(minted.expires_at);
      held.set(keyOf(scope), { taskId, token, begunAt: deps.now(), expiresAt });
      return located;
    },

    drop(scope) {
      held.delete(keyOf(scope));
    },

    async forget(taskId) {
      for (const [key, entry] of held) if (entry.taskId === taskId) held.delete(key);
      const revokeSealed = async (sealed: string): Promise<void> => {
        const token = await seal.open(sealed, taskId);
        // What was sealed under a key that has been replaced since cannot be revoked any more.
        if (token === null || (await revoke(token))) await ledger.forget(taskId, sealed);
      };
      const work = async () => await Promise.all((await ledger.live(taskId)).map(revokeSealed));
      await withDeadline(work(), revokeWithinMs, 'revoking tokens').catch(() => undefined);
    },

    slug: async () => await appSlug(asApp),

    async bot() {
      bot ??= await botLogin(asApp);
      return bot;
    },
  };
}

function keyOf({ taskId, installationId, repositoryId, permissions }: TokenScope): string {
  const sorted = Object.entries(permissions).toSorted(([one], [other]) => one.localeCompare(other));
  return JSON.stringify([taskId, installationId, repositoryId, sorted]);
}
