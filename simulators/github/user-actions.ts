/** Open an issue, comment, edit, label, push. Each sends its webhook and waits for the answer. */
import { commitFiles } from './commit-files.ts';
import { labeled, sendEvent } from './events.ts';
import type {
  BranchMove,
  CommentEdit,
  Delivery,
  IssueLabelling,
  NewComment,
  NewIssue,
  NewRuleset,
  RepositoryName,
} from './contract.ts';
import { noreplyAddress } from './documents/commit-document.ts';
import { rulesetFor } from './rulesets.ts';
import { editComment, findComment, timestamp, type Issue, type Repository } from './store.ts';
import type { Site } from './site.ts';

export function requireRepository(site: Site, { owner, name }: RepositoryName): Repository {
  const repository = site.store.repository(owner, name);
  if (repository === null) throw new Error(`no repository ${owner}/${name}`);
  return repository;
}

function requireIssue(repository: Repository, number: number): Issue {
  const issue = repository.issues.get(number);
  if (issue === undefined)
    throw new Error(`no issue ${number} in ${repository.owner.login}/${repository.name}`);
  return issue;
}

/** Throws if no webhook was sent, so that a test that expects one fails at once. */
export function requireDelivery(delivery: Delivery | null): Delivery {
  if (delivery === null)
    throw new Error('no webhook was sent: the App is not installed here, or does not subscribe to the event');
  return delivery;
}

export function addRuleset(site: Site, wanted: NewRuleset): { id: number } {
  const repository = requireRepository(site, wanted);
  const id = site.store.nextId();
  repository.rulesets = [...repository.rulesets, rulesetFor(wanted, id, timestamp())];
  return { id };
}

export async function openIssue(
  site: Site,
  wanted: NewIssue,
): Promise<{ id: number; number: number; delivery: Delivery; labelDeliveries: readonly Delivery[] }> {
  const repository = requireRepository(site, wanted);
  const user = site.store.user(wanted.author);
  const { title, body, labels } = wanted;
  const issue = site.store.addIssue(repository, { user, title, body, labels: labels ?? [], byApp: false });
  const delivery = requireDelivery(await sendEvent(site, repository, user, { kind: 'issues.opened', issue }));
  const labelDeliveries: Delivery[] = [];
  for (const label of issue.labels)
    labelDeliveries.push(
      requireDelivery(await sendEvent(site, repository, user, { kind: 'issues.labeled', issue, label })),
    );
  return { id: issue.id, number: issue.number, delivery, labelDeliveries };
}

export async function commentOnIssue(
  site: Site,
  wanted: NewComment,
): Promise<{ id: number; delivery: Delivery }> {
  const repository = requireRepository(site, wanted);
  const issue = requireIssue(repository, wanted.issue);
  const user = site.store.user(wanted.author, wanted.authorType ?? 'User');
  const comment = site.store.addComment(issue, { user, body: wanted.body, byApp: false });
  const delivery = await sendEvent(site, repository, user, { kind: 'issue_comment.created', issue, comment });
  return { id: comment.id, delivery: requireDelivery(delivery) };
}

export async function editExistingComment(site: Site, wanted: CommentEdit): Promise<{ delivery: Delivery }> {
  const repository = requireRepository(site, wanted);
  const found = findComment(repository, wanted.comment);
  if (found === null) throw new Error(`no comment ${wanted.comment}`);
  const actor = wanted.actor === undefined ? found.comment.user : site.store.user(wanted.actor);
  const previousBody = found.comment.body;
  editComment(found.comment, wanted.body);
  const delivery = await sendEvent(site, repository, actor, {
    kind: 'issue_comment.edited',
    ...found,
    previousBody,
  });
  return { delivery: requireDelivery(delivery) };
}

export async function labelIssue(site: Site, wanted: IssueLabelling): Promise<{ delivery: Delivery }> {
  const repository = requireRepository(site, wanted);
  const issue = requireIssue(repository, wanted.issue);
  const label = site.store.label(repository, wanted.label);
  if (!issue.labels.includes(label)) issue.labels.push(label);
  issue.updatedAt = timestamp();
  const actor = site.store.user(wanted.actor);
  return { delivery: requireDelivery(await sendEvent(site, repository, actor, labeled(issue, label))) };
}

export function lock(site: Site, of: RepositoryName & { number: number }): void {
  requireIssue(requireRepository(site, of), of.number).locked = true;
}

export async function moveBranch(site: Site, move: BranchMove): Promise<{ sha: string }> {
  const repository = requireRepository(site, move);
  const from = await repository.git.headOf(move.branch);
  if (from === null) throw new Error(`no branch ${move.branch}`);
  const user = site.store.user(move.author ?? repository.owner.login);
  const sha = await commitFiles(repository.git, {
    branch: move.branch,
    from,
    files: move.files,
    message: move.message ?? 'Move the branch\n',
    author: { name: user.login, email: noreplyAddress(user), date: timestamp() },
  });
  return { sha };
}
