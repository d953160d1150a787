/** Builds and sends the webhooks for issues, pull requests, comments, reviews and buttons of check runs. */
import { nodeId, userDocument, type Json } from './documents/account-document.ts';
import type { CheckRun } from './commit-reports.ts';
import { checkRunDocument } from './documents/check-document.ts';
import { commentDocument, issueDocument, labelDocument } from './documents/issue-document.ts';
import { repositoryDocument } from './documents/repository-document.ts';
import { fullPullDocument, pullDocument } from './documents/pull-document.ts';
import { reviewCommentDocument, reviewDocument } from './documents/review-document.ts';
import type { Delivery } from './contract.ts';
import { covers } from './installation-tokens.ts';
import { pullTotals } from './pull-state.ts';
import type { Comment, Issue, Label, Pull, Repository, Review, ReviewComment, User } from './store.ts';
import type { Prepared } from './webhooks.ts';
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
  | { readonly kind: 'issue_comment.deleted'; readonly issue: Issue; readonly comment: Comment }
  | { readonly kind: 'check_run.requested_action'; readonly run: CheckRun; readonly identifier: string }
  | PullEvent;
type PullEvent = { readonly issue: Issue; readonly pull: Pull } & (
  | { readonly kind: 'pull_request.opened' | 'pull_request.closed' }
  | { readonly kind: 'pull_request.labeled'; readonly label: Label }
  | { readonly kind: 'pull_request_review.submitted'; readonly review: Review }
  | {
      readonly kind: 'pull_request_review_comment.created' | 'pull_request_review_comment.deleted';
      readonly comment: ReviewComment;
    }
  | {
      readonly kind: 'pull_request_review_comment.edited';
      readonly comment: ReviewComment;
      readonly previousBody: string;
    }
);

/** The label's event: a pull request has its own. */
export function labeled(issue: Issue, label: Label): RepositoryEvent {
  const { pull } = issue;
  return pull === null
    ? { kind: 'issues.labeled', issue, label }
    : { kind: 'pull_request.labeled', issue, pull, label };
}

/**
 * Sends a webhook and waits for the answer. Returns null if the App is not installed on the repository, or
 * does not subscribe to the event.
 */
export async function sendEvent(
  site: Site,
  repository: Repository,
  sender: User,
  event: RepositoryEvent,
): Promise<Delivery | null> {
  const prepared = await prepare(site, repository, sender, event);
  return prepared === null ? null : site.webhooks.send(prepared.event, prepared.action, prepared.payload);
}

/** Sends the webhook for a REST call's effect, without waiting for the answer. */
export function sendEventInBackground(
  site: Site,
  repository: Repository,
  sender: User,
  event: RepositoryEvent,
): void {
  site.webhooks.post(async () => await prepare(site, repository, sender, event));
}

async function prepare(
  site: Site,
  repository: Repository,
  sender: User,
  event: RepositoryEvent,
): Promise<Prepared | null> {
  const installation = site.store.installationOf(repository);
  const [name = '', action = ''] = event.kind.split('.');
  // Which comes without a subscription, to Apps that may write checks.
  const isSubscribed = name === 'check_run' ? mayWriteChecks(site) : site.app.events.includes(name);
  if (installation === null || !isSubscribed) return null;
  const payload = {
    ...(await subject(site, repository, event)),
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

async function subject(site: Site, repository: Repository, event: RepositoryEvent): Promise<Json> {
  if ('pull' in event) return await pullSubject(site, repository, event);
  if (event.kind === 'check_run.requested_action')
    return {
      check_run: checkRunDocument(site, repository, event.run),
      requested_action: { identifier: event.identifier },
    };
  const issue = issueDocument(site, repository, event.issue);
  if (event.kind === 'issues.opened') return { issue };
  if (event.kind === 'issues.labeled') return { issue, label: labelDocument(site, repository, event.label) };
  const comment = commentDocument(site, repository, event.issue, event.comment);
  return event.kind === 'issue_comment.edited'
    ? { changes: { body: { from: event.previousBody } }, issue, comment }
    : { issue, comment };
}

async function pullSubject(site: Site, repository: Repository, event: PullEvent): Promise<Json> {
  const { issue, pull } = event;
  switch (event.kind) {
    case 'pull_request.opened':
    case 'pull_request.closed':
    case 'pull_request.labeled': {
      const totals = await pullTotals(repository, pull);
      return {
        number: issue.number,
        pull_request: fullPullDocument(site, repository, issue, pull, totals),
        ...(event.kind === 'pull_request.labeled'
          ? { label: labelDocument(site, repository, event.label) }
          : {}),
      };
    }
    case 'pull_request_review.submitted':
      return {
        pull_request: pullDocument(site, repository, issue, pull),
        review: {
          ...reviewDocument(site, repository, issue, event.review),
          // REST spells both in another way.
          state: event.review.state.toLowerCase(),
          body: event.review.body === '' ? null : event.review.body,
        },
      };
    case 'pull_request_review_comment.created':
    case 'pull_request_review_comment.edited':
    case 'pull_request_review_comment.deleted':
      return {
        pull_request: pullDocument(site, repository, issue, pull),
        comment: await reviewCommentDocument(site, repository, issue, pull, event.comment),
        ...('previousBody' in event ? { changes: { body: { from: event.previousBody } } } : {}),
      };
  }
}

const mayWriteChecks = ({ tokens }: Site): boolean => covers(tokens.permissions, 'checks', 'write');

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
