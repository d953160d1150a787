/** What has to be true after each case, whatever was done to the task. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { splitBillPatch } from '../cli/demo/demo-script.ts';
import type { TaskView } from '../src/core/task-view.ts';
import { follow, viewOf } from './ask.ts';
import { mountsBelow, namesIn, processesNaming } from './bot-process.ts';
import type { Harm, Place } from './case.ts';
import { journalOf, sandboxIdOf } from './journal.ts';

const run = promisify(execFile);

/** What is there after a case. `problems`: which invariants do not hold, one sentence each. */
export interface Findings {
  readonly answers: number;
  readonly pullRequests: number;
  readonly sandboxesLeft: number;
  readonly tokensLeft: number;
  readonly outcome: string;
  readonly problems: readonly string[];
}

/** The longest that a bot takes on a busy machine: a lost sandbox is given up after five minutes. */
export const settleMs = 6 * 60_000;
const lookMs = 100;

export interface Settled extends Findings {
  readonly settledAt: number;
  /** When nothing of the task's sandbox was left. */
  readonly sandboxGoneAt: number | null;
}

/** Looks until everything holds, or for as long as a bot can take to recover. */
export async function settle(harm: Harm, place: Place): Promise<Settled> {
  const deadline = Date.now() + settleMs;
  let sandboxGoneAt: number | null = null;
  for (;;) {
    const left = leftOf(harm.taskId, place);
    if (left.length === 0) sandboxGoneAt ??= Date.now();
    const findings = await examine(harm, place, left);
    const settledAt = Date.now();
    if (findings.problems.length === 0 || settledAt > deadline || place.signal.aborted)
      return { ...findings, settledAt, sandboxGoneAt };
    await sleep(lookMs);
  }
}

/** `left`: of its sandbox. */
async function examine(harm: Harm, place: Place, left: readonly string[]): Promise<Findings> {
  const { lane, repository } = place;
  const { world, botStateDir } = lane;
  const all = await world.github.pulls(repository);
  const pulls = all.filter(({ number }) => !place.before.pulls.includes(number)).length;
  const answers = answersOf(harm, place);
  const tokens = liveTokens(place);
  const counted = {
    answers: answers.length,
    pullRequests: pulls,
    sandboxesLeft: left.length,
    tokensLeft: tokens,
  };
  const view = await viewOf(world, harm.taskId).catch((error: unknown) => String(error));
  if (typeof view === 'string')
    return { ...counted, outcome: 'unknown', problems: [`the record is not readable: ${view}`] };
  const { outcome } = view;
  if (outcome === null)
    return { ...counted, outcome: 'none', problems: [`the task is still in ${view.phase}`] };
  const hasEnded = journalOf(botStateDir, harm.instanceId ?? harm.taskId).hasEnded();
  const problems = [
    ...(harm.ends.includes(outcome.kind)
      ? []
      : [`it ended as ${JSON.stringify(outcome).slice(0, 300)}, not as ${harm.ends.join(' or ')}`]),
    ...(answers.length === 1
      ? []
      : [`it has ${answers.length} answers: ${answers.map((text) => text.slice(0, 80)).join(' | ')}`]),
    ...(outcome.kind === 'pull-request' && !answers.some((text) => text.includes(outcome.pullRequest.url))
      ? ['its answer does not link the pull request']
      : []),
    ...(await changeProblems(view, harm, place)),
    ...left.map((found) => `left over: ${found}`),
    ...(tokens === 0 || harm.losesTokens === true ? [] : [`${tokens} installation tokens still work`]),
    ...(hasEnded ? [] : ['its Workflow has not ended']),
  ];
  // Read last and once: it is the longest.
  return {
    ...counted,
    outcome: outcomeText(view),
    problems: problems.length > 0 ? problems : await logProblems(harm.taskId, place),
  };
}

const outcomeText = ({ outcome }: TaskView): string =>
  outcome === null ? 'none' : 'reason' in outcome ? `${outcome.kind}: ${outcome.reason.code}` : outcome.kind;

