/**
 * Who we are to GitHub: the App's JWT and installation tokens, each narrowed to one repository and to the permissions
 * of one purpose; one kind is for all of an installation's repositories, and can only name them. Tokens live in memory
 * only, belong to one task, and are revoked when it ends.
 * Decides nothing about who may ask for one.
 */
import { createAppAuth } from '@octokit/auth-app';
import * as z from 'zod';
import { githubClient, GithubRefusal, unlessMissing, type GithubApi, type GithubClient } from './client.ts';
import { pkcs8Pem, PrivateKeyError } from './private-key.ts';

/** The sets that are used. Each mint is a round trip, so there are few. */
export const purposes = {
  /** Clone, branch heads, repository facts and collaborators' permissions (`metadata: read` comes with every token). */
  read: { contents: 'read' },
  /** The sticky comment, reactions and reading the conversation; the second when it is a pull request's. */
  conversation: { issues: 'write' },
  pullRequestConversation: { pull_requests: 'write' },
  /** A pull request's state, before work on its branch begins. */
  pullRequests: { pull_requests: 'read' },
  /**
   * Objects and branches; pull requests, their reviewers, and comments on them, for which GitHub takes `pull_requests`
   * in place of `issues`. Nothing less does: one token opens a pull request and another adds to it by the same calls.
   */
  publish: { contents: 'write', pull_requests: 'write' },
} as const satisfies Record<string, Permissions>;

export type Permissions = Readonly<Record<string, 'read' | 'write'>>;

export interface TokenScope {
  /** The task that the token belongs to, or another name for what shares it. */
  readonly taskId: string;
  readonly installationId: number;
  readonly repositoryId: number;
  readonly permissions: Permissions;
}

