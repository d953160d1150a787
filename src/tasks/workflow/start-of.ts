/** Finds what a task starts from and where its work goes: the head of a pull request, or of a base branch. */
import { placeInPull, questionIsReadOnly } from '../../core/access/pull-place.ts';
import type { Authorization } from '../../core/authorization.ts';
import type { RepositoryPolicy } from '../../core/policy.ts';
import { reasonOf } from '../../core/reason.ts';
import type { PullRequestState, Reason, RepositoryFacts, RoutedRequest, TaskJob } from '../../core/task.ts';
import type { Earlier } from './earlier-tasks.ts';
import type { Stage, TaskDeps } from './stage.ts';

type Start = Pick<
  Authorization,
  'baseBranch' | 'baseSha' | 'continues' | 'pull' | 'guidanceSha' | 'readOnly'
>;

const refused = (reason: Reason): Stage<never> => ({ go: false, outcome: { kind: 'refused', reason } });

export async function startOf(
  request: RoutedRequest,
  facts: RepositoryFacts,
  policy: RepositoryPolicy,
  base: { readonly branch: string | null },
  earlier: Earlier | null,
  deps: TaskDeps,
): Promise<Stage<Start>> {
  const { trigger } = request;
  if (trigger.kind === 'github' && trigger.onPullRequest)
    return await startInPull(request, trigger.issueNumber, facts, policy, deps);
  if (jobOf(request) === 'resolve-conflicts') {
    if (earlier?.pullRequest != null)
      return await startInPull(request, earlier.pullRequest, facts, policy, deps);
    return refused(reasonOf('no-pull-request'));
  }
  const open = await openPullRequest(request, facts, earlier, deps);
  const continues = open?.pullRequest ?? null;
  const baseBranch = continues?.headRef ?? base.branch ?? facts.defaultBranch;
  const [baseSha, baseOfPull] = await Promise.all([
    deps.codeHost.headOf(facts, baseBranch),
    open === null ? null : deps.codeHost.headOf(facts, open.baseBranch),
  ]);
  // Of a base branch that was deleted, the last commit that GitHub knows: never what the head says.
  const guidanceSha = open === null ? null : (baseOfPull ?? open.baseSha);
  if (baseSha === null) {
    const repository = `${facts.owner}/${facts.name}`;
    return refused(reasonOf('base-missing', { branch: baseBranch, repository }));
  }
  const readOnly = jobOf(request) === 'question' ? questionIsReadOnly : null;
  return { go: true, value: { baseBranch, baseSha, continues, pull: null, guidanceSha, readOnly } };
}

const jobOf = ({ ask }: RoutedRequest): TaskJob | undefined => (ask.kind === 'run' ? ask.job : undefined);

async function startInPull(
  request: RoutedRequest,
  number: number,
  facts: RepositoryFacts,
  policy: RepositoryPolicy,
  { codeHost }: TaskDeps,
): Promise<Stage<Start>> {
  const state = await codeHost.pullRequest(facts, number);
  const [head, base] = await Promise.all([
    state?.sameRepository === true ? codeHost.headOf(facts, state.pullRequest.headRef) : null,
    state === null ? null : codeHost.headOf(facts, state.baseBranch),
  ]);
  const place = placeInPull({
    number,
    job: jobOf(request),
    base: request.options.base,
    facts,
    configuredBase: policy.baseBranch,
    state,
    heads: { head, base },
  });
  if (place.kind === 'refused') return refused(place.reason);
  const { start, pull, continues, readOnly } = place;
  const at = { baseBranch: start.branch, baseSha: start.sha };
  return { go: true, value: { ...at, continues, pull, guidanceSha: pull.baseSha, readOnly } };
}

/** Null if none takes commits any more, or if the request names another base. */
async function openPullRequest(
  request: RoutedRequest,
  facts: RepositoryFacts,
  earlier: Earlier | null,
  { codeHost, record }: TaskDeps,
): Promise<PullRequestState | null> {
  if (earlier?.pullRequest == null || request.options.base !== undefined) return null;
  const found = await codeHost.pullRequest(facts, earlier.pullRequest);
  if (found?.open === true && found.sameRepository) return found;
  await record.appendToLog({
    kind: 'note',
    text: `Pull request ${earlier.pullRequest} is closed, so this task opens a new one.`,
  });
  return null;
}
