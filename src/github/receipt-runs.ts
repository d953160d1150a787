/**
 * The check runs “Airlock receipt” as GitHub has them. Only our App can change them, so what they hold is
 * ours. A run's external id names its task and the runs of earlier commits in the pull request that were
 * marked and not accepted: a later commit without marks must not hide them.
 */
import * as z from 'zod';
import { unlessMissing, type GithubClient } from './client.ts';
import { escapeInline } from './markdown.ts';

export const receiptCheckName = 'Airlock receipt';
export const acceptLabel = 'Accept';
export const acceptAction = 'accept';
/** GitHub's limit for the summary and for the text of a check run, in bytes of UTF-8. */
export const checkBytes = 65_535;
/** Marked runs of earlier commits that one run names. Their ids fit into 255 characters with the task's. */
const maxCarried = 12;
const maxCarriedShown = 5;
/** Commits of Airlock in one pull request whose receipt is looked up. */
const maxLooks = 30;
const looksAtOnce = 6;
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
export type Run = z.infer<typeof runSchema>;
const runsSchema = z.object({ check_runs: z.array(runSchema) });
const commitsSchema = z.array(z.object({ sha, commit: z.object({ message: z.string() }) }));

export interface RunsPlace {
  readonly client: GithubClient;
  readonly at: { readonly owner: string; readonly repo: string };
  readonly appId: number;
}

const isOurs = ({ app, name }: Run, { appId }: RunsPlace): boolean =>
  app?.id === appId && name === receiptCheckName;
export const isMarked = ({ conclusion }: Run): boolean => conclusion === 'failure';

/** The runs of a commit, the newest first. */
export async function runsOn(place: RunsPlace, ref: string): Promise<readonly Run[]> {
  const { client, at, appId } = place;
  const found = await unlessMissing(
    client.request('GET /repos/{owner}/{repo}/commits/{ref}/check-runs', {
      ...at,
      ref,
      check_name: receiptCheckName,
      app_id: appId,
      filter: 'all',
      per_page: 100,
    }),
  );
  const runs = found === null ? [] : runsSchema.parse(found.data).check_runs;
  return runs.filter((run) => isOurs(run, place));
}

/** null: it does not exist, or is not ours. */
export async function readRun(place: RunsPlace, id: number): Promise<Run | null> {
  const { client, at } = place;
  const path = 'GET /repos/{owner}/{repo}/check-runs/{check_run_id}';
  const found = await unlessMissing(client.request(path, { ...at, check_run_id: id }));
  const run = found === null ? null : runSchema.parse(found.data);
  return run !== null && isOurs(run, place) ? run : null;
}

export interface NewRun {
  readonly sha: string;
  /** null: the commit is no task's. */
  readonly taskId: string | null;
  readonly isMarked: boolean;
  readonly title: string;
  readonly summary: string;
  readonly text: string;
}

/** `earlier`: the marked runs of earlier commits, with which the new one fails, too. */
export async function createRun(
  { client, at }: RunsPlace,
  wanted: NewRun,
  earlier: readonly Run[],
): Promise<void> {
  const fails = wanted.isMarked || earlier.length > 0;
  const ids = new Set(earlier.flatMap((run) => [run.id, ...idsOf(run).carried]));
  await client.request('POST /repos/{owner}/{repo}/check-runs', {
    ...at,
    name: receiptCheckName,
    head_sha: wanted.sha,
    external_id: [wanted.taskId ?? '-', ...[...ids].slice(0, maxCarried)].join(' '),
    status: 'completed',
    conclusion: fails ? 'failure' : 'neutral',
    output: {
      title: fails && !wanted.isMarked ? 'An earlier commit has remarks that nobody accepted' : wanted.title,
      summary: [...earlier.slice(0, maxCarriedShown).map(earlierText), wanted.summary].join('\n\n'),
      ...(wanted.text === '' ? {} : { text: wanted.text }),
    },
    actions: fails ? acceptButton : [],
  });
}

