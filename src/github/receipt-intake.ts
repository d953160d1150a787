/**
 * Acts on the events of `receipt-events.ts`, before they are acknowledged. Each can arrive again: what is
 * accepted stays accepted, and a commit gets one run.
 */
import * as z from 'zod';
import { decideAcceptance } from '../core/access/receipt-acceptance.ts';
import type { AskedBy } from '../core/access/approver.ts';
import { finalReason, isFinal } from '../core/ports/upstream-error.ts';
import type { ApprovalRule } from '../core/policy.ts';
import { purposes, type AppTokens } from './app-auth.ts';
import { githubClient, type GithubApi } from './client.ts';
import type { ReceiptEvent, ReceiptPlace } from './receipt-event.ts';
import { escapeInline } from './markdown.ts';
import {
  createRun,
  idsOf,
  isMarked,
  noteOnRun,
  pullCommits,
  readRun,
  receiptsBefore,
  receiptCheckName,
  repeatConclusion,
  runsOn,
  type Run,
  type RunsPlace,
} from './receipt-runs.ts';
import { canWriteNow } from './write-permission.ts';

/** What became of an event. Shown in the answer to the delivery, and logged. */
type ReceiptDone =
  | 'accepted'
  | 'refused'
  | 'nothing-marked'
  | 'repeated'
  | 'saved'
  | 'exists'
  | 'not-demanded'
  | 'not-permitted'
  | 'not-allowed';

export interface ReceiptIntakeDeps extends GithubApi {
  readonly tokens: AppTokens;
  /** Whether the App may write checks there. */
  mayWrite(place: ReceiptPlace): Promise<boolean>;
  /** The rule of the configuration for the repository now; null if it is not allowed. */
  ruleOf(place: ReceiptPlace): ApprovalRule | null;
  /** Who asked for a task and under which rule; null if its record is gone or is of another repository. */
  askedBy(taskId: string, repositoryId: number): Promise<{ asked: AskedBy; rule: ApprovalRule } | null>;
}

/** Rejects on transient errors. A final refusal of GitHub is an answer: its reason's code. */
export async function onReceiptEvent(event: ReceiptEvent, deps: ReceiptIntakeDeps): Promise<string> {
  try {
    return await act(event, deps);
  } catch (error) {
    const reason = finalReason(error);
    if (reason === null) throw error;
    return reason.code;
  }
}

async function act(event: ReceiptEvent, deps: ReceiptIntakeDeps): Promise<ReceiptDone> {
  const { place } = event;
  const rule = deps.ruleOf(place);
  if (rule === null) return 'not-allowed';
  if (!(await deps.mayWrite(place))) return 'not-permitted';
  const { installationId, repositoryId, owner, name: repo } = place;
  const scope = { installationId, repositoryId, permissions: purposes.receipt };
  return await deps.tokens.lend(scope, async (token) => {
    const client = githubClient(deps, async () => await Promise.resolve(token));
    const runs: RunsPlace = { client, at: { owner, repo }, appId: deps.tokens.appId };
    switch (event.kind) {
      case 'press':
        return await press(event, rule, runs, deps);
      case 'again':
        for (const run of await runsOn(runs, event.sha)) await repeatConclusion(runs, run);
        return 'repeated';
      case 'pull':
        return await reportOnPull(event, runs, deps);
    }
  });
}

async function press(
  { place, runId, person }: ReceiptEvent & { kind: 'press' },
  rule: ApprovalRule,
  runs: RunsPlace,
  deps: ReceiptIntakeDeps,
): Promise<ReceiptDone> {
  const pressed = await readRun(runs, runId);
  if (pressed === null || !isMarked(pressed)) return 'nothing-marked';
  const facts = { ...place, defaultBranch: '', private: true };
  const canWrite = await canWriteNow(runs.client, facts, person);
  if (!canWrite) return 'refused';
  const marked = await acceptedWith(runs, pressed);
  const taskIds = new Set(marked.map((run) => idsOf(run).taskId).filter((id) => id !== null));
  const tasks = await Promise.all([...taskIds].map(async (id) => await deps.askedBy(id, place.repositoryId)));
  const verdict = decideAcceptance({
    person,
    canWrite,
    rule: tasks.some((task) => task?.rule === 'second-person') ? 'second-person' : rule,
    asked: tasks.map((task) => task?.asked ?? null),
  });
  if (verdict.kind === 'refuse') {
    if (verdict.message !== null)
      await noteOnRun(runs, pressed, { accepted: false, note: escapeInline(verdict.message) });
    return 'refused';
  }
  const note = `${escapeInline(person.login, 100)} read and accepted this.`;
  // The pressed run last: after a failure in between, its button is still there.
  for (const run of marked.toReversed()) await noteOnRun(runs, run, { accepted: true, note });
  return 'accepted';
}