export interface AppTokens {
  readonly appId: number;
  /** Signed anew at each call, valid for ten minutes. */
  appJwt(): Promise<string>;
  /** A token of at least five more minutes. Concurrent callers of the same scope share one mint. */
  tokenFor(scope: TokenScope): Promise<string>;
  /**
   * GitHub's document of a repository that is known by name only, and with it a `read` token for it, kept as if by
   * `tokenFor`. null when the installation does not reach such a repository.
   */
  repositoryByName(wanted: {
    taskId: string;
    installationId: number;
    owner: string;
    name: string;
  }): Promise<LocatedRepository | null>;
  /** Drops a token that GitHub no longer takes, so that the next call mints another. */
  drop(scope: TokenScope): void;
  /** A token that names the repositories of an installation (`metadata: read`) and opens none. Shared, expires by itself. */
  listingToken(installationId: number): Promise<string>;
  dropListing(installationId: number): void;
  /** Revokes and drops all tokens of a task. Best effort, at most five seconds; never throws. */
  forget(taskId: string): Promise<void>;
  /** The App's account as commits name it. Asked once in a process. */
  bot(client: GithubClient): Promise<BotIdentity>;
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

export interface BotIdentity {
  /** `slug[bot]` */
  readonly name: string;
  readonly email: string;
}

const renewBeforeMs = 5 * 60_000;
const revokeWithinMs = 5000;

const mintedSchema = z.object({
  token: z.string().min(1),
  expires_at: z.iso.datetime({ offset: true }),
  repositories: z.array(z.unknown()).optional(),
});

/** The one set that may go without a repository. */
const listing: Permissions = { metadata: 'read' };

interface Held {
  readonly taskId: string;
  readonly token: Promise<string>;
  /** Milliseconds since the epoch; null while the mint is under way. */
  expiresAt: number | null;
}

/**
 * @throws PrivateKeyError at once when the key cannot be one.
 */
export function createAppTokens(
  deps: GithubApi & { readonly appId: number; readonly privateKey: string; readonly now: () => number },
): AppTokens {
  const auth = createAppAuth({ appId: deps.appId, privateKey: pkcs8Pem(deps.privateKey) });
  const held = new Map<string, Held>();
  let bot: Promise<BotIdentity> | null = null;

  async function appJwt(): Promise<string> {
    try {
      return (await auth({ type: 'app' })).token;
    } catch (cause) {
      throw new PrivateKeyError(
        'GITHUB_APP_PRIVATE_KEY cannot be used to sign: is it the RSA key that GitHub gave you?',
        { cause },
      );
    }
  }
  const asApp = githubClient(deps, appJwt);

  // Not through the auth library: its cache would hand one task's token to another task of the same repository.
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

  /** What is held under the key while it is good for five more minutes; otherwise one mint, whoever asks meanwhile. */
  async function sharedMint(
    key: string,
    taskId: string,
    minting: () => Promise<z.infer<typeof mintedSchema>>,
  ): Promise<string> {
    const found = held.get(key);
    if (found !== undefined && (found.expiresAt === null || found.expiresAt - deps.now() > renewBeforeMs)) {
      return await found.token;
    }
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const entry: Held = { taskId, token: promise, expiresAt: null };
    held.set(key, entry);
    minting().then(
      (minted) => {
        entry.expiresAt = Date.parse(minted.expires_at);
        resolve(minted.token);
      },
      (error: unknown) => {
        // A failure is not kept: the next caller tries again.
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
        async () => await mint(installationId, { repository_ids: [repositoryId] }, permissions),
      );
    },

    async listingToken(installationId) {
      return await sharedMint(
        listingKey(installationId),
        '*',
        async () => await mint(installationId, {}, listing),
      );
    },

    dropListing(installationId) {
      held.delete(listingKey(installationId));
    },

    async repositoryByName({ taskId, installationId, owner, name }) {
      const minted = await mint(installationId, { repositories: [name] }, purposes.read).catch(
        (error: unknown) => {
          // 422: the installation has no repository of that name.
          if (error instanceof GithubRefusal && (error.status === 422 || error.status === 404)) return null;
          throw error;
        },
      );
      if (minted === null) return null;
      const token = Promise.resolve(minted.token);
      // A narrowed mint answers with what it was narrowed to; a server that does not is asked once more.
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
      held.set(keyOf(scope), { taskId, token, expiresAt: Date.parse(minted.expires_at) });
      return located;
    },

    drop(scope) {
      held.delete(keyOf(scope));
    },

    async forget(taskId) {
      const mine = [...held].filter(([, entry]) => entry.taskId === taskId);
      for (const [key] of mine) held.delete(key);
      const revoking = mine.map(async ([, { token }]) => {
        const value = await token;
        await githubClient({ ...deps, timeoutMs: revokeWithinMs }, () => Promise.resolve(value)).request(
          'DELETE /installation/token',
        );
      });
      const deadline = new Promise((resolve) => setTimeout(resolve, revokeWithinMs));
      // What cannot be revoked expires within the hour.
      await Promise.race([Promise.allSettled(revoking), deadline]);
    },

    async bot(client) {
      bot ??= botIdentity(asApp, client).catch((error: unknown) => {
        bot = null;
        throw error;
      });
      return await bot;
    },
  };
}

function keyOf({ taskId, installationId, repositoryId, permissions }: TokenScope): string {
  const sorted = Object.entries(permissions).toSorted(([one], [other]) => one.localeCompare(other));
  return JSON.stringify([taskId, installationId, repositoryId, sorted]);
}

/** Not a task's id, so that no task's end takes it away. */
function listingKey(installationId: number): string {
  return JSON.stringify(['*', installationId, 'listing']);
}

/** The address that GitHub links to the App's account needs the account's id, which is not the App's. */
async function botIdentity(asApp: GithubClient, client: GithubClient): Promise<BotIdentity> {
  const app = z.object({ slug: z.string().min(1) }).parse((await asApp.request('GET /app')).data);
  const name = `${app.slug}[bot]`;
  const account = await unlessMissing(client.request('GET /users/{username}', { username: name }));
  const id = account === null ? '' : `${z.object({ id: z.number().int() }).parse(account.data).id}+`;
  return { name, email: `${id}${name}@users.noreply.github.com` };
}
