/** Builds GitHub's JSON for users, Apps and installations. */
import type { Installation, User } from '../store.ts';
import type { Site } from '../site.ts';

export type Json = Record<string, unknown>;

export function nodeId(kind: string, id: number | string): string {
  return Buffer.from(`0${kind.length}:${kind}${id}`).toString('base64');
}

export function userDocument(site: Site, user: User): Json {
  const url = `${site.apiUrl}/users/${encodeURIComponent(user.login)}`;
  const page = user.type === 'Bot' ? `apps/${user.login.replace(/\[bot\]$/, '')}` : user.login;
  return {
    login: user.login,
    id: user.id,
    node_id: nodeId(user.type, user.id),
    avatar_url: `${site.url}/avatars/u/${user.id}`,
    gravatar_id: '',
    url,
    html_url: `${site.url}/${page}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: user.type,
    user_view_type: 'public',
    site_admin: false,
  };
}

/** The document of `GET /users/{username}`: the account with an empty public profile. */
export function publicUserDocument(site: Site, user: User): Json {
  const profile = ['name', 'company', 'blog', 'location', 'email', 'hireable', 'bio'] as const;
  const counts = ['public_repos', 'public_gists', 'followers', 'following'] as const;
  return {
    ...userDocument(site, user),
    ...Object.fromEntries(profile.map((field) => [field, null])),
    ...Object.fromEntries(counts.map((field) => [field, 0])),
    created_at: site.app.createdAt,
    updated_at: site.app.createdAt,
  };
}

export const clientIdOf = (site: Site): string => `Iv1.${String(site.app.id).padStart(16, '0')}`;

/** The App in `GET /app` and `performed_via_github_app`. */
export function appDocument(site: Site): Json {
  return {
    id: site.app.id,
    client_id: clientIdOf(site),
    slug: site.app.slug,
    node_id: nodeId('Integration', site.app.id),
    owner: userDocument(site, site.store.user(site.app.owner, 'Organization')),
    name: site.app.slug,
    description: '',
    external_url: `${site.url}/apps/${site.app.slug}`,
    html_url: `${site.url}/apps/${site.app.slug}`,
    created_at: site.app.createdAt,
    updated_at: site.app.createdAt,
    permissions: { ...site.tokens.permissions },
    events: [...site.app.events],
  };
}

export function installationDocument(site: Site, installation: Installation): Json {
  const url = `${site.apiUrl}/app/installations/${installation.id}`;
  return {
    id: installation.id,
    client_id: clientIdOf(site),
    account: userDocument(site, installation.account),
    repository_selection: 'selected',
    access_tokens_url: `${url}/access_tokens`,
    repositories_url: `${site.apiUrl}/installation/repositories`,
    html_url: `${site.url}/organizations/${installation.account.login}/settings/installations/${installation.id}`,
    app_id: site.app.id,
    app_slug: site.app.slug,
    target_id: installation.account.id,
    target_type: installation.account.type,
    permissions: { ...(installation.accepted ?? site.tokens.permissions) },
    events: [...site.app.events],
    created_at: installation.createdAt,
    updated_at: installation.createdAt,
    single_file_name: null,
    has_multiple_single_files: false,
    single_file_paths: [],
    suspended_by: installation.suspendedAt === null ? null : userDocument(site, installation.account),
    suspended_at: installation.suspendedAt,
  };
}
