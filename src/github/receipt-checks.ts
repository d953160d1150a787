/**
 * Writes and accepts the check runs “Airlock receipt”. Only our App can change them, so what they hold is
 * ours. A run's external id names its task and the runs of earlier commits in the pull request that were
 * marked and not accepted: a later commit without marks must not hide them.
 */
import * as z from 'zod';
import type { ReceiptCheck } from '../core/ports/publication.ts';
import type { RepositoryFacts } from '../core/task.ts';
import { purposes, type AppTokens } from './app-auth.ts';
import { githubClient, unlessMissing, type GithubApi, type GithubClient } from './client.ts';
import { escapeInline } from './markdown.ts';

const receiptCheckName = 'Airlock receipt';
export const acceptLabel = 'Accept';
const acceptAction = 'accept';
/** GitHub's limit for the summary and for the text of a check run, in bytes of UTF-8. */
export const checkBytes = 65_535;
/** Marked runs of earlier commits that one run names. Their ids fit into 255 characters with the task's. */
const maxCarried = 12;
/** Commits of Airlock in one pull request whose receipt is looked up. */
const maxLooks = 30;
/** GitHub lists at most 250 commits of a pull request. */
const commitsPerPage = 100;
const commitPages = 3;

const sha = z.string().regex(/^[0-9a-f]{40}$/);
const text = z.string().nullish();
const runSchema = z.object({
  id: z.number().int().positive(),
  head_sha: sha,
  name: z.string(),
  html_url: text,
  external_id: text,
  conclusion: text,
  app: z.object({ id: z.number().int() }).nullish(),
  output: z.object({ title: text, summary: text, text }).nullish(),
});
type Run = z.infer<typeof runSchema>;
const runsSchema = z.object({ check_runs: z.array(runSchema) });
const commitsSchema = z.array(z.object({ sha, commit: z.object({ message: z.string() }) }));
const installationSchema = z.object({ permissions: z.record(z.string(), z.string()) });

type Place = Pick<RepositoryFacts, 'owner' | 'name' | 'repositoryId' | 'installationId'>;
type At = { readonly owner: string; readonly repo: string };

export interface Acceptable {
  /** The tasks whose marks are accepted with it. */
  readonly taskIds: readonly string[];
  /** Turns every marked run into a neutral one that names who accepted it. */
  accept(login: string): Promise<void>;
  /** Says below the marks why somebody could not accept them. */
  explain(refusal: string): Promise<void>;
}

export interface ReceiptChecks {
  /** Asks which permissions the account has granted. */
  mayWrite(facts: Place): Promise<boolean>;
  /** Once for a task. Rejects on transient errors. */
  save(facts: Place, taskId: string, check: ReceiptCheck): Promise<'saved' | 'exists'>;
  /** Reads a run that somebody pressed the button of; null if there is nothing to accept in it. */
  acceptable(facts: Place, runId: number): Promise<Acceptable | null>;
}

