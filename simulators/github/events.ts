/** The webhook payloads of issues and comments, as GitHub sends them to an installed App. */
import { nodeId, userDocument, type Json } from './documents/account-document.ts';
import { commentDocument, issueDocument, labelDocument } from './documents/issue-document.ts';
import { repositoryDocument } from './documents/repository-document.ts';
import type { Delivery } from './contract.ts';
import type { Comment, Issue, Label, Repository, User } from './store.ts';
import type { Site } from './site.ts';

export type RepositoryEvent =
  | { readonly kind: 'issues.opened'; readonly issue: Issue }
  | { readonly kind: 'issues.labeled'; readonly issue: Issue; readonly label: Label }
  | { readonly kind: 'issue_comment.created'; readonly issue: Issue; readonly comment: Comment }
  | {
      readonly kind: 'issue_comment.edited';
      readonly issue: Issue;
      readonly comment: Comment;
      readonly previousBody: string;
    }
  | { readonly kind: 'issue_comment.deleted'; readonly issue: Issue; readonly comment: Comment };

/** Sends and waits for the answer. A repository without an installation has no webhooks: then null. */
export async function announce(
  site: Site,
  repository: Repository,
  sender: User,
  happened: RepositoryEvent,
): Promise<Delivery | null> {
  const prepared = prepare(site, repository, sender, happened);
  return prepared === null ? null : site.webhooks.send(prepared.event, prepared.action, prepared.payload);
}

/** Sends in the background: for what a REST call caused. */
export function announceLater(
  site: Site,
  repository: Repository,
  sender: User,
  happened: RepositoryEvent,
): void {
  const prepared = prepare(site, repository, sender, happened);
  if (prepared !== null) site.webhooks.post(prepared.event, prepared.action, prepared.payload);
}

function prepare(
  site: Site,
  repository: Repository,
  sender: User,
  happened: RepositoryEvent,
): { event: string; action: string; payload: Json } | null {
  const installation = site.store.installationOf(repository);
  if (installation === null) return null;
  const [event = '', action = ''] = happened.kind.split('.');
  const payload = {
    ...subject(site, repository, happened),
    repository: repositoryDocument(site, repository),
    organization: organization(site, repository.owner),
    sender: userDocument(site, sender),
    installation: {
      id: installation.id,
      node_id: nodeId('IntegrationInstallation', installation.id),
    },
  };
  return { event, action, payload };
}

function subject(site: Site, repository: Repository, happened: RepositoryEvent): Json {
  const issue = issueDocument(site, repository, happened.issue);
  if (happened.kind === 'issues.opened') return { issue };
  if (happened.kind === 'issues.labeled')
    return { issue, label: labelDocument(site, repository, happened.label) };
  const comment = commentDocument(site, repository, happened.issue, happened.comment);
  return happened.kind === 'issue_comment.edited'
    ? { changes: { body: { from: happened.previousBody } }, issue, comment }
    : { issue, comment };
}

function organization(site: Site, owner: User): Json {
  const url = `${site.apiUrl}/orgs/${owner.login}`;
  return {
    login: owner.login,
    id: owner.id,
    node_id: nodeId('Organization', owner.id),
    url,
    repos_url: `${url}/repos`,
    events_url: `${url}/events`,
    hooks_url: `${url}/hooks`,
    issues_url: `${url}/issues`,
    members_url: `${url}/members{/member}`,
    public_members_url: `${url}/public_members{/member}`,
    avatar_url: `${site.url}/avatars/u/${owner.id}`,
    description: null,
  };
}
