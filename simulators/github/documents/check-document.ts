/** GitHub's JSON for check runs, jobs of GitHub Actions and commit statuses. */
import type { CheckRun, CommitStatus } from '../commit-reports.ts';
import type { Repository } from '../store.ts';
import type { Site } from '../site.ts';
import { appDocument, nodeId, type Json } from './account-document.ts';
import { repositoryApiUrl, repositoryDocument, repositoryPageUrl } from './repository-document.ts';

/** GitHub's own App, whose check runs are the jobs of workflows. */
export const actionsApp = 'github-actions';

/** A job has the id of its check run, as on GitHub. */
const jobPage = (site: Site, repository: Repository, run: CheckRun): string =>
  `${repositoryPageUrl(site, repository)}/actions/runs/${run.suite}/job/${run.id}`;

export function checkRunDocument(site: Site, repository: Repository, run: CheckRun): Json {
  const url = `${repositoryApiUrl(site, repository)}/check-runs/${run.id}`;
  const isJob = run.app === actionsApp;
  const page = isJob
    ? jobPage(site, repository, run)
    : `${repositoryPageUrl(site, repository)}/runs/${run.id}`;
  return {
    id: run.id,
    node_id: nodeId('CheckRun', run.id),
    head_sha: run.sha,
    external_id: run.externalId,
    url,
    html_url: page,
    details_url: isJob ? page : `https://${run.app}.example/runs/${run.id}`,
    name: run.name,
    ...progressOf(run),
    output: {
      title: run.output.title,
      summary: run.output.summary,
      text: run.output.text,
      annotations_count: 0,
      annotations_url: `${url}/annotations`,
    },
    check_suite: { id: run.suite },
    app:
      run.app === site.app.slug
        ? appDocument(site)
        : { ...appDocument(site), id: 15_368, slug: run.app, name: run.app },
    pull_requests: [],
  };
}

export function jobDocument(site: Site, repository: Repository, run: CheckRun): Json {
  const api = repositoryApiUrl(site, repository);
  return {
    id: run.id,
    run_id: run.suite,
    run_url: `${api}/actions/runs/${run.suite}`,
    run_attempt: 1,
    node_id: nodeId('CheckRun', run.id),
    head_sha: run.sha,
    url: `${api}/actions/jobs/${run.id}`,
    html_url: jobPage(site, repository, run),
    ...progressOf(run),
    created_at: run.at,
    name: run.name,
    steps: run.steps.map(({ name, conclusion }, index) => ({
      ...progressOf({ ...run, conclusion }),
      name,
      number: index + 1,
    })),
    check_run_url: `${api}/check-runs/${run.id}`,
    labels: ['ubuntu-latest'],
    runner_id: 1,
    runner_name: 'GitHub Actions 1',
    runner_group_id: 1,
    runner_group_name: 'GitHub Actions',
    workflow_name: 'CI',
    head_branch: null,
  };
}

const progressOf = ({ conclusion, at }: Pick<CheckRun, 'conclusion' | 'at'>): Json => ({
  status: conclusion === null ? 'in_progress' : 'completed',
  conclusion,
  started_at: at,
  completed_at: conclusion === null ? null : at,
});

export function combinedStatusDocument(
  site: Site,
  repository: Repository,
  sha: string,
  statuses: readonly CommitStatus[],
): Json {
  const api = repositoryApiUrl(site, repository);
  const failed = statuses.some(({ state }) => state === 'failure' || state === 'error');
  const isPending = statuses.length === 0 || statuses.some(({ state }) => state === 'pending');
  return {
    state: failed ? 'failure' : isPending ? 'pending' : 'success',
    statuses: statuses.map((status) => ({
      url: `${api}/statuses/${sha}`,
      avatar_url: `${site.url}/avatars/oa/1`,
      id: status.id,
      node_id: nodeId('StatusContext', status.id),
      state: status.state,
      description: status.description,
      target_url: `https://ci.example/${status.id}`,
      context: status.context,
      created_at: status.at,
      updated_at: status.at,
    })),
    sha,
    total_count: statuses.length,
    repository: repositoryDocument(site, repository),
    commit_url: `${api}/commits/${sha}`,
    url: `${api}/commits/${sha}/status`,
  };
}
