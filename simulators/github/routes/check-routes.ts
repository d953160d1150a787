/** Check runs, jobs of GitHub Actions with their logs, and commit statuses. Read-only. */
import { Hono, type Context } from 'hono';
import { notFound, unprocessable } from '../api-errors.ts';
import {
  actionsApp,
  checkRunDocument,
  combinedStatusDocument,
  jobDocument,
} from '../documents/check-document.ts';
import { numberParam, pageOf, repositoryOf, type ApiEnv, type Site } from '../site.ts';
import { reportsOf, type CheckRun } from '../commit-reports.ts';
import type { Repository } from '../store.ts';

const checks = { anyOf: ['checks'], level: 'read' } as const;
const actions = { anyOf: ['actions'], level: 'read' } as const;
const statuses = { anyOf: ['statuses'], level: 'read' } as const;

export function checkRoutes(site: Site): Hono<ApiEnv> {
  const api = new Hono<ApiEnv>();

  api.get('/repos/:owner/:repo/commits/:ref{.+}/check-runs', async (c) => {
    const repository = repositoryOf(c, site, checks);
    const sha = await commitOf(repository, c.req.param('ref'));
    const ofCommit = reportsOf(repository)
      .checks.filter((run) => run.sha === sha)
      .toReversed();
    // Of several runs of one check, `latest` has the newest.
    const latest = ofCommit.filter(
      (run, index) => ofCommit.findIndex((one) => one.app === run.app && one.name === run.name) === index,
    );
    const shown = c.req.query('filter') === 'all' ? ofCommit : latest;
    const page = pageOf(c, site, shown);
    return c.json({
      total_count: shown.length,
      check_runs: page.map((run) => checkRunDocument(site, repository, run)),
    });
  });

  api.get('/repos/:owner/:repo/commits/:ref{.+}/status', async (c) => {
    const repository = repositoryOf(c, site, statuses);
    const sha = await commitOf(repository, c.req.param('ref'));
    const ofCommit = reportsOf(repository)
      .statuses.filter((status) => status.sha === sha)
      .toReversed();
    const newest = ofCommit.filter(
      ({ context }, index) => ofCommit.findIndex((one) => one.context === context) === index,
    );
    return c.json(combinedStatusDocument(site, repository, sha, pageOf(c, site, newest)));
  });

  api.get('/repos/:owner/:repo/actions/jobs/:job', (c) => {
    const { repository, run } = jobOf(c, site);
    return c.json(jobDocument(site, repository, run));
  });

  api.get('/repos/:owner/:repo/actions/jobs/:job/logs', (c) => {
    const { run } = jobOf(c, site);
    // A log exists once its job has ended, and until its retention is over.
    if (run.log === null || run.conclusion === null) throw notFound();
    return c.redirect(site.logs.addressOf(run), 302);
  });

  return api;
}

/** GitHub says 422 for a commit that does not exist. */
async function commitOf({ git }: Repository, ref: string): Promise<string> {
  const found = (await git.headOf(ref)) ?? (/^[0-9a-f]{40}$/.test(ref) ? (await git.commit(ref))?.sha : null);
  if (found == null) throw unprocessable(`No commit found for SHA: ${ref}`);
  return found;
}

function jobOf(c: Context<ApiEnv>, site: Site): { repository: Repository; run: CheckRun } {
  const repository = repositoryOf(c, site, actions);
  const id = numberParam(c, 'job');
  const run = reportsOf(repository).checks.find((one) => one.id === id && one.app === actionsApp);
  if (run === undefined) throw notFound();
  return { repository, run };
}