/** The pressed run, its twin by an attempt that overlapped, and the marked runs of earlier commits. */
async function acceptedWith(runs: RunsPlace, pressed: Run): Promise<readonly Run[]> {
  const { taskId, carried } = idsOf(pressed);
  const [onCommit, earlier] = await Promise.all([
    runsOn(runs, pressed.head_sha),
    Promise.all(carried.map(async (id) => await readRun(runs, id))),
  ]);
  const twins = onCommit.filter((run) => run.id !== pressed.id && idsOf(run).taskId === taskId);
  return [pressed, ...twins, ...earlier.filter((run) => run !== null)].filter(isMarked);
}

/** Tasks that commits without a receipt name. */
const maxAsked = 5;

/**
 * A branch that demands the receipt would wait for ever for the pull requests of people, and for what they
 * push onto one of Airlock's. They get a run that says what it covers. Where none is demanded, none is made.
 */
async function reportOnPull(
  { place, number, sha, base, reopened }: ReceiptEvent & { kind: 'pull' },
  runs: RunsPlace,
  deps: ReceiptIntakeDeps,
): Promise<ReceiptDone> {
  if (!(await isDemanded(runs, base))) return 'not-demanded';
  const commits = await pullCommits(runs, number);
  const present = await runsOn(runs, sha);
  const ownTask = commits.find((commit) => commit.sha === sha)?.taskId ?? null;
  // Its publication makes the run.
  if (present.length === 0 && ownTask !== null && !reopened) return 'exists';
  const { marked, missing } = await receiptsBefore(runs, commits, sha);
  const known = present.map(idsOf);
  let taskId = present.length === 0 ? ownTask : null;
  // A receipt is saved after its commit, so a push in between must not go before it.
  for (const id of missing.slice(0, maxAsked))
    if (taskId === null && known.every((run) => run.taskId !== id))
      taskId = (await deps.askedBy(id, place.repositoryId)) === null ? null : id;
  // A commit can be in several pull requests: its run may be from one without these marks.
  const carried = new Set(known.flatMap((run) => run.carried));
  if (present.length > 0 && taskId === null && marked.every(({ id }) => carried.has(id))) return 'exists';
  const without = commits.some((commit) => commit.taskId !== null)
    ? 'The head of this pull request is not a commit of Airlock. A receipt covers only commits of Airlock.'
    : 'No commit of Airlock is in this pull request, so there is no receipt.';
  const lost =
    'The receipt of this commit, or of one before it, is not saved. Its text is in the pull request, or in the comment of its task. Read it there.';
  const isLost = taskId !== null;
  const [title, summary] = isLost ? ['The receipt is missing', lost] : ['No remarks', without];
  const earlier = [...present.filter(isMarked), ...marked];
  await createRun(runs, { sha, taskId, isMarked: isLost, title, summary, text: '' }, earlier);
  return 'saved';
}

const rulesSchema = z.array(
  z.object({
    type: z.string(),
    parameters: z
      .object({ required_status_checks: z.array(z.object({ context: z.string() })).optional() })
      .optional(),
  }),
);
const branchSchema = z.object({
  protection: z
    .object({ required_status_checks: z.object({ contexts: z.array(z.string()) }).optional() })
    .optional(),
});

/** By a ruleset, or by the protection of the branch. */
async function isDemanded({ client, at }: RunsPlace, branch: string): Promise<boolean> {
  // Rulesets are missing on older servers, and refused to private repositories on free plans.
  const known = async (path: string) =>
    await client.request(`GET /repos/{owner}/{repo}/${path}`, { ...at, branch }).catch((error: unknown) => {
      if (isFinal(error)) return null;
      throw error;
    });
  const [rules, found] = await Promise.all([known('rules/branches/{branch}'), known('branches/{branch}')]);
  const byRule = rulesSchema
    .parse(rules?.data ?? [])
    .flatMap(({ parameters }) => parameters?.required_status_checks ?? [])
    .map(({ context }) => context);
  const byProtection =
    branchSchema.parse(found?.data ?? {}).protection?.required_status_checks?.contexts ?? [];
  return [...byRule, ...byProtection].includes(receiptCheckName);
}
