/** Builds and sends the webhooks for issues and comments. */
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

/** Sends a webhook and waits for the answer. Returns null if the App is not installed on the repository. */
export async function sendEvent(
  site: Site,
  repository: Repository,
  sender: User,
  event: RepositoryEvent,
): Promise<Delivery | null> {
  const prepared = prepare(site, repository, sender, event);
  return prepared === null ? null : site.webhooks.send(prepared.event, prepared.action, prepared.payload);
}

/** Sends the webhook for a REST call's effect, without waiting for the answer. */
export function sendEventInBackground(
  site: Site,
  repository: Repository,
  sender: User,
  event: RepositoryEvent,
): void {
  const prepared = prepare(site, repository, sender, event);
  if (prepared !== null) site.webhooks.post(prepared.event, prepared.action, prepared.payload);
}

function prepare(
  site: Site,
  repository: Repository,
  sender: User,
  event: RepositoryEvent,
): { event: string; action: string; payload: Json } | null {
  const installation = site.store.installationOf(repository);
  if (installation === null) return null;
  const [name = '', action = ''] = event.kind.split('.');
  const payload = {
    ...subject(site, repository, event),
    repository: repositoryDocument(site, repository),
    organization: organization(site, repository.owner),
    sender: userDocument(site, sender),
    installation: {
      id: installation.id,
      node_id: nodeId('IntegrationInstallation', installation.id),
    },
  };
  return { event: name, action, payload };
}

function subject(site: Site, repository: Repository, event: RepositoryEvent): Json {
  const issue = issueDocument(site, repository, event.issue);
  if (event.kind === 'issues.opened') return { issue };
  if (event.kind === 'issues.labeled') return { issue, label: labelDocument(site, repository, event.label) };
  const comment = commentDocument(site, repository, event.issue, event.comment);
  return event.kind === 'issue_comment.edited'
    ? { changes: { body: { from: event.previousBody } }, issue, comment }
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
