/**
 * Check runs, which the App can also write; jobs of GitHub Actions with their logs, and commit statuses.
 */
import { Hono, type Context } from 'hono';
import { z } from 'zod';
import { ApiError, notFound, unprocessable, validationFailed } from '../api-errors.ts';
import {
  actionsApp,
  checkRunDocument,
  combinedStatusDocument,
  jobDocument,
} from '../documents/check-document.ts';
import { bodyOf, numberParam, pageOf, repositoryOf, type ApiEnv, type Site } from '../site.ts';
import { reportsOf, type CheckRun } from '../commit-reports.ts';
import { conclusions } from '../contract.ts';
import { timestamp, type Repository } from '../store.ts';

const checks = { anyOf: ['checks'], level: 'read' } as const;
const writingChecks = { anyOf: ['checks'], level: 'write' } as const;
const actions = { anyOf: ['actions'], level: 'read' } as const;
const statuses = { anyOf: ['statuses'], level: 'read' } as const;

const maxOutput = 65_535;
const short = (max: number) =>
  z.string().refine((text) => text.length <= max, {
    error: ({ input }) => `Only ${max} characters are allowed; ${String(input).length} were supplied.`,
  });
const runSchema = z.object({
  external_id: z.string().optional(),
  status: z.enum(['queued', 'in_progress', 'completed']).optional(),
  conclusion: z.enum(conclusions).optional(),
  output: z
    .object({ title: z.string(), summary: short(maxOutput), text: short(maxOutput).optional() })
    .optional(),
  actions: z
    .array(z.object({ label: short(20), description: short(40), identifier: short(20) }))
    .max(3)
    .optional(),
});
const newRunSchema = runSchema.extend({ name: z.string().min(1), head_sha: z.string() });

/** The text of an output, whose limit GitHub applies to characters first and to bytes then. */
function outputOf(wanted: NonNullable<z.output<typeof runSchema>['output']>): CheckRun['output'] {
  for (const field of ['summary', 'text'] as const)
    if (Buffer.byteLength(wanted[field] ?? '') > maxOutput) {
      const message = `${field} exceeds a maximum bytesize of ${maxOutput}`;
      throw validationFailed({ resource: 'CheckRun', code: 'custom', field, message });
    }
  return { ...wanted, text: wanted.text ?? null };
}

export function checkRoutes(site: Site): Hono<ApiEnv> {
  const api = new Hono<ApiEnv>();

  api.post('/repos/:owner/:repo/check-runs', async (c) => {
    const repository = repositoryOf(c, site, writingChecks);
    const wanted = await bodyOf(c, newRunSchema);
    const { conclusion = null } = wanted;
    if (wanted.status === 'completed' && conclusion === null)
      throw unprocessable('Invalid request.\n\n"conclusion" wasn\'t supplied.');
    const run: CheckRun = {
      id: site.store.nextId(),
      suite: site.store.nextId(),
      sha: await commitOf(repository, wanted.head_sha),
      name: wanted.name,
      app: site.app.slug,
      conclusion,
      at: timestamp(),
      output:
        wanted.output === undefined ? { title: null, summary: null, text: null } : outputOf(wanted.output),
      steps: [],
      log: null,
      externalId: wanted.external_id ?? '',
      actions: wanted.actions ?? [],
    };
    reportsOf(repository).checks.push(run);
    return c.json(checkRunDocument(site, repository, run), 201);
  });

  api.get('/repos/:owner/:repo/check-runs/:run', (c) => {
    const repository = repositoryOf(c, site, checks);
    return c.json(checkRunDocument(site, repository, runOf(repository, numberParam(c, 'run'))));
  });

  api.patch('/repos/:owner/:repo/check-runs/:run', async (c) => {
    const repository = repositoryOf(c, site, writingChecks);
    const run = runOf(repository, numberParam(c, 'run'));
    if (run.app !== site.app.slug)
      throw new ApiError(
        403,
        `Invalid app_id \`${site.app.id}\` - check run can only be modified by the GitHub App that created it.`,
      );
    const wanted = await bodyOf(c, runSchema);
    const now: CheckRun = {
      ...run,
      conclusion: wanted.conclusion ?? run.conclusion,
      output: wanted.output === undefined ? run.output : outputOf(wanted.output),
      actions: wanted.actions ?? run.actions,
    };
    const { checks: all } = reportsOf(repository);
    all.splice(all.indexOf(run), 1, now);
    return c.json(checkRunDocument(site, repository, now));
  });

  api.get('/repos/:owner/:repo/commits/:ref{.+}/check-runs', async (c) => {
    const repository = repositoryOf(c, site, checks);
    const sha = await commitOf(repository, c.req.param('ref'));
    const [name, app] = [c.req.query('check_name'), c.req.query('app_id')];
    const ofCommit = reportsOf(repository)
      .checks.filter((run) => run.sha === sha && (name === undefined || run.name === name))
      .filter((run) => app === undefined || (run.app === site.app.slug && app === String(site.app.id)))
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

function runOf(repository: Repository, id: number): CheckRun {
  const run = reportsOf(repository).checks.find((one) => one.id === id);
  if (run === undefined) throw notFound();
  return run;
}

function jobOf(c: Context<ApiEnv>, site: Site): { repository: Repository; run: CheckRun } {
  const repository = repositoryOf(c, site, actions);
  const id = numberParam(c, 'job');
  const run = reportsOf(repository).checks.find((one) => one.id === id && one.app === actionsApp);
  if (run === undefined) throw notFound();
  return { repository, run };
}
