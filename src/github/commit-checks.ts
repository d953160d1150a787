/**
 * Reads which checks fail on a commit: check runs, with the end of the log of each failed job of GitHub
 * Actions, and commit statuses. Each kind has a permission of its own, which an older App may lack.
 */
import { reasonText } from '../core/reason.ts';
import * as z from 'zod';
import type { CommitChecks, FailingCheck } from '../core/ask/checks.ts';
import { finalReason } from '../core/ports/upstream-error.ts';
import type { RepositoryFacts } from '../core/task.ts';
import { firstOf } from '../core/ask/untrusted-text.ts';
import { boundedAll } from '../lib/bounded-all.ts';
import { purposes, type Permissions } from './app-auth.ts';
import { unlessMissing, type GithubApi, type GithubClient } from './client.ts';
import { readJobLog } from './job-log.ts';
import { singleLine } from './markdown.ts';

const maxFailing = 10;
/** Characters of all logs, about 12,000 tokens; at least a part for each. */
const maxLogChars = 48_000;
const maxSummaryChars = 4_000;
const logsAtOnce = 3;

const text = z.string().nullish();
const runsSchema = z.object({
  check_runs: z.array(
    z.object({
      id: z.number().int().positive(),
      name: z.string(),
      status: z.string(),
      conclusion: text,
      output: z.object({ title: text, summary: text, text }).nullish(),
      app: z.object({ id: z.number().int(), slug: text }).nullish(),
    }),
  ),
});
const statusesSchema = z.object({
  statuses: z.array(z.object({ context: z.string(), state: z.string(), description: text })),
});
const jobSchema = z.object({
  steps: z.array(z.object({ name: z.string(), conclusion: text })).nullish(),
});

/** A cancelled run says nothing about the code; one that needs an approval waits for a person. */
const failed = new Set(['failure', 'timed_out', 'startup_failure', 'error']);
const actionsApp = 'github-actions';

export interface ChecksPlace {
  readonly clientFor: (permissions: Permissions) => GithubClient;
  readonly api: GithubApi;
  /** Our App's id: its own checks are not evidence. */
  readonly appId: number;
  readonly facts: RepositoryFacts;
  readonly sha: string;
}

export async function readCommitChecks(
  place: ChecksPlace,
  { logs }: { readonly logs: boolean },
): Promise<CommitChecks> {
  const { clientFor, facts, sha, appId } = place;
  const at = { owner: facts.owner, repo: facts.name, ref: sha, per_page: 100 };
  const unread: string[] = [];
  const [runs, statuses] = await Promise.all([
    unlessForbidden('checks', 'check runs', unread, async () => {
      const asked = 'GET /repos/{owner}/{repo}/commits/{ref}/check-runs';
      const { data } = await clientFor(purposes.checks).request(asked, { ...at, filter: 'latest' });
      return runsSchema.parse(data).check_runs.filter(({ app }) => app?.id !== appId);
    }),
    unlessForbidden('statuses', 'commit statuses', unread, async () => {
      const asked = 'GET /repos/{owner}/{repo}/commits/{ref}/status';
      const { data } = await clientFor(purposes.statuses).request(asked, at);
      return statusesSchema.parse(data).statuses;
    }),
  ]);
  const failingRuns = (runs ?? []).filter(({ conclusion }) => failed.has(conclusion ?? ''));
  const failingStatuses = (statuses ?? []).filter(({ state }) => failed.has(state));
  const shownRuns = failingRuns.slice(0, maxFailing);
  const jobs = shownRuns.filter(({ app }) => app?.slug === actionsApp);
  const logOf = logs ? await logsOf(jobs, place, unread) : () => undefined;
  const failing: FailingCheck[] = [
    ...shownRuns.map((run) => ({
      name: singleLine(run.name, 200),
      by: singleLine(run.app?.slug ?? 'unknown', 100),
      conclusion: run.conclusion ?? '',
      summary: firstOf(
        [run.output?.title, run.output?.summary, run.output?.text]
          .filter((part) => part != null)
          .join('\n\n'),
        maxSummaryChars,
      ),
      ...(logOf(run.id) ?? { steps: [], log: null, noLog: null }),
    })),
    ...failingStatuses.slice(0, maxFailing - shownRuns.length).map(({ context, state, description }) => ({
      name: singleLine(context, 200),
      by: 'commit status',
      conclusion: state,
      summary: firstOf(description ?? '', maxSummaryChars),
      steps: [],
      log: null,
      noLog: null,
    })),
  ];
  const running = [
    ...(runs ?? []).filter(({ status }) => status !== 'completed').map(({ name }) => name),
    ...(statuses ?? []).filter(({ state }) => state === 'pending').map(({ context }) => context),
  ];
  return {
    sha,
    failing,
    failingLeftOut: failingRuns.length + failingStatuses.length - failing.length,
    running: running.slice(0, 50).map((name) => singleLine(name, 200)),
    unread,
  };
}

type OfJob = Pick<FailingCheck, 'steps' | 'log' | 'noLog'>;

/** A job has the id of its check run. */
async function logsOf(
  jobs: readonly { readonly id: number }[],
  { clientFor, api, facts }: ChecksPlace,
  unread: string[],
): Promise<(id: number) => OfJob | undefined> {
  if (jobs.length === 0) return () => undefined;
  const client = clientFor(purposes.actions);
  const chars = Math.floor(maxLogChars / jobs.length);
  const read = await unlessForbidden('actions', 'logs of GitHub Actions', unread, () =>
    boundedAll(jobs, logsAtOnce, async ({ id }): Promise<[number, OfJob]> => {
      const asked = 'GET /repos/{owner}/{repo}/actions/jobs/{job_id}';
      const at = { owner: facts.owner, repo: facts.name, job_id: id };
      const job = jobSchema.parse((await unlessMissing(client.request(asked, at)))?.data ?? {});
      const steps = (job.steps ?? [])
        .filter(({ conclusion }) => failed.has(conclusion ?? ''))
        .map(({ name }) => singleLine(name, 200));
      const log = await readJobLog({ client, api, facts }, id, chars);
      return [
        id,
        'text' in log ? { steps, log: log.text, noLog: null } : { steps, log: null, noLog: log.missing },
      ];
    }),
  );
  const known = new Map(read ?? []);
  return (id) => known.get(id);
}

/** Null if the App lacks the permission, or GitHub refuses or does not know what was asked for. */
async function unlessForbidden<T>(
  permission: string,
  what: string,
  unread: string[],
  read: () => Promise<T>,
): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    const reason = finalReason(error);
    if (reason === null) throw error;
    // The words for a token that was not minted name other permissions.
    const isMint = reason.code === 'installation-permissions';
    const needed = `The GitHub App needs the permission “${permission}: read”, and the account has to accept it.`;
    unread.push(`The ${what} could not be read. ${isMint ? needed : reasonText(reason)}`);
    return null;
  }
}
