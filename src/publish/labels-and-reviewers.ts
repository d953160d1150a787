/** Labels a task's new pull request and requests its reviews. Best effort: neither fails the publication. */
import { GithubRefusal, unlessMissing, type GithubClient } from '../github/client.ts';
import type { PullRequest } from '../github/pull-request.ts';
import { isLogin } from '../github/write-permission.ts';
import type { Publishing } from './branches.ts';

export type Log = (event: string, fields: Record<string, unknown>) => void;

export interface Requesting extends Publishing {
  /** May read the organization's teams. A token of its own, because most Apps may not. */
  readonly teamClient: GithubClient;
  readonly log: Log;
}

/**
 * Only if nothing has happened since it was opened: a second request would notify twice. GitHub's times have
 * whole seconds, so what an attempt has done within the same second is looked up.
 */
export async function addLabelsAndReviewers(requesting: Requesting, pull: PullRequest): Promise<void> {
  if (pull.state !== 'open' || pull.updated_at !== pull.created_at) return;
  const { client, teamClient, input } = requesting;
  const { reviewer, policy, facts } = input;
  const people = [reviewer ?? '', ...policy.reviewers].filter(isLogin);
  const teams = policy.reviewers.flatMap((name) => {
    const [organization = '', slug] = name.split('/');
    return slug !== undefined && organization.toLowerCase() === facts.owner.toLowerCase() ? [slug] : [];
  });
  const asked = (pull.requested_reviewers ?? []).map(({ login }) => login);
  const askedTeams = (pull.requested_teams ?? []).map(({ slug }) => slug);
  await Promise.all([
    addLabels(requesting, pull),
    request(requesting, pull, client, 'reviewers', without(asked, people)),
    request(requesting, pull, teamClient, 'team_reviewers', without(askedTeams, teams)),
  ]);
}

/** GitHub takes all or none, so each is requested alone if it refuses them together. */
async function request(
  requesting: Requesting,
  pull: PullRequest,
  client: GithubClient,
  kind: 'reviewers' | 'team_reviewers',
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return;
  const { at, input, log } = requesting;
  try {
    await client.request('POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers', {
      ...at,
      pull_number: pull.number,
      [kind]: names,
    });
  } catch (error) {
    const status = error instanceof GithubRefusal ? error.status : null;
    if (status === 422 && names.length > 1) {
      for (const name of names) await request(requesting, pull, client, kind, [name]);
      return;
    }
    log('review.not_requested', { taskId: input.request.taskId, pullRequest: pull.number, names, status });
  }
}

/** GitHub would create a label that does not exist. */
async function addLabels({ client, at, input, log }: Requesting, pull: PullRequest): Promise<void> {
  const about = { taskId: input.request.taskId, pullRequest: pull.number };
  const labels = without(
    (pull.labels ?? []).map(({ name }) => name),
    input.policy.labels,
  );
  try {
    const found = await Promise.all(
      labels.map((name) =>
        unlessMissing(client.request('GET /repos/{owner}/{repo}/labels/{name}', { ...at, name })),
      ),
    );
    const missing = labels.filter((_, index) => found[index] === null);
    if (missing.length > 0) log('label.missing', { ...about, missing });
    if (missing.length === labels.length) return;
    await client.request('POST /repos/{owner}/{repo}/issues/{issue_number}/labels', {
      ...at,
      issue_number: pull.number,
      labels: [...without(missing, labels)],
    });
  } catch (error) {
    log('labels.not_added', { ...about, status: error instanceof GithubRefusal ? error.status : null });
  }
}

/** Each once. GitHub ignores the case of logins, teams and labels. */
function without(there: readonly string[], names: readonly string[]): readonly string[] {
  const seen = new Set(there.map((name) => name.toLowerCase()));
  return names.filter((name) => !seen.has(name.toLowerCase()) && seen.add(name.toLowerCase()));
}