export function createReceiptChecks(deps: GithubApi & { readonly tokens: AppTokens }): ReceiptChecks {
  const { tokens } = deps;
  const asApp = githubClient(deps, async () => await tokens.appJwt());
  const lent = async <T>(
    { installationId, repositoryId }: Place,
    use: (client: GithubClient) => Promise<T>,
  ) => {
    const scope = { installationId, repositoryId, permissions: purposes.receipt };
    return await tokens.lend(scope, async (token) => await use(githubClient(deps, async () => token)));
  };
  const isOurs = ({ app, name }: Run): boolean => app?.id === tokens.appId && name === receiptCheckName;

  async function runsOn(client: GithubClient, at: At, ref: string): Promise<readonly Run[]> {
    const found = await unlessMissing(
      client.request('GET /repos/{owner}/{repo}/commits/{ref}/check-runs', {
        ...at,
        ref,
        check_name: receiptCheckName,
        app_id: tokens.appId,
        filter: 'all',
        per_page: 100,
      }),
    );
    return found === null ? [] : runsSchema.parse(found.data).check_runs.filter(isOurs);
  }

  /** The marked runs of the newest earlier commit that has a receipt, and those that it names itself. */
  async function unacceptedBefore(
    client: GithubClient,
    at: At,
    pull: number,
    commit: string,
  ): Promise<readonly Run[]> {
    const before = await earlierCommits(client, at, pull, commit);
    for (const earlier of before.slice(0, maxLooks)) {
      const runs = await runsOn(client, at, earlier);
      if (runs.length > 0) return runs.filter(({ conclusion }) => conclusion === 'failure');
    }
    return [];
  }

  async function readRun(client: GithubClient, at: At, id: number): Promise<Run | null> {
    const asked = { ...at, check_run_id: id };
    const found = await unlessMissing(
      client.request('GET /repos/{owner}/{repo}/check-runs/{check_run_id}', asked),
    );
    const run = found === null ? null : runSchema.parse(found.data);
    return run !== null && isOurs(run) && run.conclusion === 'failure' ? run : null;
  }

  return {
    async mayWrite({ owner, name }) {
      const { data } = await asApp.request('GET /repos/{owner}/{repo}/installation', { owner, repo: name });
      return installationSchema.parse(data).permissions['checks'] === 'write';
    },

    async save(facts, taskId, check) {
      const at = { owner: facts.owner, repo: facts.name };
      const { installationId, repositoryId } = facts;
      const scope = { taskId, installationId, repositoryId, permissions: purposes.receipt };
      const client = githubClient(deps, async () => await tokens.tokenFor(scope));
      const own = (await runsOn(client, at, check.sha)).some((run) => idsOf(run).taskId === taskId);
      if (own) return 'exists';
      const earlier = check.pull === null ? [] : await unacceptedBefore(client, at, check.pull, check.sha);
      const isMarked = check.isMarked || earlier.length > 0;
      await client.request('POST /repos/{owner}/{repo}/check-runs', {
        ...at,
        name: receiptCheckName,
        head_sha: check.sha,
        external_id: [taskId, ...carriedIds(earlier)].join(' '),
        status: 'completed',
        conclusion: isMarked ? 'failure' : 'neutral',
        output: {
          title: isMarked && !check.isMarked ? 'Marked: an earlier commit' : check.title,
          summary: [...earlier.slice(0, 5).map(earlierText), check.summary].join('\n\n'),
          ...(check.text === '' ? {} : { text: check.text }),
        },
        actions: isMarked ? acceptButton : [],
      });
      return 'saved';
    },

    async acceptable(facts, runId) {
      const at = { owner: facts.owner, repo: facts.name };
      const found = await lent(facts, async (client) => {
        const pressed = await readRun(client, at, runId);
        if (pressed === null) return null;
        // Attempts that overlapped have made it twice.
        const twins = (await runsOn(client, at, pressed.head_sha)).filter(
          ({ external_id, conclusion }) => external_id === pressed.external_id && conclusion === 'failure',
        );
        const earlier = await Promise.all(idsOf(pressed).carried.map((id) => readRun(client, at, id)));
        return { pressed, runs: [...twins, ...earlier.filter((run) => run !== null)] };
      });
      if (found === null) return null;
      const { pressed, runs } = found;
      return {
        taskIds: [...new Set(runs.map((run) => idsOf(run).taskId))],
        async accept(login) {
          await lent(facts, async (client) => {
            for (const run of runs)
              await client.request('PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}', {
                ...at,
                check_run_id: run.id,
                status: 'completed',
                conclusion: 'neutral',
                output: withNote(
                  run,
                  `Accepted by ${login}`,
                  `✅ @${login} read and accepted what is marked.`,
                ),
                actions: [],
              });
          });
        },
        async explain(refusal) {
          await lent(facts, async (client) => {
            const note = `⚠️ ${refusal}`;
            if (pressed.output?.summary?.startsWith(note) === true) return;
            await client.request('PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}', {
              ...at,
              check_run_id: pressed.id,
              output: withNote(pressed, pressed.output?.title ?? receiptCheckName, note),
              actions: acceptButton,
            });
          });
        },
      };
    },
  };
}

const acceptButton = [
  { label: acceptLabel, description: 'Says that you have read what is marked', identifier: acceptAction },
];

/** Newest first, up to but without `commit`: commits that name a task of Airlock. */
async function earlierCommits(
  client: GithubClient,
  at: At,
  pull: number,
  commit: string,
): Promise<readonly string[]> {
  const all: z.infer<typeof commitsSchema> = [];
  for (let page = 1; page <= commitPages; page += 1) {
    const { data } = await client.request('GET /repos/{owner}/{repo}/pulls/{pull_number}/commits', {
      ...at,
      pull_number: pull,
      per_page: commitsPerPage,
      page,
    });
    const listed = commitsSchema.parse(data);
    all.push(...listed);
    if (listed.length < commitsPerPage) break;
  }
  const place = all.findIndex((one) => one.sha === commit);
  return all
    .slice(0, place === -1 ? all.length : place)
    .filter((one) => /^Airlock-Task: /m.test(one.commit.message))
    .map((one) => one.sha)
    .toReversed();
}

/** Forms no id of its own if somebody else's words are in it: then no task is found. */
function idsOf({ external_id }: Run): { readonly taskId: string; readonly carried: readonly number[] } {
  const [taskId = '', ...ids] = (external_id ?? '').split(' ');
  return { taskId, carried: ids.map(Number).filter((id) => Number.isSafeInteger(id) && id > 0) };
}

function carriedIds(earlier: readonly Run[]): readonly number[] {
  const ids = earlier.flatMap((run) => [run.id, ...idsOf(run).carried]);
  return [...new Set(ids)].slice(0, maxCarried);
}

/** An earlier run's title holds no words of others. */
function earlierText({ head_sha, html_url, output }: Run): string {
  const title = escapeInline(output?.title ?? receiptCheckName, 200);
  const link =
    html_url != null && /^https?:\/\/[\w.:/-]{1,300}$/.test(html_url) ? ` ([its receipt](${html_url}))` : '';
  return `⚠️ Nobody has accepted what is marked in the earlier commit ${head_sha.slice(0, 10)}: ${title}${link}. Accepting this check accepts that, too.`;
}

function withNote({ output }: Run, title: string, note: string) {
  const [summary, details] = [output?.summary ?? '', output?.text ?? ''];
  return { title, summary: `${note}\n\n${summary}`, ...(details === '' ? {} : { text: details }) };
}