/** Writes one line of ours on top of a run's summary, in place of the refusal that it may begin with. */
export async function noteOnRun(
  { client, at }: RunsPlace,
  { id, output }: Run,
  { accepted, note }: { readonly accepted: boolean; readonly note: string },
): Promise<void> {
  const [title, details] = [output?.title ?? receiptCheckName, output?.text ?? ''];
  const summary = (output?.summary ?? '').replace(/^⚠️ Not accepted: [^\n]*\n*/u, '');
  await client.request('PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}', {
    ...at,
    check_run_id: id,
    status: 'completed',
    conclusion: accepted ? 'neutral' : 'failure',
    output: {
      title: accepted ? `Accepted · ${title}` : title,
      summary: `${accepted ? '✅' : '⚠️ Not accepted:'} ${note}\n\n${summary}`,
      ...(details === '' ? {} : { text: details }),
    },
    actions: accepted ? [] : acceptButton,
  });
}

/** Completes a check suite again that “Re-run” has set back: a receipt has nothing to run. */
export async function repeatConclusion({ client, at }: RunsPlace, { id, conclusion }: Run): Promise<void> {
  await client.request('PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}', {
    ...at,
    check_run_id: id,
    status: 'completed',
    conclusion: conclusion === 'neutral' ? 'neutral' : 'failure',
    actions: conclusion === 'neutral' ? [] : acceptButton,
  });
}

const acceptButton = [
  { label: acceptLabel, description: 'Says that you have read the remarks', identifier: acceptAction },
];

export interface PullCommit {
  readonly sha: string;
  /** The task of Airlock that its message names, which anybody can write; null for other commits. */
  readonly taskId: string | null;
}

/** Oldest first, as GitHub lists them. */
export async function pullCommits({ client, at }: RunsPlace, pull: number): Promise<readonly PullCommit[]> {
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
  return all.map((one) => {
    const [, taskId = null] = /^Airlock-Task: ([a-z0-9-]{1,63})$/m.exec(one.commit.message) ?? [];
    return { sha: one.sha, taskId };
  });
}

export interface EarlierReceipts {
  /** The marked runs of the newest commit of Airlock that has a receipt. */
  readonly marked: readonly Run[];
  /** The tasks that newer commits name, which have none: it is not saved yet, or somebody forged the name. */
  readonly missing: readonly string[];
}

/** Of the commits before `commit`. */
export async function receiptsBefore(
  place: RunsPlace,
  commits: readonly PullCommit[],
  commit: string,
): Promise<EarlierReceipts> {
  const index = commits.findIndex((one) => one.sha === commit);
  const before = commits.slice(0, index === -1 ? commits.length : index);
  const named = before.flatMap(({ sha: id, taskId }) => (taskId === null ? [] : [{ id, taskId }]));
  const missing: string[] = [];
  const looks = named.toReversed().slice(0, maxLooks);
  // Anybody can write such names, and the sender of the event waits.
  for (let at = 0; at < looks.length; at += looksAtOnce) {
    const group = looks.slice(at, at + looksAtOnce);
    const found = await Promise.all(group.map(async ({ id }) => await runsOn(place, id)));
    const first = found.findIndex((runs) => runs.length > 0);
    missing.push(...group.slice(0, first < 0 ? group.length : first).map(({ taskId }) => taskId));
    if (first >= 0) return { marked: found[first]?.filter(isMarked) ?? [], missing };
  }
  return { marked: [], missing };
}

/** The task of a run, null if it has none, and the marked runs of earlier commits that it names. */
export function idsOf({ external_id }: Pick<Run, 'external_id'>): {
  readonly taskId: string | null;
  readonly carried: readonly number[];
} {
  const [taskId = '-', ...ids] = (external_id ?? '-').split(' ');
  const carried = ids.map(Number).filter((id) => Number.isSafeInteger(id) && id > 0);
  return { taskId: taskId === '-' || taskId === '' ? null : taskId, carried };
}

/** A run's title holds no words of others. */
function earlierText({ head_sha, html_url, output }: Run): string {
  const title = escapeInline(output?.title ?? receiptCheckName, 200);
  const isLink = html_url != null && /^https?:\/\/[\w.:/-]{1,300}$/.test(html_url);
  const link = isLink ? ` ([open](${html_url}))` : '';
  return `⚠️ Nobody has accepted the receipt of the earlier commit ${head_sha.slice(0, 10)}: ${title}${link}. Accepting this check accepts that, too.`;
}