/** A post that shows progress is no answer, and neither is a link to the answer below it. */
function answersOf({ taskId, asker, instanceId = '' }: Harm, { lane, repository }: Place): readonly string[] {
  const { world } = lane;
  // Each attempt to publish has an end of its own, and a command such as `retry` an answer.
  const attempt = /-publish-(\d+)$/.exec(instanceId)?.[1] ?? '0';
  const marker = new RegExp(`<!-- airlock:(?:(?:task|result)=${taskId}|end=${taskId}-${attempt}) -->`);
  const isOf = (body: string): boolean => marker.test(body) || !body.includes('<!-- airlock:');
  const texts =
    asker.kind === 'issue'
      ? world.github
          .comments({ ...repository, issue: asker.issue })
          .filter(({ author, body }) => author === 'airlock[bot]' && isOf(body))
          .map(({ body }) => body)
      : world.slack
          .thread(asker.channel, asker.threadTs)
          .filter(({ fromBot }) => fromBot)
          .map(({ text, shown }) => `${text}\n${shown}`);
  return texts.filter((text) => !text.includes('⏳') && !text.includes('#issuecomment-'));
}

/** One pull request with exactly the model's change if the task says so; else none, and no branch. */
async function changeProblems(
  { outcome }: TaskView,
  { continues }: Harm,
  { lane, repository, before }: Place,
): Promise<readonly string[]> {
  const known = continues === undefined ? before.pulls : [];
  const pulls = (await lane.world.github.pulls(repository)).filter(({ number }) => !known.includes(number));
  const branches = (await lane.world.github.branches(repository)).map(({ name }) => name);
  const wantedBranches = [...before.branches, ...pulls.map(({ headRef }) => headRef)];
  const others = branches.filter((name) => !wantedBranches.includes(name));
  const isPublished = outcome?.kind === 'pull-request';
  const wanted = isPublished || continues !== undefined ? 1 : 0;
  if (pulls.length !== wanted || others.length > 0)
    return [`there are ${pulls.length} pull requests, and the branches ${branches.join(', ')}`];
  const [pull] = pulls;
  if (pull === undefined) return [];
  const git = async (...args: readonly string[]) =>
    (await run('git', ['--git-dir', repository.gitDir, ...args], { timeout: 60_000 })).stdout.trim();
  const base = continues?.headSha ?? repository.headSha;
  const head = pull.headSha;
  const commits = await git('rev-list', '--count', `${base}..${head}`);
  if (commits !== (isPublished ? '1' : '0')) return [`its pull request has ${commits} commits of the task`];
  if (!isPublished) return [];
  const changed = await git('diff', '--name-status', base, head);
  const text = (await git('show', `${head}:src/split.js`)).split('\n');
  const missing = addedLines.filter((line) => !text.includes(line));
  return changed === 'M\tsrc/split.js' && missing.length === 0
    ? []
    : [`its pull request changes ${JSON.stringify(changed)}, without ${JSON.stringify(missing)}`];
}

const addedLines = splitBillPatch
  .split('\n')
  .filter((line) => line.startsWith('+'))
  .map((line) => line.slice(1));

/** Of one task's sandbox: its folder, processes and mounts, in each folder that a host of the lane had. */
function leftOf(taskId: string, { lane }: Place): readonly string[] {
  const name = sandboxIdOf(taskId).slice(0, 16);
  const places = lane.folders().map((folder) => join(folder, name));
  return [
    ...lane.folders().flatMap((folder) => (namesIn(folder).includes(name) ? [join(folder, name)] : [])),
    ...processesNaming(places).map((pid) => `process ${pid}`),
    ...mountsBelow(places),
  ];
}

/** If its Worker was killed before the answer, nobody knows a token, or can revoke it: those do not count. */
function liveTokens({ lane, repository }: Place): number {
  const name = `${repository.owner}/${repository.name}`;
  return lane.world.github
    .issuedTokens()
    .filter(({ repositories }) => repositories.includes(name))
    .filter(({ revoked, used, expiresAt }) => used && !revoked && expiresAt > Date.now()).length;
}

/** The log is complete and in order, and no command is run or told twice. */
async function logProblems(taskId: string, { lane, signal }: Place): Promise<readonly string[]> {
  const events = await follow(lane.world, taskId, { patienceMs: 60_000, signal });
  const gap = events.findIndex(({ seq }, index) => seq !== index + 1);
  const commands = events.flatMap(({ body }) => (body.kind === 'command.started' ? [body.command] : []));
  const twice = commands.filter((command, index) => commands.indexOf(command) !== index);
  return [
    ...(gap === -1 ? [] : [`its log has a gap before event ${gap + 1}`]),
    ...twice.map((command) => `a command was run or told twice: ${command}`),
  ];
}
