/** The life of a task with its real record, against fakes of the outside world. */
import { noBudget } from '../../core/policy.ts';
import type { MonthSpent } from '../../core/budget.ts';
import { reasonOf } from '../../core/reason.ts';
import { aReason } from '../../../test/fixtures/a-reason.ts';
import { describe, expect, it } from 'vitest';
import { createCodex } from '../../codex/codex.ts';
import type { CommitChecks } from '../../core/ask/checks.ts';
import type { ChangeSet, Measure } from '../../core/change-set.ts';
import type { SlotClaim } from '../../core/admission.ts';
import { noConventions } from '../../core/ask/conventions.ts';
import { type EgressEntry, totalOnly } from '../../core/grant.ts';
import {
  startsFromConfiguredBase,
  type AgentEnd,
  type Approval,
  type Authorization,
} from '../../core/authorization.ts';
import { remarkOf } from '../../core/remark.ts';
import type { CleanMerge, Publication, PublishInput } from '../../core/ports/publication.ts';
import type { TaskRecordPort } from '../../core/ports/task-record.ts';
import {
  SandboxBusyError,
  SandboxLostError,
  SandboxNotInterceptedError,
  SandboxUnavailableError,
  SandboxUnsupportedError,
  type SandboxSpec,
  type ExecResult,
  type TaskSandbox,
} from '../../core/ports/sandbox-port.ts';
import { UpstreamError } from '../../core/ports/upstream-error.ts';
import type { SlotAnswer } from '../../core/ports/slots-port.ts';
import type { Chat, Conversations } from '../../core/ports/chat-port.ts';
import type { CodexJob } from '../../core/ports/codex.ts';
import type { AskedAt, IndexedTask, Routing } from '../../core/chat.ts';
import type {
  GithubTrigger,
  PullRequestRef,
  PullRequestState,
  RepositoryRef,
  TaskJob,
  TaskOutcome,
  TaskPhase,
  TaskRequest,
} from '../../core/task.ts';
import { MemoryTasks, type MemoryRecord } from '../../../test/memory/memory-tasks.ts';
import {
  acceptedAt,
  authorization,
  facts,
  githubTrigger,
  member,
  policy,
  request,
  slackRequest,
  slackTrigger,
} from '../../../test/fixtures/sample-task.ts';
import type { TaskDeps } from './stage.ts';
import type { AttachmentAnswer } from '../../core/attachment.ts';
import type { IssueContext } from '../../core/ask/context.ts';
import { png } from '../../../test/fixtures/images.ts';
import { taskLimits } from '../limits.ts';
import { workflowIdOf, type AskerAccess } from '../start-task.ts';
import { runTask } from './workflow.ts';
import { smallMeasure } from '../../../test/fixtures/sample-measure.ts';

const baseSha = authorization.baseSha;
const pullRequest = {
  number: 8,
  title: 'Fix it',
  url: 'https://github.com/acme/app/pull/8',
  headRef: 'airlock/x',
  headSha: 'b'.repeat(40),
  draft: false,
};
const receiptCheck = { isMarked: false, title: 'No remarks', summary: '', text: '' };
const openPull: PullRequestState = {
  pullRequest,
  open: true,
  sameRepository: true,
  baseBranch: 'main',
  baseSha: 'c'.repeat(40),
  merged: false,
  locked: false,
  autoMerge: false,
  author: 'wes',
};
const changed: ChangeSet = {
  base: baseSha,
  files: [{ type: 'deletion', path: 'x' }],
  skipped: [],
  links: [],
  diskFull: false,
};
const emptyContext: IssueContext = {
  number: 7,
  title: '',
  author: 'ada',
  throughApp: null,
  authorCanWrite: true,
  body: '',
  bodyLeftOut: false,
  bodyIsInstruction: false,
  labels: [],
  comments: [],
  commentsLeftOut: 0,
  pull: null,
};
const measured: Measure = { ...smallMeasure, insertions: 0 };
const allowedEntry: EgressEntry = {
  at: 0,
  method: 'GET',
  host: 'github.com',
  path: '/',
  verdict: 'allowed',
  rule: 'github.info-refs',
  reason: '',
  status: 200,
  bytesUp: 0,
  bytesDown: 0,
};
const begunMerge = { ok: true, tree: 'e'.repeat(40), conflicts: { paths: ['a.txt', 'x'], more: 0 } };
const unchanged: ChangeSet = { ...changed, files: [] };
const ok: ExecResult = { exitCode: 0, stdout: '', stderr: '', truncated: false, timedOut: false };

const failingChecks: CommitChecks = {
  sha: '',
  failing: [
    {
      name: 'test',
      by: 'github-actions',
      conclusion: 'failure',
      summary: '',
      steps: [],
      log: 'not ok 1',
      noLog: null,
    },
  ],
  failingLeftOut: 0,
  running: [],
  unread: [],
};

const noSums = { tokens: 0, dollars: 0 };
const nothingSpent: MonthSpent = {
  everything: noSums,
  repository: noSums,
  person: noSums,
  personInRepository: noSums,
};
const spending = (tokens: number): MonthSpent => ({ ...nothingSpent, repository: { tokens, dollars: 0 } });

interface Script {
  /** What the ledger answers, one after the other. */
  readonly spent?: MonthSpent[];
  readonly kind?: 'task' | 'publish';
  readonly request?: TaskRequest;
  readonly end?: AgentEnd;
  readonly change?: ChangeSet;
  /** Lines of Codex's output before the end of its turn. */
  readonly output?: string;
  readonly turn?: { readonly status: 'completed' | 'failed'; readonly message?: string } | null;
  readonly cancelBefore?: TaskPhase;
  /** While the step works. */
  readonly cancelDuring?: TaskPhase;
  readonly deps?: Partial<TaskDeps>;
  readonly sandbox?: Partial<TaskSandbox>;
  readonly codeHost?: Partial<TaskDeps['codeHost']>;
  readonly publication?: Partial<TaskDeps['publication']>;
  readonly allowed?: boolean;
  readonly approval?: Approval;
  readonly policy?: Partial<TaskDeps['policy']>;
  readonly chat?: Partial<Chat> | null;
  /** The task of the thread before this one. */
  readonly earlier?: EarlierTask;
  /** The tasks of the thread before `earlier`, newest first. They have ended. */
  readonly before?: readonly EarlierTask[];
  /** Other tasks, by their ids. */
  readonly others?: Readonly<
    Record<
      string,
      {
        readonly request?: TaskRequest;
        readonly outcome: TaskOutcome | null;
        readonly authorization?: Authorization;
        readonly retriedBy?: string;
        readonly kept?: Readonly<Record<string, string>>;
        readonly heard?: readonly string[];
        /** The id of the task whose thread it resumed. */
        readonly continued?: string;
      }
    >
  >;
  readonly running?: RunningTask;
  /** The id of the latest turn of the conversation, one of `others`. */
  readonly earlierTurn?: string;
  /** No turn is remembered at places that begin with this. */
  readonly noneAt?: string;
  /** What a person chooses an hour after they were asked. */
  readonly choice?: RepositoryRef;
  /** In turn; granted when there are no more. */
  readonly slotAnswers?: readonly SlotAnswer[];
  readonly losesEvents?: boolean;
  /** Gets the clock. */
  readonly seeTasks?: (tasks: MemoryTasks) => void;
  /** The person was refused in this conversation before. */
  readonly told?: boolean;
}

/** A task of the conversation that Codex works on when this one is asked for. */
interface RunningTask {
  readonly request?: TaskRequest;
  readonly authorization?: Authorization;
  /** Milliseconds after the start of this task, when the model reads what was added; without it, never. */
  readonly readsAfterMs?: number;
  /** Without it, Codex works on it already. */
  readonly startsAfterMs?: number;
  readonly endsAfterMs: number;
  readonly cancelled?: true;
}

interface EarlierTask {
  readonly request?: TaskRequest;
  readonly outcome: TaskOutcome | null;
  /** Milliseconds after the start of this task; without it, it has ended before. */
  readonly endsAfterMs?: number;
  readonly continues?: PullRequestRef;
  readonly choices?: readonly RepositoryRef[];
  readonly routedAfterMs?: number;
}

const earlierEntry: IndexedTask = {
  taskId: 'slack-0',
  shortId: '99999999',
  userId: 'U1',
  channelId: 'C1',
  threadTs: slackTrigger.threadTs,
  messageTs: null,
  postedTs: slackTrigger.threadTs,
  at: 0,
};
const runningId = 'running-1';
const entryOf = (_: EarlierTask, index: number): IndexedTask => ({
  ...earlierEntry,
  taskId: `slack-before-${index}`,
});
const t0 = Date.parse(acceptedAt);

function world(script: Script) {
  const codex = createCodex({ openaiBaseUrl: 'https://api.openai.com/v1' });
  const asked = script.request ?? request;
  const log: string[] = [];
  let posted = 0;
  const grants: string[] = [];
  const published: PublishInput[] = [];
  /** The commits that got a check run. */
  const checks: string[] = [];
  const authorized: Authorization[] = [];
  const routed: Routing[] = [];
  const located: string[] = [];
  const indexed: IndexedTask[] = [];
  const turns: Parameters<Conversations['putTurn']>[0][] = [];
  /** Whether the end was there to see at each of them. */
  const endSeen: boolean[] = [];
  const lookedFor: (readonly string[])[] = [];
  const jobs: CodexJob[] = [];
  const removed: string[] = [];
  const settled: AskerAccess[] = [];
  const offered: (readonly RepositoryRef[])[] = [];
  const prompts: string[] = [];
  const images: string[] = [];
  const lookedBackFrom: (AskedAt | undefined)[] = [];
  const claims: SlotClaim[] = [];
  const slotAnswers = [...(script.slotAnswers ?? [])];
  const entered = new Map<TaskPhase, number>();

  const sandboxCalls: string[] = [];
  const sandbox: TaskSandbox = {
    start: async () => void sandboxCalls.push('start'),
    writeFile: async () => undefined,
    readFile: async () => null,
    exec: async ({ argv }) => {
      sandboxCalls.push('exec');
      if (argv.some((word) => word.endsWith('merge.js')))
        return { ...ok, stdout: JSON.stringify(begunMerge) };
      return {
        ...ok,
        stdout: argv.some((word) => word.endsWith('canary.js'))
          ? JSON.stringify({ probes: [{ name: 'a', result: 'expected', got: '' }] })
          : JSON.stringify({ ok: true, sha: baseSha, found: false, elapsedMs: 1 }),
      };
    },
    startRun: async () => void sandboxCalls.push('startRun'),
    readRun: async (name, { offset, waitMs }) => {
      if (name !== 'codex') return chunkOf('lines', 0, 0);
      const end = script.end ?? { kind: 'exited', exitCode: 0 };
      await causeEnd(end);
      const { turn = { status: 'completed' } } = script;
      const output = (script.output ?? '') + (turn === null ? '' : turnLine(turn));
      if (end.kind === 'exited') return chunkOf(output, offset, end.exitCode);
      tasks.now += waitMs;
      return chunkOf(output, offset, null);
    },
    destroy: async () => undefined,
    ...script.sandbox,
  };
  /** Of the task that runs: its driver reports what is in the control file as read. */
  let control = '';
  const runningSandbox: TaskSandbox = {
    ...sandbox,
    writeFile: async (_, content) => {
      control = String(content);
      tasks.now += 1000;
    },
    readRun: async (_, { offset, waitMs }) => {
      const { readsAfterMs = Number.POSITIVE_INFINITY, endsAfterMs = 0 } = script.running ?? {};
      tasks.now += waitMs;
      const ids = [...control.matchAll(/"id":"([^"]+)"/g)].map(([, id]) => id);
      const read = ids.map(
        (id) => `${JSON.stringify({ at: t0, driver: { kind: 'remark', id, state: 'reached' } })}\n`,
      );
      return chunkOf(
        tasks.now >= t0 + readsAfterMs ? read.join('') : '',
        offset,
        tasks.now >= t0 + endsAfterMs ? 0 : null,
      );
    },
  };
  const tasks = new MemoryTasks(t0, () => ({
    sandboxes: { idFor: (taskId) => taskId, get: (id) => (id === runningId ? runningSandbox : sandbox) },
    slots: { release: async () => undefined },
    codex,
    notifier: {
      show: async ({ request: { trigger }, facts: place }) => {
        if (trigger.kind === 'github' && place === null) return null;
        posted += 1;
        return { surface: 'github', commentId: 1 };
      },
    },
    costOf: () => null,
    addToReceipt: (receipt) => receipt,
    wakeWorkflow: async (instanceId) => tasks.wake(instanceId),
    workflowState: async () => 'live',
    startWorkflow: async () => undefined,
    forgetTokens: async () => undefined,
    report: async () => undefined,
    retentionMs: 24 * 60 * 60_000,
    now: () => tasks.now,
    log: () => undefined,
  }));
  tasks.losesEvents = script.losesEvents ?? false;
  script.seeTasks?.(tasks);
  const record = tasks.record(asked.taskId);

  /** What makes the record see this end. */
  async function causeEnd(end: AgentEnd): Promise<void> {
    const traffic = (more: { tokens?: number; bytesUp?: number; bytesDown?: number }) =>
      record.recordEgress(
        { ...allowedEntry, bytesUp: more.bytesUp ?? 0, bytesDown: more.bytesDown ?? 0 },
        totalOnly(more.tokens ?? 0),
      );
    switch (end.kind) {
      case 'exited':
      case 'deadline':
        return;
      case 'lost':
        throw new SandboxLostError(end.why);
      case 'cancelled':
        await record.cancel(end.by);
        return;
      case 'budget':
        if (end.budget === 'requests') for (let n = 0; n < taskLimits.requests; n += 1) record.admitEgress();
        else if (end.budget === 'tokens') traffic({ tokens: policy.limits.tokens });
        else traffic({ [end.budget]: taskLimits[end.budget] });
    }
  }

  /** The real record, and a list of what the Workflow asked of it. */
  const spied: TaskRecordPort = {
    snapshot: async () => record.snapshot(),
    view: async () => record.view(),
    learn: async (findings) => {
      const { authorization: given, routing, facts: place, choices, queuePosition } = findings;
      if (given !== undefined) authorized.push(given);
      if (routing !== undefined) routed.push(routing.routing);
      if (place !== undefined) located.push(place.name);
      if (queuePosition !== undefined) log.push(`place ${queuePosition}`);
      await record.learn(findings);
      if (choices === undefined) return;
      offered.push(choices);
      const { choice } = script;
      if (choice !== undefined)
        tasks.plan(tasks.now + 60 * 60_000, async () => void (await record.choose(choice)));
    },
    appendToLog: async (line) => {
      log.push(line.kind === 'note' ? line.text : line.kind);
      record.appendToLog(line);
    },
    enter: async (phase) => {
      if (phase === script.cancelBefore) await record.cancel('maria');
      log.push(phase);
      const answer = await record.enter(phase);
      if (!entered.has(phase)) entered.set(phase, tasks.now);
      const grant = record.admitEgress()?.phase;
      if (grant !== undefined && grant !== grants.at(-1)) grants.push(grant);
      if (phase === script.cancelDuring) await record.cancel('maria');
      return answer;
    },
    choose: async (repository) => await record.choose(repository),
    updatePost: async () => {
      log.push('post');
      await record.updatePost();
    },
    watchRun: async (run) => {
      log.push(`watch ${run}`);
      await record.watchRun(run);
    },
    keep: async (name, content) => record.keep(name, content),
    kept: async (name) => record.kept(name),
    addWaiter: async (taskId) => record.addWaiter(taskId),
    addRemark: async (remark) => await record.addRemark(remark),
    remarkFate: async (id) => record.remarkFate(id),
    finish: async (outcome) => await record.finish(outcome),
    cancel: async (by) => await record.cancel(by),
    close: async () => {
      await record.close();
      log.push('closed');
    },
    claimRetry: async (by, instead) => record.claimRetry(by, instead),
    startPublicationAttempt: async (approval) => await record.startPublicationAttempt(approval),
  };
  const deps: TaskDeps = {
    record: spied,
    sandbox,
    slots: {
      request: async (claim) => {
        claims.push(claim);
        return slotAnswers.shift() ?? { granted: true };
      },
      release: async () => undefined,
    },
    setupCache: null,
    codex: {
      ...codex,
      invocation: (job) => {
        prompts.push(job.prompt);
        images.push(...job.images);
        jobs.push(job);
        return codex.invocation(job);
      },
    },
    codeHost: {
      locate: async () => facts,
      canWrite: async () => true,
      headOf: async () => baseSha,
      displayedWords: async () => null,
      // What arrived, as it is displayed.
      reviewWords: async (_, { comment = '', event, triggeredAt, commentId, lineComment }) => {
        const text = { markdown: comment, shown: shown(comment) };
        const empty = { markdown: '', shown: shown('') };
        const lines =
          commentId === null || lineComment === undefined
            ? []
            : [{ ...text, id: commentId, place: lineComment }];
        return event === 'review'
          ? { submittedAt: triggeredAt, own: text, lines: [] }
          : { submittedAt: triggeredAt, own: empty, lines };
      },
      issueContext: async () => null,
      attachment: async () => ({ kind: 'refused', why: 'is not there' }),
      conventions: async () => noConventions,
      commitChecks: async (_, sha) => ({ ...failingChecks, sha }),
      react: async () => undefined,
      saveProgressComment: async () => 1,
      saveEndComment: async () => 2,
      replyToLines: async () => [],
      pullRequest: async () => openPull,
      account: async (_, login) => ({ login, id: 5 }),
      relocate: async () => facts,
      installedRepositories: async () => [],
      forgetTokens: async () => undefined,
      ...script.codeHost,
    },
    publication: {
      parseChange: () => ({ ok: true, change: script.change ?? changed }),
      measure: async () => measured,
      mergeCleanly: async () => ({ kind: 'conflict', ancestor: 'd'.repeat(40) }),
      gate: () => ({ kind: 'allow' }),
      leftOut: () => null,
      receiptCheck: (_, { added, pullRequest: { headSha, number } }) => ({
        ...receiptCheck,
        sha: added ?? headSha,
        pull: added === null ? null : number,
      }),
      mergeCheck: (sha, pull) => ({ ...receiptCheck, sha, pull }),
      saveReceiptCheck: async (_facts, _taskId, { sha }) => {
        checks.push(sha ?? '');
        return 'saved';
      },
      changeHash: async (lines) => `hash of ${lines}`,
      publish: async (input) => {
        published.push(input);
        const added = input.continues === null ? null : 'd'.repeat(40);
        return {
          kind: 'published',
          pullRequest,
          added,
          ...(input.pull === null ? {} : { report: 'Receipt' }),
        };
      },
      ...script.publication,
    },
    policy: {
      forRepository: () =>
        script.allowed === false ? { allowed: false, reason: aReason('not-listed', 'not listed') } : policy,
      named: [{ owner: 'acme', name: 'app' }],
      hasPatterns: false,
      slack: {
        team: 'T1',
        channelDefaults: new Map(),
        githubLogins: new Map([['U1', 'maria-on-github']]),
        replies: 'all',
      },
      budget: noBudget,
      ...script.policy,
    },
    chat:
      script.chat === null
        ? null
        : {
            person: async () => member,
            threadContext: async () => null,
            attachment: async () => ({ kind: 'refused', why: 'is not there' }),
            react: async () => void log.push('react'),
            saveTaskMessage: async () => null,
            permalink: async () => 'https://acme.slack.com/archives/C1/p1',
            ...script.chat,
          },
    index: {
      put: async (task) => void indexed.push(task),
      inThread: async (_channel, _thread, before) => {
        lookedBackFrom.push(before);
        const chain = [
          ...(script.running === undefined ? [] : [{ ...earlierEntry, taskId: runningId }]),
          ...(script.earlier === undefined ? [] : [earlierEntry, ...(script.before ?? []).map(entryOf)]),
        ];
        return chain[chain.findIndex(({ taskId }) => taskId === before?.taskId) + 1] ?? null;
      },
      byMessage: async () => null,
      recent: async () => [],
    },
    conversations: {
      putTurn: async (turn) => {
        turns.push(turn);
        endSeen.push(record.view()?.outcome != null);
      },
      latestTurn: async (_, places) => {
        lookedFor.push(places);
        if (script.noneAt !== undefined && places[0]?.startsWith(script.noneAt) === true) return null;
        return script.earlierTurn ?? null;
      },
    },
    issueTasks: {
      onIssue: async () => [
        ...(script.running === undefined ? [] : [asked.taskId, runningId]),
        ...Object.keys(script.others ?? {}),
      ],
      removeFromIssue: async ({ taskId }) => void removed.push(taskId),
    },
    settle: async (_, access) => {
      settled.push(access);
      return { told: script.told ?? false };
    },
    recordOf: (taskId) => asPort(tasks.record(taskId)),
    retryPublication: async () => ({ started: true }),
    spent: async () => script.spent?.shift() ?? nothingSpent,
    taskUrl: () => null,
    askedUrl: () => null,
    now: () => tasks.now,
    log: () => undefined,
    ...script.deps,
  };

  /** Opens the records that are there before the task. */
  async function prepare(): Promise<void> {
    await record.open(asked);
    for (const [taskId, { outcome, ...other }] of Object.entries(script.others ?? {})) {
      const opened = tasks.record(taskId);
      await opened.open(other.request ?? { ...request, taskId });
      if (other.authorization !== undefined) await opened.learn({ authorization: other.authorization });
      if (other.retriedBy !== undefined) opened.claimRetry(other.retriedBy, null);
      const { heard = [], continued } = other;
      if (heard.length > 0 || continued !== undefined)
        await opened.learn({ earlierTurn: { taskId: continued ?? 'x', shortId: 'x', why: null, heard } });
      for (const [name, content] of Object.entries(other.kept ?? {})) opened.keep(name, content);
      if (outcome !== null) await tasks.record(taskId).finish(outcome);
    }
    for (const [index, older] of (script.before ?? []).entries()) {
      const { taskId } = entryOf(older, index);
      await tasks.record(taskId).open({ ...(older.request ?? slackRequest), taskId });
      if (older.continues !== undefined)
        await tasks.record(taskId).learn({ authorization: { ...authorization, continues: older.continues } });
      if (older.outcome !== null) await tasks.record(taskId).finish(older.outcome);
    }
    const { earlier, running } = script;
    if (running !== undefined) {
      const other = tasks.record(runningId);
      await other.open({ ...(running.request ?? request), taskId: runningId });
      await other.learn({ authorization: running.authorization ?? authorization });
      const start = async () => {
        await other.enter('codex');
        await other.watchRun('codex');
      };
      if (running.startsAfterMs === undefined) await start();
      else tasks.plan(t0 + running.startsAfterMs, start);
      const end =
        running.cancelled === true
          ? ({ kind: 'cancelled', by: 'ben' } as const)
          : ({ kind: 'pull-request', pullRequest } as const);
      // Publication takes a minute.
      tasks.plan(t0 + running.endsAfterMs + 60_000, async () => await other.finish(end));
      if (running.cancelled === true)
        tasks.plan(t0 + running.endsAfterMs, async () => void (await other.cancel('ben')));
    }
    if (earlier === undefined) return;
    const before = tasks.record(earlierEntry.taskId);
    await before.open({ ...(earlier.request ?? request), taskId: earlierEntry.taskId });
    if (earlier.continues !== undefined)
      await before.learn({ authorization: { ...authorization, continues: earlier.continues } });
    if (earlier.choices !== undefined) await before.learn({ choices: earlier.choices });
    const routing = { repository: { owner: 'acme', name: 'app' }, by: 'only' } as const;
    if (earlier.routedAfterMs !== undefined)
      tasks.plan(t0 + earlier.routedAfterMs, async () => {
        await before.learn({ routing: { routing, requesterName: 'Maria' } });
      });
    const { outcome, endsAfterMs } = earlier;
    if (outcome === null) return;
    if (endsAfterMs === undefined) await before.finish(outcome);
    else {
      // In the queue it may take hours.
      await before.enter('slot');
      tasks.plan(t0 + endsAfterMs, async () => await before.finish(outcome));
    }
  }

  return {
    deps,
    tasks,
    record,
    sandboxCalls,
    prepare,
    log,
    claims,
    grants,
    published,
    checks,
    authorized,
    routed,
    prompts,
    images,
    turns,
    endSeen,
    lookedFor,
    jobs,
    lookedBackFrom,
    located,
    indexed,
    removed,
    settled,
    offered,
    entered,
    outcome: () => record.snapshot()?.outcome ?? null,
    passedOn: () =>
      control.split('\n').flatMap((line) => /instruction\\n(.*)\\nAIRLOCK/.exec(line)?.[1] ?? []),
    control: () => control,
    fates: () =>
      tasks
        .record(runningId)
        .view()
        ?.remarks.map(({ by, text }) => `${by}: ${text}`) ?? [],
    posted: () => posted,
  };
}

/** A record as the port that it is reached through from another process. */
function asPort(record: MemoryRecord): TaskRecordPort {
  return {
    snapshot: async () => record.snapshot(),
    view: async () => record.view(),
    learn: async (findings) => await record.learn(findings),
    appendToLog: async (line) => record.appendToLog(line),
    enter: async (phase) => await record.enter(phase),
    choose: async (repository) => await record.choose(repository),
    updatePost: async () => await record.updatePost(),
    watchRun: async (run) => await record.watchRun(run),
    keep: async (name, content) => record.keep(name, content),
    kept: async (name) => record.kept(name),
    addWaiter: async (taskId) => record.addWaiter(taskId),
    addRemark: async (remark) => await record.addRemark(remark),
    remarkFate: async (id) => record.remarkFate(id),
    finish: async (outcome) => await record.finish(outcome),
    cancel: async (by) => await record.cancel(by),
    close: async () => await record.close(),
    claimRetry: async (by, instead) => record.claimRetry(by, instead),
    startPublicationAttempt: async (approval) => await record.startPublicationAttempt(approval),
  };
}

function turnLine({ status, message }: { readonly status: string; readonly message?: string }): string {
  const error = message === undefined ? null : { message };
  return `${JSON.stringify({ at: t0, event: { method: 'turn/completed', params: { turn: { status, error } } } })}\n`;
}

function chunkOf(output: string, offset: number, exitCode: number | null) {
  const bytes = new TextEncoder().encode(output);
  return { bytes: bytes.subarray(offset), size: bytes.byteLength, exitCode };
}

const shown = (text: string) => ({ text, addressable: text });

/** Codex's final answer, as its line of output. */
const said = (answer: string) =>
  `${JSON.stringify({
    at: t0,
    event: {
      method: 'item/completed',
      params: { item: { type: 'agentMessage', id: '1', text: answer, phase: 'final_answer' } },
    },
  })}\n`;

/** The log without posts, and without repeats of a phase that is looked at again. */
const steps = (log: readonly string[]) =>
  log.filter((line, at) => line !== 'post' && line !== log.slice(0, at).findLast((one) => one !== 'post'));

/** Follows on a publication that GitHub rejected, or a change that was held. */
async function live(script: Script) {
  const isAttempt = script.kind === 'publish';
  const asked = script.request ?? request;
  const it = world(script);
  await it.prepare();
  let attempts = 0;
  if (isAttempt) {
    const { publication } = it.deps;
    const rejects = async () => ({ kind: 'rejected', reason: aReason('no', 'no') }) as const;
    const first = { ...it.deps, publication: { ...publication, publish: rejects } };
    await runTask({ kind: 'task', request: asked }, it.tasks.workflow(asked.taskId), first);
    const started = await it.record.startPublicationAttempt(script.approval ?? null);
    if (!started.started) throw new Error(started.reason);
    attempts = started.attempt;
    it.log.length = 0;
    it.sandboxCalls.length = 0;
  }
  const step = it.tasks.workflow(workflowIdOf(asked.taskId, attempts));
  const result = await runTask({ kind: script.kind ?? 'task', request: asked }, step, it.deps);
  return { ...it, result };
}

describe('what people attach', () => {
  const place = { kind: 'issue', id: 7 } as const;
  const attached = (...names: readonly string[]): Script => ({
    codeHost: {
      issueContext: async () => ({
        ...emptyContext,
        attachments: names.map((name) => ({
          source: 'github',
          place,
          address: name,
          name,
          by: 'eve',
          own: false,
        })),
      }),
      attachment: async (_facts, _request, { name }): Promise<AttachmentAnswer> => {
        if (name === 'broken') throw new Error('no route');
        if (name === 'gone') return { kind: 'refused', why: 'is gone' };
        const text = name === 'page' ? '<!doctype html>' : 'boom';
        return {
          kind: 'bytes',
          bytes: name.endsWith('.png') ? png(3, 2) : Uint8Array.from(new TextEncoder().encode(text)),
        };
      },
    },
  });

  it('is in the sandbox before Codex starts, images as input and texts in the prompt', async () => {
    const written: string[] = [];
    const { images, prompts, log, record } = await live({
      ...attached('a.png', 'gone', 'x.log', 'page', 'broken', 'b.png'),
      sandbox: {
        writeFile: async (path, content) =>
          void written.push(`${path} ${typeof content === 'string' ? 'text' : content.length}`),
        startRun: async (name) => void written.push(name),
      },
    });
    const [one, two, three] = ['1.png', '3.txt', '6.png'].map((name) => `/run/airlock/attachments/${name}`);
    const size = png(3, 2).length;
    expect(written.filter((line) => /attachments|^codex/.test(line))).toEqual([
      `${one} ${size}`,
      `${two} 4`,
      `${three} ${size}`,
      'codex',
    ]);
    expect(images).toEqual([one, three]);
    expect(prompts[0]).toContain(`text ${two}: x.log, from eve\n`);
    expect(prompts[0]).toContain(`text of ${two}\nboom\n`);
    const left =
      'gone is gone; page is an HTML page; attach what matters of it as plain text; broken could not be fetched';
    expect(log).toContain(`Codex did not get these attachments: ${left}.`);
    expect(record.view()?.attachmentsLeft).toBe(`Codex did not get these attachments: ${left}.`);
    expect(prompts[0]).toContain(left.replaceAll(/; (?=page|broken)/g, '\n'));
  });

  it('takes a few minutes at most', async () => {
    const clock: MemoryTasks[] = [];
    const script = attached('slow', 'x.log');
    const { log } = await live({
      seeTasks: (seen) => void clock.push(seen),
      codeHost: {
        ...script.codeHost,
        attachment: async () => {
          for (const tasks of clock) tasks.now += taskLimits.attachmentsMs + 1;
          return { kind: 'refused', why: 'was slow' };
        },
      },
    });
    const left = 'slow was slow; x.log was not fetched, because the others took too long';
    expect(log).toContain(`Codex did not get these attachments: ${left}.`);
  });

  it('is at most ten files', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `${index}.log`);
    const { log } = await live(attached(...names));
    const why = 'is beyond the limit of 10 files';
    expect(log).toContain(`Codex did not get these attachments: 10.log ${why}; 11.log ${why}.`);
  });
});

describe('what GitHub answers', () => {
  const reason = aReason('some-code', 'GitHub says why, and what to do.');
  const away = new UpstreamError({ kind: 'transient', waitMs: null, reason });
  const limited = new UpstreamError({ kind: 'transient', waitMs: 20 * 60_000, reason });
  const refused = new UpstreamError({ kind: 'refused', reason });
  const gone = new UpstreamError({ kind: 'gone', reason });
  type Call = 'locate' | 'canWrite' | 'headOf' | 'issueContext';
  /** Fails one call until a time. */
  const failing = (call: Call, error: Error, untilMs = Number.POSITIVE_INFINITY): Script => {
    const tasks: MemoryTasks[] = [];
    return {
      seeTasks: (seen) => void tasks.push(seen),
      codeHost: {
        [call]: async () => {
          if ((tasks[0]?.now ?? 0) < t0 + untilMs) throw error;
          return { locate: facts, canWrite: true, headOf: baseSha, issueContext: null }[call];
        },
      },
    };
  };

  it.each<[Call, string, Error, number]>([
    ['locate', 'away for two minutes', away, 120_000],
    ['locate', 'limited for twenty minutes', limited, 1_200_000],
    ['canWrite', 'limited for twenty minutes', limited, 1_200_000],
    ['headOf', 'away for ten minutes', away, 600_000],
    ['issueContext', 'limited for twenty minutes', limited, 1_200_000],
  ])('%s is waited for while GitHub is %s', async (call, _, error, untilMs) => {
    const { result, tasks } = await live(failing(call, error, untilMs));
    expect(result.kind).toBe('pull-request');
    expect(tasks.now - t0).toBeGreaterThanOrEqual(untilMs);
  });

  it.each<[Call, Error]>([
    ['locate', refused],
    ['canWrite', refused],
    ['headOf', refused],
    ['issueContext', gone],
  ])('ends the task in its own words when %s is refused for good', async (call, error) => {
    const { result } = await live(failing(call, error));
    expect(result).toEqual({ kind: 'refused', reason });
  });

  it('is the reason of a task whose time ends before GitHub is back', async () => {
    const { result } = await live(failing('locate', away));
    expect(result).toEqual({ kind: 'failed', reason, changeKept: false });
  });

  it('is waited for at publication', async () => {
    let calls = 0;
    const limitedOnce = async () => {
      calls += 1;
      if (calls === 1) throw limited;
      return { kind: 'published', pullRequest, added: null } as const;
    };
    const { result } = await live({ publication: { publish: limitedOnce } });
    expect([result.kind, calls]).toEqual(['pull-request', 2]);
  });
});

describe('the check run of a published commit', () => {
  const failure = (kind: 'transient' | 'refused') =>
    new UpstreamError({ kind, waitMs: null, reason: aReason('away', 'Away.') });
  it.each<[string, Partial<Publication>]>([
    ['is saved', {}],
    [
      'ends no task if GitHub refuses it',
      { saveReceiptCheck: async () => await Promise.reject(failure('refused')) },
    ],
    [
      'ends no task if GitHub is away',
      { saveReceiptCheck: async () => await Promise.reject(failure('transient')) },
    ],
    ['is left out without the permission', { saveReceiptCheck: async () => 'not-permitted' }],
  ])('%s', async (_, publication) => {
    const { result, checks } = await live({ publication });
    expect(result.kind).toBe('pull-request');
    expect(checks).toEqual(publication.saveReceiptCheck === undefined ? [pullRequest.headSha] : []);
  });
});

describe('a repository that was renamed while the task ran', () => {
  const present = { ...facts, name: 'other' };
  const moved = { kind: 'rejected', reason: aReason('repository-moved', 'no') } as const;

  it('gives the rename as the reason, keeps the change and posts under the new name', async () => {
    const { result, located } = await live({
      codeHost: { relocate: async () => present },
      publication: { publish: async () => moved },
    });
    expect(result).toEqual({
      kind: 'failed',
      changeKept: true,
      patch: measured.patch,
      reason: {
        code: 'repository-renamed',
        cause: 'people',
        message: '`acme/app` was renamed or moved while this task ran; it is `acme/other` now.',
        next: 'Make sure that the configuration allows the new name, then retry the publication.',
      },
    });
    expect(located).toEqual(['app', 'other']);
  });

  it('is published to under the new name when publication is retried', async () => {
    const { result, published, log } = await live({
      kind: 'publish',
      codeHost: { relocate: async () => present },
    });
    expect(result).toEqual({ kind: 'pull-request', pullRequest });
    expect(published.map((input) => input.facts.name)).toEqual(['other']);
    expect(log).toContain('`acme/app` was renamed to `acme/other`: the change goes there.');
  });

  it('is not published to when the configuration does not allow the new name', async () => {
    const { result, published } = await live({
      kind: 'publish',
      codeHost: { relocate: async () => present },
      policy: {
        forRepository: ({ name }) =>
          name === 'app' ? policy : { allowed: false, reason: aReason('not-listed', 'no') },
      },
    });
    expect(published).toEqual([]);
    expect(result).toMatchObject({ kind: 'failed', changeKept: true });
  });

  it('changes nothing of a task that ends well, nor of an outcome when GitHub cannot be asked', async () => {
    const renamed = await live({ codeHost: { relocate: async () => present } });
    expect(renamed.result).toEqual({ kind: 'pull-request', pullRequest });
    const unknown = await live({
      codeHost: { relocate: async () => await Promise.reject(new Error('502')) },
      publication: { publish: async () => moved },
    });
    expect(unknown.result).toEqual({ ...moved, kind: 'failed', changeKept: true, patch: measured.patch });
  });
});

describe('a task', () => {
  it('goes through its phases in order and ends in a pull request', async () => {
    const { result, log, grants, published } = await live({});
    expect(result).toEqual({ kind: 'pull-request', pullRequest });
    expect(steps(log)).toEqual([
      'authorize',
      'acknowledge',
      'slot',
      'provision',
      'canary',
      'clone',
      'codex',
      'watch codex',
      // Looks whether Codex has ended.
      'codex',
      'collect',
      'gate',
      'publish',
      'report',
      'closed',
    ]);
    expect(grants).toEqual(['sealed', 'clone', 'run', 'sealed']);
    expect(published[0]).toMatchObject({ draft: false, remarks: [], baseBranch: 'main' });
  });

  it('publishes the change that a Workflow instance collected before it was lost', async () => {
    const it = world({});
    await it.prepare();
    const { publication } = it.deps;
    const lost = { ...publication, publish: async () => await new Promise<never>(() => undefined) };
    const run = async (instance: string, deps: TaskDeps) =>
      await runTask({ kind: 'task', request }, it.tasks.workflow(instance), deps);
    void run(request.taskId, { ...it.deps, publication: lost });
    await expect.poll(() => it.log).toContain('gate');
    it.log.length = 0;
    const gone = async () => await Promise.reject(new SandboxLostError('its machine is gone'));
    const sandbox = { ...it.deps.sandbox, start: gone, readFile: gone };
    expect(await run(`${request.taskId}-2`, { ...it.deps, sandbox })).toMatchObject({ kind: 'pull-request' });
    expect(steps(it.log)).toEqual(['authorize', 'collect', 'gate', 'publish', 'report', 'closed']);
  });

  it.each<Partial<Script>>([{}, { kind: 'publish' }])(
    'asks for the title and the template of the repository, and publishes what Codex made of them: %j',
    async (script) => {
      const template = '## What';
      const subjects = ['fix: a', 'fix: b', 'feat: c', 'docs: d', 'fix: e'];
      const read: unknown[] = [];
      const judged: unknown[] = [];
      const answer = { title: 'Repair it.', summary: 's', pullRequestText: '## What\n\nIt.' };
      const it = await live({
        output: said(JSON.stringify(answer)),
        codeHost: {
          conventions: async (_, sha, wanted) => (read.push([sha, wanted]), { subjects, template }),
        },
        publication: { gate: ({ words }) => (judged.push(words), { kind: 'allow' }) },
        ...script,
      });
      const fitted = { ...answer, title: 'fix: repair it', valid: true };
      expect(it.published[0]).toMatchObject({ answer: fitted, template });
      expect(judged.at(-1)).toEqual(fitted);
      expect(read).toEqual([[baseSha, { template: true }]]);
      expect(it.prompts[0]).toMatch(/Conventional Commits[^]*`pullRequestText`, the template above/);
      expect(it.prompts[0]).toContain('pull request template\n## What\n');
    },
  );

  it('does not depend on the conventions of the repository', async () => {
    const conventions = async () => await Promise.reject(new Error('502'));
    const { result, published, prompts } = await live({ codeHost: { conventions } });
    expect(result).toEqual({ kind: 'pull-request', pullRequest });
    expect(published[0]?.template).toBe(null);
    expect(prompts[0]).toContain('`pullRequestText`, which is null.');
  });

  it.each<[string, Script, readonly AskerAccess[]]>([
    ['access', {}, ['granted']],
    ['access, and asks for help', { request: { ...request, ask: { kind: 'help' } } }, ['granted']],
    ['access to a repository that is not allowed', { allowed: false }, ['refused']],
    ['no access', { codeHost: { canWrite: async () => false } }, ['refused']],
    ['access that cannot be known', { codeHost: { locate: async () => null } }, ['unknown']],
    [
      'access to another repository of that name',
      { codeHost: { locate: async () => ({ ...facts, repositoryId: 99 }) } },
      ['unknown'],
    ],
  ])('tells its inbox that the person has %s', async (_, script, access) => {
    expect((await live(script)).settled).toEqual(access);
  });

  it.each([
    ['in this conversation for the first time', false, true],
    ['in a conversation where they were refused before', true, false],
  ])('that refuses a person %s (told: %s) posts it: %s', async (_, told, posts) => {
    const { result, record } = await live({ codeHost: { canWrite: async () => false }, told });
    expect(result.kind).toBe('refused');
    expect(record.events().some(({ body }) => body.kind === 'acknowledged')).toBe(posts);
  });

  const capped = { forRepository: () => ({ ...policy, budget: { ...noBudget, tokens: 1000 } }) };
  it.each<[string, Script, Partial<TaskOutcome>]>([
    ['the repository is not allowed', { allowed: false }, { kind: 'refused' }],
    ['the requester may not write', { codeHost: { canWrite: async () => false } }, { kind: 'refused' }],
    [
      'the base branch does not exist',
      { codeHost: { headOf: async () => null } },
      { kind: 'refused', reason: expect.objectContaining({ code: 'base-missing' }) },
    ],
    [
      'the budget of the repository is used up',
      { policy: capped, spent: [spending(1000)] },
      { kind: 'refused', reason: expect.objectContaining({ code: 'budget-spent' }) },
    ],
    [
      'the budget is used up while the task waits for its slot',
      { policy: capped, spent: [spending(999), spending(1000)] },
      { kind: 'refused', reason: expect.objectContaining({ code: 'budget-spent' }) },
    ],
    [
      'the mention could not be understood',
      { request: { ...request, ask: { kind: 'invalid', message: 'what?' } } },
      { kind: 'refused', reason: reasonOf('mention-invalid', { problem: 'what?' }) },
    ],
    [
      'help was asked for, under the name that the bot has here',
      { request: { ...request, ask: { kind: 'help' } } },
      { kind: 'answered', message: expect.stringContaining('`@acme-bot fix') },
    ],
    [
      'the canary finds a hole',
      {
        sandbox: {
          exec: async () => ({
            ...ok,
            exitCode: 1,
            stdout: JSON.stringify({
              probes: [
                { name: 'a', result: 'unanswered', got: 'no answer' },
                { name: 'no raw connection', result: 'wrong', got: 'connected' },
              ],
            }),
          }),
        },
      },
      { kind: 'failed', reason: expect.objectContaining({ code: 'not-sealed' }) },
    ],
    [
      'the canary says nothing',
      { sandbox: { exec: async () => ok } },
      { kind: 'failed', reason: expect.objectContaining({ code: 'sandbox-not-checked' }) },
    ],
    [
      'the canary gets no answer',
      { sandbox: { exec: async () => ({ ...ok, exitCode: 137, timedOut: true }) } },
      {
        kind: 'failed',
        reason: reasonOf('sandbox-not-checked'),
      },
    ],
    [
      'the canary cannot be run',
      { sandbox: { exec: async () => await Promise.reject(new Error('sandbox host: 504')) } },
      { kind: 'failed', reason: expect.objectContaining({ code: 'sandbox-not-checked' }) },
    ],
    ['nothing was changed', { change: unchanged }, { kind: 'no-change' }],
    [
      'all that was changed was left out',
      { change: unchanged, publication: { leftOut: () => 'Left out: a.' } },
      { kind: 'no-change', leftOut: 'Left out: a.' },
    ],
    [
      'Codex failed, and all that it changed was left out',
      {
        change: unchanged,
        publication: { leftOut: () => 'Left out: a.' },
        turn: { status: 'failed', message: 'model is down' },
      },
      {
        kind: 'failed',
        reason: expect.objectContaining({
          code: 'codex-failed',
          message: 'Codex ended early: model is down Left out: a.',
        }),
      },
    ],
    [
      'Codex failed and changed nothing',
      { change: unchanged, turn: { status: 'failed', message: 'model is down' } },
      {
        kind: 'failed',
        reason: expect.objectContaining({
          code: 'codex-failed',
          message: expect.stringContaining('model is down'),
        }),
      },
    ],
    ['it was cancelled', { end: { kind: 'cancelled', by: 'maria' } }, { kind: 'cancelled', by: 'maria' }],
    [
      'the sandbox was lost',
      { end: { kind: 'lost', why: 'gone' } },
      { kind: 'failed', reason: expect.objectContaining({ code: 'sandbox-lost' }) },
    ],
    [
      'the change does not parse',
      { publication: { parseChange: () => ({ ok: false, reason: aReason('bad', 'bad') }) } },
      { kind: 'failed', changeKept: false },
    ],
    [
      'the gate holds the change',
      {
        publication: {
          gate: () => ({ kind: 'hold', reason: aReason('secret', 'a key'), approvable: true }),
        },
      },
      { kind: 'held', reason: aReason('secret', 'a key'), changeHash: 'hash of lines' },
    ],
    [
      'the gate holds what no approval helps',
      {
        publication: {
          gate: () => ({ kind: 'hold', reason: aReason('w', 'w'), approvable: false }),
        },
      },
      { kind: 'held', reason: aReason('w', 'w'), changeHash: null },
    ],
    [
      'GitHub does not take the change',
      { publication: { publish: async () => ({ kind: 'rejected', reason: aReason('no', 'no') }) } },
      { kind: 'failed', changeKept: true },
    ],
    [
      'the repository is nowhere any more',
      {
        codeHost: { relocate: async () => null },
        publication: { publish: async () => ({ kind: 'rejected', reason: aReason('gone', 'no') }) },
      },
      { kind: 'failed', changeKept: true, reason: aReason('gone', 'no') },
    ],
    [
      'publishing keeps failing',
      { publication: { publish: async () => Promise.reject(new Error('502')) } },
      {
        kind: 'failed',
        changeKept: true,
        reason: expect.objectContaining({ next: expect.stringContaining('Retry the publication') }),
      },
    ],
    [
      'GitHub cannot be asked at all',
      { codeHost: { locate: async () => Promise.reject(new Error('down')) } },
      { kind: 'failed', changeKept: false },
    ],
    [
      'the permission check cannot be reached',
      { codeHost: { canWrite: async () => Promise.reject(new Error('down')) } },
      { kind: 'failed' },
    ],
  ])('ends, shows its outcome and cleans up when %s', async (_, script, expected) => {
    const { result, log, outcome } = await live(script);
    expect(result).toMatchObject(expected);
    expect(outcome()).toEqual(result);
    expect(log.slice(-2).sort()).toEqual(['closed', 'post']);
  });

  it('starts its sandbox when it has a slot, and shows its place until then', async () => {
    const waits = (place: number) => ({ granted: false, place }) as const;
    const { result, log, claims } = await live({ slotAnswers: [waits(17), waits(2)] });
    expect(result.kind).toBe('pull-request');
    expect(steps(log).filter((line) => /^(?:slot|place|provision|canary)/.test(line))).toEqual([
      'slot',
      'place 17',
      'slot',
      'place 2',
      'slot',
      'provision',
      'canary',
    ]);
    expect(claims).toHaveLength(3);
    expect(claims[0]).toEqual({ taskId: 'gh-1-c2', repository: 'acme/app', requester: 'github:3' });
  });

  it('never starts a sandbox when it is cancelled in the queue', async () => {
    let starts = 0;
    const { result, log } = await live({
      slotAnswers: [{ granted: false, place: 9 }],
      cancelDuring: 'slot',
      sandbox: { start: async () => void (starts += 1) },
    });
    expect(result).toEqual({ kind: 'cancelled', by: 'maria' });
    expect(starts).toBe(0);
    expect(log).toContain('closed');
  });

  it.each(['start', 'exec', 'startRun', 'writeFile'] as const)(
    'is over when the sandbox is lost in %s',
    async (method) => {
      let calls = 0;
      const lost = async () => {
        calls += 1;
        throw new SandboxLostError('gone');
      };
      const { result } = await live({ sandbox: { [method]: lost } });
      expect(result).toMatchObject({ kind: 'failed', reason: { code: 'sandbox-lost' } });
      expect(calls).toBe(1);
    },
  );

  it('is over when Codex’s run could not be read for five minutes', async () => {
    let reads = 0;
    const { result } = await live({
      sandbox: {
        readRun: async () => await Promise.reject(new Error(`unreachable for the ${(reads += 1)}th time`)),
      },
    });
    expect(reads).toBeGreaterThan(10);
    expect(result).toMatchObject({
      kind: 'failed',
      reason: {
        code: 'sandbox-lost',
        message: 'The sandbox could not be reached for five minutes.',
      },
    });
  });

  it('gives back the reserve and collects beyond the limit of processes if the disk is full', async () => {
    const freed: string[] = [];
    const unlimited: string[] = [];
    const canary = { probes: [{ name: 'a', result: 'expected', got: '' }] };
    const { result } = await live({
      sandbox: {
        writeFile: async (path) => {
          if (path.endsWith('collect.json') && freed.length === 0) throw new Error('ENOSPC');
        },
        startRun: async (name, { withoutProcessLimit }) => {
          if (withoutProcessLimit) unlimited.push(name);
        },
        exec: async ({ argv, withoutProcessLimit }) => {
          if (argv[0] === 'rm' && withoutProcessLimit) freed.push(argv.join(' '));
          const clone = { ok: true, sha: baseSha, found: false, elapsedMs: 1 };
          const report = argv.some((one) => one.includes('canary')) ? canary : clone;
          return { ...ok, stdout: JSON.stringify(report) };
        },
      },
    });
    expect(freed).toEqual(['rm -f /workspace/.airlock-base/reserve']);
    expect(unlimited).toEqual(['collect']);
    expect(result).toMatchObject({ kind: 'pull-request' });
  });

  it('runs a canary again that timed out, and never calls the sandbox unsealed for it', async () => {
    const answers = [
      { ...ok, exitCode: 137, timedOut: true },
      { ...ok, stdout: JSON.stringify({ probes: [{ name: 'a', result: 'expected', got: '' }] }) },
    ];
    const report = { ...ok, stdout: JSON.stringify({ ok: true, sha: baseSha, found: false, elapsedMs: 1 }) };
    const { result } = await live({ sandbox: { exec: async () => answers.shift() ?? report } });
    expect(answers).toEqual([]);
    expect(result).toMatchObject({ kind: 'pull-request' });
  });

  it.each([
    ['provision', 'start'],
    ['canary', 'exec'],
    ['codex', 'startRun'],
  ] as const)('is cancelled, not lost, when that takes the sandbox away during %s', async (phase, method) => {
    const gone = async () => Promise.reject(new SandboxLostError('gone'));
    const { result } = await live({ cancelDuring: phase, sandbox: { [method]: gone } });
    expect(result).toEqual({ kind: 'cancelled', by: 'maria' });
  });

  it.each<TaskPhase>([
    'authorize',
    'acknowledge',
    'slot',
    'canary',
    'clone',
    'codex',
    'collect',
    'gate',
    'publish',
  ])('stops at %s when it was cancelled before', async (phase) => {
    const { result, published } = await live({ cancelBefore: phase });
    expect(result).toEqual({ kind: 'cancelled', by: 'maria' });
    expect(published).toEqual([]);
  });

  it.each<[string, Script, RegExp]>([
    ['the time is up', { end: { kind: 'deadline' } }, /time limit/],
    ['the tokens are used up', { end: { kind: 'budget', budget: 'tokens' } }, /The token budget was used up/],
    [
      'the requests are',
      { end: { kind: 'budget', budget: 'requests' } },
      /The budget of 10,000 requests was used up/,
    ],
    [
      'what may be sent is',
      { end: { kind: 'budget', budget: 'bytesUp' } },
      /The budget of 2 GiB sent was used up/,
    ],
    [
      'what may come is',
      { end: { kind: 'budget', budget: 'bytesDown' } },
      /The budget of 8 GiB received was used up/,
    ],
    ['Codex failed half-way', { turn: { status: 'failed', message: 'model is down' } }, /model is down/],
    ['Codex crashed', { end: { kind: 'exited', exitCode: 137 }, turn: null }, /exit status 137/],
    [
      'the gate marks it',
      { publication: { gate: () => ({ kind: 'mark', remarks: ['changes AGENTS.md'] }) } },
      /AGENTS\.md/,
    ],
  ])('publishes what was done as a draft with a remark when %s', async (_, script, remark) => {
    const { result, published } = await live(script);
    expect(result.kind).toBe('pull-request');
    expect(published[0]?.draft).toBe(true);
    expect(published[0]?.remarks.join(' ')).toMatch(remark);
  });

  it('is refused before anything is spent when another repository that it reads cannot be read', async () => {
    const design = { owner: 'acme', name: 'design' };
    const { result, log, authorized } = await live({
      policy: { forRepository: () => ({ ...policy, alsoRead: [design] }) },
      codeHost: { locate: async ({ name }) => (name === 'app' ? facts : null) },
    });
    expect(result).toMatchObject({ kind: 'refused', reason: { code: 'also-read-not-installed' } });
    expect(log).not.toContain('provision');
    expect(authorized).toEqual([]);
  });

  it('works on what GitHub displays, not on what was delivered', async () => {
    const text = 'round half up';
    const { prompts, record } = await live({
      codeHost: { displayedWords: async () => shown('@acme-bot round half up') },
    });
    expect(prompts[0]).toContain(`instruction\n${text}\n`);
    expect(prompts[0]).not.toContain(request.instruction);
    expect(record.view()?.instruction).toBe(text);
  });

  it.each<[string, Partial<Script>]>([
    ['a task', {}],
    ['one that would be refused', { allowed: false }],
    ['one of somebody without access', { codeHost: { canWrite: async () => false } }],
  ])('ends %s without a word when GitHub does not display the mention', async (_, script) => {
    const displayedWords = async () => ({ text: '@acme-bot fix it', addressable: ' '.repeat(16) });
    const { result, log, posted, sandboxCalls } = await live({
      ...script,
      codeHost: { ...script.codeHost, displayedWords },
    });
    expect(result).toMatchObject({ kind: 'ignored', reason: { code: 'mention-not-displayed' } });
    expect([posted(), log.includes('react')]).toEqual([0, false]);
    expect(sandboxCalls).not.toContain('startRun');
  });

  it('is authorized for what the configuration opens, by id', async () => {
    const design = { owner: 'acme', name: 'design' };
    const setup = {
      run: 'npm ci',
      hosts: ['packages.example.com'],
      registries: [],
      optional: false,
      services: false,
    };
    const { authorized } = await live({
      policy: {
        forRepository: () => ({
          ...policy,
          setup,
          alsoRead: [design],
          lfs: true,
          extraHosts: ['docs.example.com'],
        }),
      },
      codeHost: {
        locate: async ({ name }) => (name === 'app' ? facts : { ...facts, ...design, repositoryId: 9 }),
      },
    });
    expect(authorized[0]).toMatchObject({
      policy: { setup, lfs: true, extraHosts: ['docs.example.com'] },
      alsoRead: [{ ...design, installationId: 1, repositoryId: 9 }],
    });
  });

  it.each<[string, Script, boolean]>([
    ['the default branch', {}, true],
    [
      'the branch that the configuration names',
      { policy: { forRepository: () => ({ ...policy, baseBranch: 'develop' }) } },
      true,
    ],
    ['another branch', { request: { ...request, options: { base: 'release/9' } } }, false],
  ])('from %s knows whether its base is the one that is configured', async (_, script, isConfiguredBase) => {
    const [given] = (await live(script)).authorized;
    expect(given !== undefined && startsFromConfiguredBase(given)).toBe(isConfiguredBase);
  });

  it('does not fail when GitHub takes no reaction', async () => {
    const { result } = await live({ codeHost: { react: async () => Promise.reject(new Error('422')) } });
    expect(result.kind).toBe('pull-request');
  });

  it('retries transient errors', async () => {
    let attempts = 0;
    const { result } = await live({
      codeHost: {
        headOf: async () => {
          attempts += 1;
          if (attempts < 3) throw new Error('502');
          return baseSha;
        },
      },
    });
    expect(result.kind).toBe('pull-request');
    expect(attempts).toBe(3);
  });

  const canaryRounds = (...rounds: readonly string[][]) => {
    const asked: (readonly string[])[] = [];
    const events: string[] = [];
    const script: Script = {
      deps: { log: (event) => void (event.startsWith('canary.') && events.push(event)) },
      sandbox: {
        exec: async ({ argv }) => {
          if (!argv.some((word) => word.endsWith('canary.js'))) {
            asked.push(['clone']);
            return {
              ...ok,
              stdout: JSON.stringify({ ok: true, sha: baseSha, found: false, elapsedMs: 1 }),
            };
          }
          const round = rounds[asked.length] ?? rounds.at(-1) ?? [];
          asked.push(argv.slice(argv.findIndex((word) => word.endsWith('canary.js')) + 2));
          const probes = round
            .map((line) => line.split(' '))
            .map(([name, result]) => ({ name, result, got: '' }));
          const isSealed = probes.every(({ result }) => result === 'expected');
          return { ...ok, exitCode: isSealed ? 0 : 1, stdout: JSON.stringify({ probes }) };
        },
      },
    };
    return { asked, events, script };
  };

  it('repeats only the canary probes without an answer, and clones once all are right', async () => {
    const { asked, events, script } = canaryRounds(
      ['a unanswered', 'b expected', 'c unanswered'],
      ['a expected', 'c unanswered'],
      ['c expected'],
    );
    expect((await live(script)).result.kind).toBe('pull-request');
    expect(asked).toEqual([[], ['a', 'c'], ['c'], ['clone']]);
    expect(events).toEqual(['canary.passed']);
  });

  it('raises no alarm when the sandbox could not be checked, and starts nothing', async () => {
    const { asked, events, script } = canaryRounds(['a expected', 'b unanswered']);
    const { result } = await live(script);
    expect(result).toMatchObject({ kind: 'failed', reason: { code: 'sandbox-not-checked' } });
    expect(asked).toEqual([[], ...Array.from({ length: taskLimits.canaryRounds - 1 }, () => ['b'])]);
    expect(events).toEqual(['canary.timed_out']);
  });

  it.each([
    ['in the first round', [['a unanswered', 'b wrong']], 1],
    ['in a later round', [['a unanswered', 'b expected'], ['a wrong']], 2],
  ])('raises the alarm at the first wrong answer %s, and repeats nothing', async (_, rounds, count) => {
    const { asked, events, script } = canaryRounds(...rounds);
    const { result } = await live(script);
    expect(result).toMatchObject({ kind: 'failed', reason: { code: 'not-sealed' } });
    expect(asked).toHaveLength(count);
    expect(events).toEqual(['canary.failed']);
  });

  it('waits while there is no room for another sandbox', async () => {
    let starts = 0;
    const start = async () => {
      starts += 1;
      if (starts < 4) throw new SandboxBusyError('full');
    };
    const { result, log } = await live({ sandbox: { start } });
    expect(result.kind).toBe('pull-request');
    expect(log.filter((line) => line.startsWith('Waiting'))).toHaveLength(3);
  });

  it('waits for a platform that aborts starts, longer than a failed step is retried', async () => {
    let starts = 0;
    const start = async () => {
      starts += 1;
      if (starts < 12) throw new SandboxUnavailableError('Network connection lost.');
    };
    const { result } = await live({ sandbox: { start } });
    expect(result.kind).toBe('pull-request');
    expect(starts).toBe(12);
  });

  it('starts the machine that the configuration names for the repository', async () => {
    const specs: SandboxSpec[] = [];
    const sandbox = { image: 'jvm', instance: 'standard-2', toolchains: ['/opt/go'] } as const;
    await live({
      sandbox: { start: async (spec) => void specs.push(spec) },
      policy: { forRepository: () => ({ ...policy, sandbox }) },
    });
    expect(specs).toEqual([{ ...taskLimits.sandbox, ...sandbox }]);
  });

  it.each([
    ['the platform aborts every start', new SandboxUnavailableError('lost'), 'sandbox-unavailable', 36],
    ['nothing is intercepted', new SandboxNotInterceptedError('off'), 'sandbox-not-intercepted', 1],
    ['there is no such image', new SandboxUnsupportedError('no jvm'), 'sandbox-unsupported', 1],
  ])('ends the task when %s', async (_, error, code, times) => {
    let starts = 0;
    const start = async () => {
      starts += 1;
      throw error;
    };
    const { result } = await live({ sandbox: { start } });
    expect(result).toMatchObject({ kind: 'failed', reason: { code } });
    expect(starts).toBe(times);
  });

  it('retries the publication of a kept change without a sandbox', async () => {
    const { result, log, published, sandboxCalls } = await live({ kind: 'publish' });
    expect(sandboxCalls).toEqual([]);
    expect(result).toEqual({ kind: 'pull-request', pullRequest });
    expect(published).toHaveLength(1);
    expect(log.toSorted()).toEqual(['closed', 'gate', 'post', 'publish', 'report']);
  });

  const failed = { kind: 'failed', reason: aReason('x', 'x'), changeKept: false } as const;
  const retry: TaskRequest = {
    ...request,
    taskId: 'gh-1-c9',
    requester: { login: 'ben', id: 4 },
    ask: { kind: 'retry' },
    instruction: '',
  };
  const first: TaskRequest = { ...request, taskId: 'gh-1-c1', options: { effort: 'high' } };

  it.each<[string, Script['others'], RegExp]>([
    [
      'a kept change',
      { 'gh-1-c1': { outcome: { ...failed, changeKept: true }, authorization } },
      /publication/,
    ],
    [
      'nothing that failed',
      { 'gh-1-c1': { outcome: { kind: 'no-change', summary: '' }, authorization } },
      /No task/,
    ],
    ['a task that was never authorized', { 'gh-1-c1': { outcome: failed } }, /No task/],
    ['a question', { 'gh-1-c1': { request: retry, outcome: failed, authorization } }, /No task/],
    ['a task that runs', { 'gh-1-c1': { outcome: null, authorization } }, /still running/],
    [
      'a task that another comment retried',
      {
        'gh-1-c8': { request: retry, outcome: null, authorization },
        'gh-1-c1': { outcome: failed, authorization, retriedBy: 'gh-1-c8' },
      },
      /already retried/,
    ],
  ])('answers `retry` with %s', async (_, others, answer) => {
    const { result, sandboxCalls } = await live({ request: retry, others: others ?? {} });
    expect(result).toEqual({ kind: 'answered', message: expect.stringMatching(answer) });
    expect(sandboxCalls).toEqual([]);
  });

  it.each<[string, TaskOutcome, string | undefined]>([
    ['failed', failed, undefined],
    ['was cancelled', { kind: 'cancelled', by: 'maria' }, undefined],
    ['is held', { kind: 'held', reason: aReason('x', 'x'), changeHash: null }, undefined],
    [
      'ended as a patch',
      { kind: 'patch', reason: aReason('x', 'x'), patch: measured.patch, summary: '' },
      undefined,
    ],
    ['failed, and that a retry without access claimed', failed, 'gh-1-c8'],
  ])('runs a task again that %s, for the author of `retry`', async (_, outcome, retriedBy) => {
    const stranger = {
      request: { ...retry, taskId: 'gh-1-c8' },
      outcome: { ...failed, kind: 'refused' },
    } as const;
    const { published, prompts, record, result } = await live({
      request: retry,
      others: {
        'gh-1-c8': stranger,
        'gh-1-c1': {
          request: first,
          outcome,
          authorization,
          ...(retriedBy === undefined ? {} : { retriedBy }),
        },
      },
    });
    expect(result.kind).toBe('pull-request');
    expect(prompts[0]).toContain('fix it');
    expect(published[0]).toMatchObject({
      effort: 'high',
      request: { taskId: 'gh-1-c9', requester: { id: 4 }, trigger: { commentId: 2 } },
    });
    expect(record.snapshot()?.request.askedBefore).toEqual([{ slackUserId: null, githubId: 3 }]);
  });

  const askedLate = (hours: number): TaskRequest => ({
    ...request,
    acceptedAt: new Date(t0 + hours * 3_600_000).toISOString(),
  });

  it('runs what arrives an hour late, and says so', async () => {
    const { result, record } = await live({ request: askedLate(1) });
    expect(result.kind).toBe('pull-request');
    expect(record.view()?.latenessMs).toBe(3_600_000);
  });

  it('starts nothing for what arrives two days late, until somebody says `retry`', async () => {
    const late = await live({ request: askedLate(48) });
    expect(late.result).toMatchObject({
      kind: 'refused',
      reason: { code: 'asked-long-ago', message: expect.stringContaining('2 days ago') },
    });
    expect(late.sandboxCalls).toEqual([]);
    const repeated = await live({
      request: {
        ...retry,
        acceptedAt: askedLate(49).acceptedAt,
        trigger: { ...githubTrigger, triggeredAt: askedLate(49).acceptedAt },
      },
      others: {
        'gh-1-c1': { request: { ...first, acceptedAt: askedLate(48).acceptedAt }, outcome: late.result },
      },
    });
    expect(repeated.result.kind).toBe('pull-request');
    expect(repeated.prompts[0]).toContain('fix it');
    expect(repeated.record.view()?.latenessMs).toBeNull();
  });

  const ben = { login: 'ben', id: 4 };
  it.each([
    ['a writer', ben, true, { kind: 'pull-request' }],
    ['a reader', ben, false, { reason: { code: 'no-write-access' } }],
    ['the operator', null, false, { kind: 'pull-request' }],
  ])('answers %s, who asked on its page for what came too late', async (_, requester, canWrite, end) => {
    for (const asked of [askedLate(72), { ...slackRequest, repository: request.repository }]) {
      const by = requester === null ? 'operator' : 'person';
      const onPage = { repeats: 'gh-1-c1', by, place: { installationId: 1, repositoryId: 1 } } as const;
      const { result, record, published } = await live({
        request: { ...asked, requester, onPage },
        codeHost: {
          canWrite: async () => canWrite,
          displayedWords: async () => await Promise.reject(new Error('was read before')),
        },
        chat: { person: async () => null },
      });
      expect(result).toMatchObject(end);
      expect(record.view()).toMatchObject({
        latenessMs: null,
        repeats: 'gh-1-c1',
        requester: requester?.login ?? 'the operator',
      });
      expect(published.map((one) => one.request.requester)).toEqual('reason' in end ? [] : [requester]);
    }
  });

  it('runs the same task again when the step is repeated and another has failed since', async () => {
    const heads = [new Error('the connection was lost')];
    let listed = 0;
    const { published, tasks } = await live({
      request: retry,
      others: {
        'gh-1-c1': { request: first, outcome: failed, authorization },
        'gh-1-c5': { request: { ...first, taskId: 'gh-1-c5', options: {} }, outcome: failed, authorization },
      },
      codeHost: {
        headOf: async () => {
          const lost = heads.pop();
          if (lost !== undefined) throw lost;
          return baseSha;
        },
      },
      deps: {
        issueTasks: {
          onIssue: async () => ((listed += 1) === 1 ? ['gh-1-c1'] : ['gh-1-c5', 'gh-1-c1']),
          removeFromIssue: async () => undefined,
        },
      },
    });
    expect(published[0]).toMatchObject({ effort: 'high' });
    expect(tasks.record('gh-1-c5').claimRetry('nobody', null)).toBe('nobody');
  });

  it('runs a task again once, for two comments at the same time', async () => {
    const others = { 'gh-1-c1': { request: first, outcome: failed, authorization } };
    const it = world({ request: retry, others });
    await it.prepare();
    const second = { ...retry, taskId: 'gh-1-c10' };
    await it.tasks.record(second.taskId).open(second);
    const ends = await Promise.all(
      [retry, second].map(async (asked) => {
        const deps = asked === retry ? it.deps : { ...it.deps, record: it.deps.recordOf(asked.taskId) };
        return await runTask({ kind: 'task', request: asked }, it.tasks.workflow(asked.taskId), deps);
      }),
    );
    expect(ends.map(({ kind }) => kind).toSorted()).toEqual(['answered', 'pull-request']);
  });

  describe('`approve`', () => {
    const changeHash = `${'0123456789ab'.repeat(5)}cdef`;
    const held = { kind: 'held', reason: aReason('x', 'x'), changeHash } as const;
    const approve = (hash = '0123456789ab') => ({ ...retry, ask: { kind: 'approve', hash } }) as const;
    const others = { 'gh-1-c1': { outcome: held, authorization } };

    it.each<[string, Script, RegExp]>([
      ['publishes the held change', { others }, /is approved/],
      ['finds no change of another hash', { request: approve('ffffffffffff'), others }, /No held change/],
      [
        'finds none that failed',
        { others: { 'gh-1-c1': { outcome: failed, authorization } } },
        /No held change/,
      ],
      [
        'does not choose between two',
        {
          others: {
            ...others,
            'gh-1-c3': { outcome: { ...held, changeHash: `0123456789ab${'0'.repeat(52)}` } },
          },
        },
        /More than one/,
      ],
      [
        'publishes a change that two tasks made',
        { others: { ...others, 'gh-1-c3': { outcome: held } } },
        /is approved/,
      ],
      [
        'says why the record refuses it',
        {
          others,
          deps: { retryPublication: async () => ({ started: false, reason: 'Somebody else has to.' }) },
        },
        /not published. Somebody else/,
      ],
    ])('%s', async (_, script, answer) => {
      const { result } = await live({ request: approve(), ...script });
      expect(result).toEqual({ kind: 'answered', message: expect.stringMatching(answer) });
    });

    it('is refused without write access', async () => {
      const { result } = await live({
        request: approve(),
        others,
        codeHost: { canWrite: async () => false },
      });
      expect(result).toMatchObject({ kind: 'refused', reason: { code: 'no-write-access' } });
    });

    it('is one approval, with the whole hash, also when its step is repeated', async () => {
      const approvals: unknown[] = [];
      const codeHost = { react: async () => undefined };
      const { result } = await live({
        request: approve(),
        others,
        codeHost,
        deps: {
          retryPublication: async (_, approval) => {
            approvals.push(approval);
            if (approvals.length === 1) throw new Error('the connection was lost');
            return { started: false, reason: 'The task has not ended yet.' };
          },
        },
      });
      expect(approvals).toEqual(
        [1, 2].map(() => ({ by: 'ben', github: { login: 'ben', id: 4 }, changeHash })),
      );
      expect(result).toMatchObject({ message: expect.stringMatching(/is approved/) });
    });
  });

  it.each<[what: string, Partial<Script>, removed: readonly string[]]>([
    ['published its change', {}, ['gh-1-c2']],
    ['was refused', { allowed: false }, ['gh-1-c2']],
    [
      'holds its change',
      {
        publication: {
          gate: () => ({ kind: 'hold', reason: aReason('x', 'x'), approvable: true }),
        },
      },
      [],
    ],
    [
      'failed and keeps its change',
      {
        publication: {
          publish: async () => ({ kind: 'rejected', reason: aReason('x', 'x') }),
        },
      },
      [],
    ],
  ])(
    'a task leaves the index of its repository when it ends, unless it keeps a change: %s',
    async (_, script, expected) => {
      const { removed } = await live(script);
      expect(removed).toEqual(expected);
    },
  );

  it.each<[asked: 'cancel' | 'status', others: string, outcome: TaskOutcome | null, posts: number]>([
    ['cancel', 'a task that runs, whose end is the answer', null, 0],
    ['cancel', 'no task that runs', { kind: 'no-change', summary: '' }, 1],
    ['status', 'a task that runs', null, 1],
  ])('answers `%s` on an issue with %s', async (asked, _, outcome, posts) => {
    const { result, posted } = await live({
      request: { ...request, ask: { kind: asked } },
      others: { 'gh-1-c1': { outcome } },
    });
    expect([result.kind, posted()]).toEqual(['answered', posts]);
  });
});

describe('a task from Slack', () => {
  const shop = { owner: 'acme', name: 'shop' };
  const app = { owner: 'acme', name: 'app' };
  const ended = (outcome: TaskOutcome | null): EarlierTask => ({ outcome });
  const inSlack = async (script: Script) => await live({ request: slackRequest, ...script });

  it('is routed before anything else, and works on the repository that routing named', async () => {
    const { log, routed, authorized, published, result, indexed } = await inSlack({});
    expect(result.kind).toBe('pull-request');
    expect(steps(log).slice(0, 3)).toEqual(['route', 'authorize', 'acknowledge']);
    expect(log).toContain('react');
    expect(routed).toEqual([{ repository: app, by: 'only' }]);
    expect(authorized[0]).toMatchObject({ continues: null, baseBranch: 'main' });
    expect(published[0]?.request.repository).toEqual(app);
    expect(indexed).toEqual([
      expect.objectContaining({ taskId: 'slack-1', userId: 'U1', threadTs: slackTrigger.threadTs }),
    ]);
  });

  it('gives credit to the account that the configuration names, and asks it for a review', async () => {
    const { published } = await inSlack({});
    expect(published[0]?.request.requester).toEqual({ login: 'maria-on-github', id: 5 });
    expect(published[0]?.reviewer).toBe('maria-on-github');
  });

  it('continues without that account when GitHub cannot find it', async () => {
    const { published, result } = await inSlack({
      codeHost: { account: async () => Promise.reject(new Error('502')) },
    });
    expect(result.kind).toBe('pull-request');
    expect(published[0]).toMatchObject({ reviewer: null, request: { requester: null } });
  });

  it.each([
    ['does not show the conversation in a public repository', false, null],
    ['links the conversation in a private repository', true, 'https://acme.slack.com/archives/C1/p1'],
  ] as const)('%s', async (_, isPrivate, conversationUrl) => {
    const { published } = await inSlack({
      codeHost: { locate: async () => ({ ...facts, private: isPrivate }) },
    });
    expect(published[0]?.evidence.conversationUrl).toBe(conversationUrl);
  });

  it.each<[string, Script, string]>([
    ['Slack is not set up', { chat: null }, 'slack-not-configured'],
    [
      'it is another workspace',
      { request: { ...slackRequest, trigger: { ...slackTrigger, teamId: 'T9' } } },
      'slack-not-configured',
    ],
    ['nobody knows who asks', { chat: { person: async () => null } }, 'slack-person-unknown'],
    ['a guest asks', { chat: { person: async () => ({ ...member, kind: 'guest' }) } }, 'guest'],
    [
      'somebody of another workspace asks',
      { chat: { person: async () => ({ ...member, kind: 'stranger' }) } },
      'other-workspace',
    ],
    ['a bot asks', { chat: { person: async () => ({ ...member, kind: 'bot' }) } }, 'bot'],
    [
      'the repository is not for Slack',
      {
        request: { ...slackRequest, repository: app },
        policy: { forRepository: () => ({ ...policy, slack: { kind: 'none' } }) },
      },
      'slack',
    ],
    [
      'no repository may be used',
      { policy: { forRepository: () => ({ ...policy, slack: { kind: 'none' } }) } },
      'repository',
    ],
    [
      'a named one is not listed',
      { request: { ...slackRequest, repository: shop }, allowed: false },
      'slack-not-enabled',
    ],
  ])('is refused when %s, before a sandbox is started', async (_, script, code) => {
    const { result, log } = await inSlack(script);
    expect(result).toMatchObject({ kind: 'refused', reason: { code: expect.stringContaining(code) } });
    expect(log).not.toContain('provision');
  });

  describe('that fits several repositories', () => {
    const several = { policy: { named: [app, shop] } };

    it('asks for the repository, and works on the chosen one', async () => {
      const { offered, routed, result, entered } = await inSlack({ ...several, choice: shop });
      expect(offered).toEqual([[app, shop]]);
      expect(routed).toEqual([{ repository: shop, by: 'chosen' }]);
      // At the click, not at the next poll.
      expect(entered.get('authorize')).toBe(t0 + 60 * 60_000);
      expect(result.kind).toBe('pull-request');
    });

    it('ends the task when nobody chooses', async () => {
      const { result, log } = await inSlack(several);
      expect(result).toMatchObject({ kind: 'refused', reason: { code: 'no-choice' } });
      expect(log).not.toContain('provision');
    });

    it('ends the task when somebody cancels it instead', async () => {
      const { result } = await inSlack({ ...several, cancelDuring: 'route' });
      expect(result).toEqual({ kind: 'cancelled', by: 'maria' });
    });
  });

  describe('in the thread of another', () => {
    const published: TaskOutcome = { kind: 'pull-request', pullRequest };

    it('adds to its pull request', async () => {
      const it = await inSlack({ earlier: ended(published) });
      expect(it.routed).toEqual([{ repository: app, by: 'thread' }]);
      expect(it.authorized[0]).toMatchObject({ continues: pullRequest, baseBranch: 'airlock/x' });
      expect(it.result).toEqual({ kind: 'pull-request', pullRequest, added: true });
    });

    it('waits until the earlier task ends', async () => {
      const endsAfterMs = 3 * 60 * 60_000 + 1000;
      const asked = { ...slackRequest, options: { effort: 'high' } } as const;
      const it = await inSlack({
        earlier: { outcome: published, endsAfterMs, continues: pullRequest },
        request: asked,
      });
      expect(it.log).toContain('Waiting for the earlier task in this thread.');
      expect(it.authorized[0]?.continues).toEqual(pullRequest);
      // At its end, not at the next poll.
      expect(it.entered.get('slot')).toBe(t0 + endsAfterMs);
    });

    it('notices that the earlier task has ended when the event is lost', async () => {
      const endsAfterMs = 3 * 60 * 60_000 + 1000;
      const it = await inSlack({ earlier: { outcome: published, endsAfterMs }, losesEvents: true });
      const startedAt = it.entered.get('slot') ?? 0;
      expect(startedAt).toBeGreaterThan(t0 + endsAfterMs);
      expect(startedAt).toBeLessThanOrEqual(t0 + endsAfterMs + taskLimits.pollMaxMs);
      expect(it.result.kind).toBe('pull-request');
    });

    it.each<[string, Script]>([
      [
        'it is closed',
        {
          codeHost: {
            pullRequest: async () => ({ ...openPull, open: false }),
          },
        },
      ],
      [
        'it lies in a fork',
        {
          codeHost: {
            pullRequest: async () => ({ ...openPull, sameRepository: false }),
          },
        },
      ],
      ['it is gone', { codeHost: { pullRequest: async () => null } }],
      ['another base is asked for', { request: { ...slackRequest, options: { base: 'next' } } }],
    ])('makes a pull request of its own when %s', async (_, script) => {
      const it = await inSlack({ earlier: ended(published), ...script });
      expect(it.authorized[0]?.continues).toBeNull();
      expect(it.result).toEqual({ kind: 'pull-request', pullRequest });
    });

    const named: TaskRequest = { ...slackRequest, repository: app };
    const done: EarlierTask = { request: named, outcome: published };
    const refusal: TaskOutcome = { kind: 'refused', reason: aReason('model', 'no such model') };
    const failure: TaskOutcome = {
      kind: 'failed',
      reason: aReason('x', 'it broke'),
      changeKept: false,
    };
    it.each<[string, EarlierTask, readonly EarlierTask[]]>([
      ['was refused', { request: named, outcome: refusal }, [done]],
      ['was refused elsewhere', { request: { ...named, repository: shop }, outcome: refusal }, [done]],
      ['was refused before it was routed', { request: slackRequest, outcome: refusal }, [done]],
      ['was cancelled', { request: named, outcome: { kind: 'cancelled', by: 'Maria' } }, [done]],
      ['failed before it began', { request: named, outcome: failure }, [done]],
      [
        'was refused, as was the one before',
        { request: named, outcome: refusal },
        [{ request: named, outcome: refusal }, done],
      ],
      [
        'was refused after one that failed at work',
        { request: named, outcome: refusal },
        [{ request: named, outcome: failure, continues: pullRequest }, done],
      ],
    ])('adds to the pull request before a reply that %s', async (_, earlier, before) => {
      const it = await inSlack({ earlier, before });
      expect(it.routed).toEqual([{ repository: app, by: 'thread' }]);
      expect(it.authorized[0]?.continues).toEqual(pullRequest);
      expect(it.result).toEqual({ kind: 'pull-request', pullRequest, added: true });
    });

    it('adds to no pull request of another repository', async () => {
      const other: EarlierTask = { request: { ...named, repository: shop }, outcome: published };
      const it = await inSlack({
        earlier: { request: named, outcome: { kind: 'no-change', summary: '' } },
        before: [other],
      });
      expect(it.authorized[0]?.continues).toBeNull();
    });

    it('makes a pull request of its own after a task without a change', async () => {
      const it = await inSlack({ earlier: ended({ kind: 'no-change', summary: '' }) });
      expect(it.authorized[0]?.continues).toBeNull();
      expect(it.routed).toEqual([{ repository: app, by: 'thread' }]);
    });

    it.each<[TaskRequest['ask'], TaskOutcome | null, RegExp]>([
      [{ kind: 'help' }, null, /Mention me/],
      [{ kind: 'status' }, null, /\(accepted\) was asked for just now/],
      [{ kind: 'status' }, published, /has ended/],
      [{ kind: 'cancel' }, null, /Cancelled/],
      [{ kind: 'retry' }, published, /no change that waits/],
      [
        { kind: 'retry' },
        { kind: 'failed', reason: aReason('x', 'x'), changeKept: true },
        /retrying the publication/,
      ],
    ])('answers %o about it', async (ask, outcome, answer) => {
      const it = await inSlack({ request: { ...slackRequest, ask }, earlier: ended(outcome) });
      expect(it.result).toEqual({ kind: 'answered', message: expect.stringMatching(answer) });
      expect(it.indexed).toEqual([]);
    });
  });

  describe('after an earlier task of its thread', () => {
    const failed: TaskOutcome = { kind: 'failed', reason: aReason('x', 'x'), changeKept: false };
    const isThere = 'already in the checkout';

    it.each<[string, Script, string]>([
      [
        'tells Codex that the earlier work is in the checkout',
        { earlier: ended({ kind: 'pull-request', pullRequest }) },
        isThere,
      ],
      [
        'tells Codex that only merged work is there once the pull request is closed',
        {
          earlier: ended({ kind: 'pull-request', pullRequest }),
          codeHost: {
            pullRequest: async () => ({ ...openPull, open: false }),
          },
        },
        'what was not merged of it is not in the checkout',
      ],
      [
        'tells Codex that only merged work is there on another base',
        {
          earlier: ended({ kind: 'pull-request', pullRequest }),
          request: { ...slackRequest, options: { base: 'next' } },
        },
        'what was not merged of it is not in the checkout',
      ],
      ['tells Codex that a failed task left no work', { earlier: ended(failed) }, 'nothing of what it did'],
      [
        'tells Codex that a cancelled task left no work',
        { earlier: ended({ kind: 'cancelled', by: 'Maria' }) },
        'nothing of what it did',
      ],
      [
        'tells Codex that a task that failed on the continued pull request left no work',
        { earlier: { ...ended(failed), continues: pullRequest } },
        'nothing of what it did',
      ],
    ])('%s', async (_, script, says) => {
      const { prompts } = await inSlack(script);
      expect(prompts[0]).toContain(says);
      expect(prompts[0]?.includes(isThere)).toBe(says === isThere);
    });

    it('continues the pull request that a failed task worked on', async () => {
      const { authorized } = await inSlack({ earlier: { ...ended(failed), continues: pullRequest } });
      expect(authorized[0]?.continues).toEqual(pullRequest);
    });

    it('takes the guidance of a deleted base branch from its last commit, never from the head', async () => {
      const { authorized } = await inSlack({
        earlier: { ...ended(failed), continues: pullRequest },
        codeHost: { headOf: async (_, branch) => (branch === openPull.baseBranch ? null : baseSha) },
      });
      expect(authorized[0]).toMatchObject({ continues: pullRequest, guidanceSha: openPull.baseSha });
    });
  });

  describe('that repeats another one', () => {
    const failed: TaskOutcome = { kind: 'failed', reason: aReason('x', 'x'), changeKept: false };
    const published: TaskOutcome = { kind: 'pull-request', pullRequest };
    const original: TaskRequest = {
      ...slackRequest,
      taskId: 'slack-a',
      acceptedAt: '2026-11-21T09:00:00.000Z',
    };
    const repeat = (
      by: 'retry' | 'change',
      taskId: string,
      event: typeof slackTrigger.event = 'mention',
    ): TaskRequest => ({
      ...slackRequest,
      repository: app,
      trigger: { ...slackTrigger, event, again: { by, taskId } },
    });
    const before = { taskId: 'slack-a', at: Date.parse(original.acceptedAt) };

    it.each<[string, TaskRequest]>([
      ['Retry', repeat('retry', 'slack-a')],
      ['Change', repeat('change', 'slack-a', 'form')],
      ['Retry of a retry', repeat('retry', 'slack-b')],
    ])('looks for the task before the first attempt: %s', async (_, request) => {
      const { lookedBackFrom, prompts } = await inSlack({
        request,
        others: {
          'slack-a': { request: original, outcome: failed },
          'slack-b': { request: { ...repeat('retry', 'slack-a'), taskId: 'slack-b' }, outcome: failed },
        },
      });
      expect(lookedBackFrom).toEqual([before]);
      expect(prompts[0]).not.toContain('earlier task');
    });

    it('continues the pull request that the first attempt continued', async () => {
      const { authorized, prompts } = await inSlack({
        request: repeat('retry', 'slack-a'),
        others: { 'slack-a': { request: original, outcome: failed } },
        earlier: ended(published),
      });
      expect(authorized[0]?.continues).toEqual(pullRequest);
      expect(prompts[0]).toContain('already in the checkout');
    });

    it.each<[string, TaskOutcome, TaskOutcome]>([
      ['the repeated task', published, failed],
      ['an earlier attempt', failed, published],
    ])('makes a pull request of its own after a pull request of %s', async (_, last, first) => {
      const { authorized, prompts, result } = await inSlack({
        request: repeat('retry', 'slack-b'),
        others: {
          'slack-a': { request: original, outcome: first },
          'slack-b': { request: { ...repeat('retry', 'slack-a'), taskId: 'slack-b' }, outcome: last },
        },
        earlier: ended(published),
      });
      expect(authorized[0]?.continues).toBeNull();
      expect(result).toEqual({ kind: 'pull-request', pullRequest });
      expect(prompts[0]).toContain('what was not merged of it is not in the checkout');
    });

    it('starts even if the record of the first attempt has expired', async () => {
      const { result } = await inSlack({ request: repeat('retry', 'slack-a') });
      expect(result.kind).toBe('pull-request');
    });

    it.each<[string, TaskRequest, string]>([
      ['words', { ...slackRequest, repository: app }, 'named'],
      ['a form', { ...slackRequest, repository: app, trigger: { ...slackTrigger, event: 'form' } }, 'form'],
      ['Change', repeat('change', 'slack-a', 'form'), 'form'],
      ['Retry', repeat('retry', 'slack-a'), 'again'],
      ['Retry of a form', repeat('retry', 'slack-a', 'form'), 'again'],
    ])('says where its repository comes from: %s', async (_, request, by) => {
      const { routed } = await inSlack({
        request,
        others: { 'slack-a': { request: original, outcome: failed } },
      });
      expect(routed).toEqual([{ repository: app, by }]);
    });
  });

  it('waits until the earlier task of its thread is routed', async () => {
    const { routed, entered } = await inSlack({
      earlier: {
        request: slackRequest,
        outcome: { kind: 'pull-request', pullRequest },
        routedAfterMs: 20_000,
        endsAfterMs: 50_000,
      },
    });
    expect(routed).toEqual([{ repository: app, by: 'thread' }]);
    expect(entered.get('slot')).toBe(t0 + 50_000);
  });

  it('does not wait while a person is asked for the repository of the earlier task', async () => {
    const { routed } = await inSlack({
      earlier: { request: slackRequest, outcome: null, choices: [app, shop] },
    });
    expect(routed).toEqual([{ repository: app, by: 'only' }]);
  });

  it('is indexed before it looks for the earlier task; a command in a thread is not indexed', async () => {
    const order: string[] = [];
    const index = {
      put: async () => void order.push('put'),
      inThread: async () => {
        order.push('look');
        return null;
      },
      byMessage: async () => null,
      recent: async () => [],
    };
    await inSlack({ deps: { index } });
    expect(order).toEqual(['put', 'look']);
    await inSlack({ deps: { index }, request: { ...slackRequest, ask: { kind: 'status' } } });
    expect(order).toEqual(['put', 'look', 'look']);
  });

  it('is not indexed when a guest asks', async () => {
    const { indexed } = await inSlack({ chat: { person: async () => ({ ...member, kind: 'guest' }) } });
    expect(indexed).toEqual([]);
  });

  it('answers that there is no task to cancel', async () => {
    const { result } = await inSlack({ request: { ...slackRequest, ask: { kind: 'cancel' } } });
    expect(result).toEqual({ kind: 'answered', message: expect.stringContaining('no task in this thread') });
  });
});

describe('publication with an approval', () => {
  const held: Script = {
    publication: {
      gate: (_, approvedBy) =>
        approvedBy === null
          ? { kind: 'hold', reason: aReason('secret', 'a key'), approvable: true }
          : { kind: 'mark', remarks: [`approved by ${approvedBy}`] },
    },
  };

  it('publishes the approved change as a draft', async () => {
    const { result, published } = await live({
      ...held,
      kind: 'publish',
      approval: { by: 'Maria', changeHash: 'hash of lines' },
    });
    expect(result.kind).toBe('pull-request');
    expect(published[0]).toMatchObject({ draft: true, remarks: ['approved by Maria'] });
  });

  it('holds the change when another one was approved', async () => {
    // What is kept differs from what the person saw.
    const hashes = ['hash of others', 'hash of lines'];
    const { result } = await live({
      ...held,
      publication: { ...held.publication, changeHash: async () => hashes.shift() ?? '' },
      kind: 'publish',
      approval: { by: 'Maria', changeHash: 'hash of others' },
    });
    expect(result.kind).toBe('held');
  });
});

describe('access, asked again before publication', () => {
  /** True when the task starts, false when it is published. */
  const lost = (answers = [true, false]) => ({ canWrite: async () => answers.shift() ?? false });
  const leaves = (people = [member, null]) => ({ person: async () => people.shift() ?? null });
  const byMaria = { by: 'Maria', slackUserId: 'U2', changeHash: 'hash of lines' };
  const inSlack = { request: slackRequest, kind: 'publish', approval: byMaria } as const;

  it.each<[string, Script]>([
    ['the requester on GitHub', { codeHost: lost() }],
    ['the requester in Slack', { request: slackRequest, chat: leaves([member, null]) }],
    [
      'the approver on GitHub',
      {
        kind: 'publish',
        approval: { by: 'ben', github: { login: 'ben', id: 4 }, changeHash: 'hash of lines' },
        codeHost: { canWrite: async (_, { id }) => id !== 4 },
      },
    ],
    ['the approver in Slack', { ...inSlack, chat: leaves([member, member, null]) }],
  ])('holds the change when %s has lost it', async (_, script) => {
    const { result, published } = await live(script);
    expect(result).toMatchObject({
      kind: 'held',
      reason: { code: 'access-lost' },
      changeHash: 'hash of lines',
      patch: measured.patch,
    });
    expect(published).toEqual([]);
  });

  it.each<[string, Script, string]>([
    [
      'was approved through the API instead',
      { codeHost: lost(), approval: { by: 'the API', changeHash: 'hash of lines' } },
      'the API approved this change, because the person who asked lost access.',
    ],
    [
      'the asker approved',
      {
        request: slackRequest,
        approval: { ...byMaria, slackUserId: slackTrigger.userId },
        publication: {
          gate: (_, approvedBy) =>
            approvedBy === null
              ? { kind: 'hold', reason: aReason('secret', 'a key'), approvable: true }
              : { kind: 'mark', remarks: [`${approvedBy} approved what was held here`] },
        },
      },
      'Maria, who also asked for this change, approved what was held here',
    ],
  ])('publishes with a remark what %s', async (_, script, remark) => {
    const { result, published } = await live({ ...script, kind: 'publish' });
    expect(result.kind).toBe('pull-request');
    expect(published[0]).toMatchObject({ draft: true, remarks: [remark] });
  });
});

/** Whether the person may write: at the start, and no longer at publication. */
function oneAnswer(): TaskDeps['codeHost']['canWrite'] {
  const answers = [true];
  return async () => answers.shift() ?? false;
}

describe('a task asked for in a pull request', () => {
  type Place = Partial<GithubTrigger>;
  const lineComment = {
    path: 'a',
    line: 2,
    startLine: null,
    side: 'RIGHT',
    inReplyTo: null,
    diffHunk: '',
  } as const;
  const places: readonly Place[] = [
    { event: 'issue_comment' },
    { event: 'review_comment', reviewId: 4, lineComment },
    { event: 'review', reviewId: 4, commentId: null },
    { event: 'pull_request_labeled', commentId: null },
  ];
  const atHead = { ...pullRequest, headSha: baseSha };
  const onHead = (headRef: string) => ({ pullRequest: { ...atHead, headRef } });
  const closed = { open: false } as const;
  const states: Readonly<Record<string, Partial<PullRequestState> | null>> = {
    open: {},
    draft: { pullRequest: { ...atHead, draft: true } },
    locked: { locked: true },
    protected: {},
    'auto-merge': { autoMerge: true },
    'default branch': onHead('main'),
    'configured base': onHead('develop'),
    'branch deleted': onHead('deleted'),
    closed,
    merged: { ...closed, merged: true },
    'merged, locked': { ...closed, merged: true, locked: true },
    gone: null,
  };
  const table = `
    open             here  commit               commit               commit  reply
    open             fork  patch                patch                pull-request-read-only  reply
    draft            here  commit               commit               commit  reply
    draft            fork  patch                patch                pull-request-read-only  reply
    locked           here  commit               commit               commit  conversation-locked
    locked  fork  conversation-locked  conversation-locked  pull-request-read-only  conversation-locked
    protected        here  patch                patch                patch  reply
    auto-merge       here  patch                patch                pull-request-read-only  reply
    auto-merge       fork  patch                patch                pull-request-read-only  reply
    default branch   here  patch                patch                pull-request-read-only  reply
    default branch   fork  patch                patch                pull-request-read-only  reply
    configured base  here  patch                patch                pull-request-read-only  reply
    configured base  fork  patch                patch                pull-request-read-only  reply
    branch deleted   here  branch-gone          branch-gone          branch-gone  reply
    branch deleted   fork  patch                patch                pull-request-read-only  reply
    closed           here  pull-request-closed  pull-request-closed  pull-request-closed  reply
    closed           fork  pull-request-closed  pull-request-closed  pull-request-closed  reply
    merged           here  pull-request-merged  pull-request-merged  pull-request-merged  reply
    merged           fork  pull-request-merged  pull-request-merged  pull-request-merged  reply
    merged, locked   here  pull-request-merged  pull-request-merged  pull-request-merged  conversation-locked
    gone             here  pull-request-gone    pull-request-gone    pull-request-gone  pull-request-gone`;
  const jobs: readonly (TaskJob | undefined)[] = [undefined, 'fix-checks', 'resolve-conflicts', 'question'];
  type Row = [
    state: string,
    head: string,
    job: TaskJob | undefined,
    event: string,
    end: string,
    place: Place,
  ];
  const rows = table
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [state = '', head = '', ...ends] = line.trim().split(/ {2,}/);
      return ends.flatMap((end, index) =>
        places.map((place): Row => [state, head, jobs[index], place.event ?? '', end, place]),
      );
    });

  const protectedHead = {
    kind: 'unwritten',
    reason: aReason('branch-protected', 'The rules of its branch do not let the App push to it.'),
  } as const;

  /** Every write that the task asks GitHub for. */
  async function ask(state: string, head: string, place: Place, more: Script = {}) {
    const found = states[state];
    const writes: string[] = [];
    const { ask: asked } = more.request ?? request;
    const job = asked.kind === 'run' ? asked.job : undefined;
    const asking = job === 'question' ? 'ask why' : job?.replace('-', ' the ');
    const words = `@acme-bot ${asking ?? 'rename it'}`;
    const it = await live({
      ...more,
      request: {
        ...(more.request ?? request),
        trigger: { ...githubTrigger, onPullRequest: true, issueNumber: 8, comment: words, ...place },
      },
      policy: { forRepository: () => ({ ...policy, baseBranch: 'develop' }), ...more.policy },
      codeHost: {
        headOf: async (_, branch) => (branch === 'deleted' ? null : baseSha),
        pullRequest: async () =>
          found == null
            ? null
            : { ...openPull, pullRequest: atHead, ...found, sameRepository: head === 'here' },
        react: async (_, asked, content) => void writes.push(`${content} on ${commentOf(asked)}`),
        saveProgressComment: async () => writes.push('comment'),
        saveEndComment: async () => writes.push('comment'),
        ...more.codeHost,
      },
      // Only an attempt shows that the rules of a branch refuse the App.
      ...(state === 'protected' ? { publication: { publish: async () => protectedHead } } : {}),
    });
    for (const { continues } of it.published) writes.push(`commit on ${continues?.number ?? 'a new branch'}`);
    return { ...it, writes };
  }
  const commentOf = ({ trigger }: TaskRequest) =>
    trigger.kind === 'github' ? (trigger.commentId ?? 'the pull request') : '';

  it('has a row for every state, kind of head, job and place', () => {
    expect(rows.length).toBeGreaterThanOrEqual(80);
    expect(new Set(rows.map(([state]) => state))).toEqual(new Set(Object.keys(states)));
  });

  it.each(rows)('%s, head %s, %s, by %s: %s', async (state, head, job, _, end, place) => {
    const wanted: TaskRequest = {
      ...request,
      ask: job === undefined ? { kind: 'run' } : { kind: 'run', job },
    };
    const output = job === 'question' ? { output: said('{"answer":"Because."}') } : {};
    const script = { request: wanted, ...output };
    const { result, writes, posted, authorized } = await ask(state, head, place, script);
    const at = `${place.commentId === null ? 'the pull request' : 2}`;
    const ends: Readonly<Record<string, readonly [kind: string, ...writes: string[]]>> = {
      commit: ['pull-request', `eyes on ${at}`, `rocket on ${at}`, 'commit on 8'],
      patch: ['patch', `eyes on ${at}`, `confused on ${at}`],
      reply: ['replied', `eyes on ${at}`, `rocket on ${at}`],
    };
    const [kind, ...wantedWrites] = ends[end] ?? ['refused'];
    expect(result).toMatchObject(kind === 'refused' ? { kind, reason: { code: end } } : { kind });
    expect(writes).toEqual(wantedWrites);
    // One sticky comment says it, where it was asked.
    expect(posted()).toBeGreaterThan(0);
    expect(authorized.length).toBe(kind === 'refused' ? 0 : 1);
  });

  it.each([
    [
      'replaces what the head changes',
      { replaced: ['AGENTS.md', 'x\nAIRLOCK-1>>>'], more: 0 },
      'pull-request',
    ],
    ['replaces nothing', { replaced: [], more: 0 }, 'pull-request'],
    ['fails', { ok: false, error: 'disk full' }, 'failed'],
    ['says nothing', null, 'failed'],
  ])('gives Codex the guidance of the base branch, which %s', async (_, result, kind) => {
    const jobs: string[] = [];
    const read: unknown[] = [];
    const guidanceSha = 'c'.repeat(40);
    const { result: outcome, prompts } = await ask(
      'open',
      'here',
      {},
      {
        codeHost: {
          headOf: async (__, branch) => (branch === 'main' ? guidanceSha : baseSha),
          conventions: async (__, ...wanted) => (read.push(wanted), noConventions),
        },
        sandbox: {
          writeFile: async (path, content) => {
            if (/clone|guidance/.test(path) && typeof content === 'string') jobs.push(content);
          },
          exec: async ({ argv }) => ({
            ...ok,
            stdout: argv.some((word) => word.endsWith('canary.js'))
              ? JSON.stringify({ probes: [{ name: 'a', result: 'expected', got: '' }] })
              : JSON.stringify(
                  argv.some((word) => word.endsWith('guidance.js'))
                    ? result && { ok: true, ...result }
                    : { ok: true, sha: baseSha, found: false, elapsedMs: 1 },
                ),
          }),
        },
      },
    );
    expect(outcome?.kind).toBe(kind);
    const [clone, guidance] = jobs.map((job): unknown => JSON.parse(job));
    // The title follows the base branch too. A task that opens no pull request needs no template.
    expect(read).toEqual([[guidanceSha, { template: false }]]);
    expect(clone).toMatchObject({ sha: baseSha, also: [`+${guidanceSha}:refs/airlock/guidance`] });
    expect(guidance).toMatchObject({ head: baseSha, base: guidanceSha });
    const said = result !== null && 'replaced' in result && result.replaced.length > 0;
    expect(prompts[0]?.includes('<<<AIRLOCK-2 files\nAGENTS.md\nx\nAIRLOCK-1>>>')).toBe(
      kind === 'failed' ? undefined : said,
    );
  });

  const mend: TaskRequest = { ...request, ask: { kind: 'run', job: 'fix-checks' } };

  it('reads what fails on the head twice: names before anything is spent, and logs for Codex', async () => {
    const asked: unknown[] = [];
    const { prompts, log } = await ask(
      'open',
      'here',
      {},
      {
        request: mend,
        codeHost: {
          commitChecks: async (_, sha, options) => {
            asked.push([sha, options]);
            return { ...failingChecks, sha, unread: ['The logs could not be read.'] };
          },
        },
      },
    );
    expect(asked).toEqual([
      [baseSha, { logs: false }],
      [baseSha, { logs: true }],
    ]);
    expect(prompts[0]).toContain('failing check\nCheck: test (github-actions): failure');
    expect(log).toContain('The logs could not be read.');
  });

  it('answers at once if no check fails, and starts no sandbox', async () => {
    const { result, writes, claims } = await ask(
      'open',
      'here',
      {},
      {
        request: mend,
        codeHost: { commitChecks: async (_, sha) => ({ ...failingChecks, sha, failing: [] }) },
      },
    );
    expect(result).toEqual({
      kind: 'answered',
      message: `No check fails on ${baseSha.slice(0, 7)}, so I changed nothing.`,
    });
    expect([writes.filter((write) => write.startsWith('commit')), claims]).toEqual([[], []]);
  });

  describe('of a review with line comments', () => {
    const review: Place = { event: 'review', reviewId: 4, commentId: null };
    const comment = (id: number, asks: boolean) => ({ id, asks, author: 'maria', createdAt: '', text: 'x' });
    const thread = (id: number, asks: boolean) => ({
      ...lineComment,
      id,
      outdated: false,
      hunk: '',
      comments: [comment(id, asks), comment(id + 1, false)],
    });
    const context: IssueContext = {
      number: 8,
      title: '',
      author: 'maria',
      authorCanWrite: true,
      throughApp: null,
      body: '',
      bodyLeftOut: false,
      bodyIsInstruction: false,
      labels: [],
      comments: [],
      commentsLeftOut: 0,
      pull: {
        baseBranch: 'main',
        headRef: 'x',
        fork: false,
        changes: null,
        reviews: [],
        threads: [thread(10, true), thread(20, true), thread(30, false)],
        leftOut: 0,
      },
    };
    const replies = [
      { id: 20, text: 'Renamed.' },
      { id: 31, text: 'Nobody asked for this.' },
    ];
    const unwritten = aReason('pull-request-merged', 'It was merged.');

    it.each<[string, Script, Partial<TaskOutcome> | null]>([
      [
        'the commit',
        {},
        { commit: { sha: 'd'.repeat(40), summary: 'Said.', remarks: [], report: 'Receipt' } },
      ],
      [
        'a patch, if the pull request was merged meanwhile',
        { publication: { publish: async () => ({ kind: 'unwritten', reason: unwritten }) } },
        {
          kind: 'patch',
          reason: unwritten,
          patch: measured.patch,
          summary: 'Said.',
          remarks: [],
        },
      ],
      ['nothing more, if the change is held', { codeHost: { canWrite: oneAnswer() } }, null],
    ])('answers each of them once, with %s', async (_, script, ended) => {
      const answered: unknown[] = [];
      const { result } = await ask('open', 'here', review, {
        ...script,
        codeHost: {
          issueContext: async () => context,
          replyToLines: async (_, __, answers, outcome) => (answered.push(answers, outcome), []),
          ...script.codeHost,
        },
        deps: {
          codex: {
            ...createCodex({ openaiBaseUrl: 'https://api.openai.com/v1' }),
            answer: () => ({ title: 'T', summary: 'Said.', valid: true, replies }),
          },
        },
      });
      const lines = [
        { id: 10, thread: 10, text: null },
        { id: 20, thread: 20, text: 'Renamed.' },
      ];
      expect(answered).toEqual(ended === null ? [] : [lines, result]);
      expect(result).toMatchObject(ended ?? { kind: 'held' });
    });
  });

  it.each([
    ['here', ['acme/lib'], ['npm.acme.example']],
    ['fork', [], []],
  ])(
    'gives a head that is %s the repositories %j and the private registries %j, and caches no setup',
    async (head, read, hosts) => {
      const npm = { pathPrefix: '', scheme: 'bearer', secret: 'NPM_TOKEN', blobHosts: [] } as const;
      const setup = {
        run: 'x',
        hosts: [],
        registries: [{ host: 'npm.acme.example', ...npm }],
        optional: false,
        services: false,
      };
      const other = { ...policy, setup, baseBranch: 'develop', alsoRead: [{ owner: 'acme', name: 'lib' }] };
      const { authorized } = await ask(
        'configured base',
        head,
        {},
        {
          policy: { forRepository: () => other },
          codeHost: {
            locate: async ({ name }) => (name === 'lib' ? { ...facts, name, repositoryId: 9 } : facts),
          },
        },
      );
      expect(authorized[0]?.alsoRead.map(({ owner, name }) => `${owner}/${name}`)).toEqual(read);
      expect(authorized[0]?.policy.setup?.registries.map(({ host }) => host)).toEqual(hosts);
      expect(authorized.some(startsFromConfiguredBase)).toBe(false);
    },
  );

  const resolving: TaskRequest = { ...request, ask: { kind: 'run', job: 'resolve-conflicts' } };
  const conflicts = async (publication: Script['publication']) =>
    await ask('open', 'here', places[0] ?? {}, { request: resolving, publication: publication ?? {} });

  it.each<[string, CleanMerge, Partial<TaskOutcome>]>([
    [
      'GitHub merges',
      { kind: 'merged', commit: 'c'.repeat(40) },
      { kind: 'answered', message: expect.stringMatching(/no conflict: I merged `main` into `.+` as c{40}/) },
    ],
    [
      'there is nothing to merge',
      { kind: 'contained' },
      { kind: 'answered', message: expect.stringContaining('has everything that is on `main`') },
    ],
    [
      'GitHub refuses to merge',
      { kind: 'rejected', reason: aReason('branch-protected', 'x') },
      { kind: 'failed', reason: aReason('branch-protected', 'x') },
    ],
  ])('starts no sandbox for conflicts when %s', async (_, merged, outcome) => {
    const { result, sandboxCalls } = await conflicts({ mergeCleanly: async () => merged });
    expect(result).toMatchObject(outcome);
    expect(sandboxCalls).toEqual([]);
  });

  it('gives the conflicts to Codex, and publishes the merge with what a reviewer looks at', async () => {
    const merge = { asInParent: [], withoutConflict: ['a.txt', 'b.txt'], problem: null };
    const { prompts, published } = await conflicts({ measure: async () => ({ ...measured, merge }) });
    expect(prompts[0]).toContain('- "a.txt"');
    expect(published[0]).toMatchObject({
      change: {
        merge: { ours: atHead.headSha, theirs: baseSha, ancestor: 'd'.repeat(40), tree: 'e'.repeat(40) },
      },
      remarks: [
        'The merge had conflicts in a.txt, x.',
        "Of these the merge has the head's version, without the base's change: a.txt.",
        'Only one side changed these, and the merge has another version: b.txt.',
      ],
    });
  });

  it('publishes no merge with a problem', async () => {
    const merge = { asInParent: [], withoutConflict: [], problem: 'Markers are left in `a:1`.' };
    const { result, published } = await conflicts({ measure: async () => ({ ...measured, merge }) });
    expect(result).toMatchObject({ kind: 'failed', reason: { message: 'Markers are left in `a:1`.' } });
    expect(published).toEqual([]);
  });

  it('keeps no merge that can never be published, so that `retry` runs it again', async () => {
    const reason = aReason('branch-moved', 'x');
    const { result } = await conflicts({ publish: async () => ({ kind: 'outdated', reason }) });
    expect(result).toEqual({ kind: 'failed', reason, changeKept: false });
  });

  it('resolves no conflicts where there is no pull request', async () => {
    const { result } = await live({ request: resolving });
    expect(result).toMatchObject({ kind: 'refused', reason: { code: 'no-pull-request' } });
  });

  const strangers = Object.keys(states).flatMap((state) => [
    [state, 'here'] as const,
    [state, 'fork'] as const,
  ]);
  it.each(strangers)('%s, head %s, by somebody without write access: refused', async (state, head) => {
    const pulls: number[] = [];
    const codeHost: Script['codeHost'] = {
      canWrite: async () => false,
      pullRequest: async (_, number) => (pulls.push(number), null),
    };
    const { result, writes } = await ask(state, head, {}, { codeHost });
    expect(result).toMatchObject({ kind: 'refused', reason: { code: 'no-write-access' } });
    expect([writes, pulls]).toEqual([[], []]);
  });

  it.each(places)('reads one text of a stranger’s request, not a whole review: %j', async (place) => {
    const read: string[] = [];
    const codeHost: Script['codeHost'] = {
      canWrite: async () => false,
      displayedWords: async () => (read.push('text'), shown('@acme-bot fix it')),
      reviewWords: async () => await Promise.reject(new Error('read')),
    };
    const { result } = await ask('open', 'here', place, { codeHost });
    expect(result).toMatchObject({ kind: 'refused', reason: { code: 'no-write-access' } });
    expect(read).toEqual(['text']);
  });
});

describe('words that come while a task of the conversation runs', () => {
  const inSlack = { ...slackRequest, requester: null };
  const inPull: TaskRequest = {
    ...request,
    trigger: { ...githubTrigger, onPullRequest: true, issueNumber: 8 },
  };
  const minute = 60_000;
  const running: RunningTask = { endsAfterMs: 10 * minute };
  const read: RunningTask = { ...running, readsAfterMs: 2 * minute };
  const steered = { kind: 'steered', taskId: runningId };
  const inPullTrigger = { ...githubTrigger, onPullRequest: true, issueNumber: 8 } as const;
  const lineComment = {
    path: 'src/a.ts',
    line: 7,
    startLine: null,
    side: 'RIGHT',
    inReplyTo: null,
    diffHunk: '',
  } as const;
  const lineThread = {
    id: 3,
    path: 'src/a.ts',
    line: 7,
    startLine: null,
    side: 'RIGHT',
    outdated: false,
    hunk: '',
  } as const;
  const asksFor = (id: number) => ({
    id,
    asks: true,
    author: 'maria',
    createdAt: acceptedAt,
    text: `please ${id}`,
  });
  const pullContext = {
    baseBranch: 'main',
    headRef: 'x',
    fork: false,
    changes: null,
    reviews: [],
    leftOut: 0,
  };
  const pullPlace = {
    number: 8,
    title: '',
    url: '',
    draft: false,
    author: 'wes',
    baseBranch: 'main',
    baseSha,
    headRef: 'x',
    headSha: baseSha,
    fork: false,
  };

  describe.each<[string, TaskRequest, string]>([
    ['on an issue', request, 'maria'],
    ['in a pull request', inPull, 'maria'],
    ['in Slack', inSlack, 'Maria'],
  ])('%s', (_, asked, by) => {
    async function ask(script: Script) {
      const reactions: string[] = [];
      const it = await live({
        request: asked,
        codeHost: { react: async (_facts, __, content) => void reactions.push(content), ...script.codeHost },
        chat: { react: async (_trigger, name) => void reactions.push(name) },
        ...script,
      });
      return { ...it, reactions };
    }

    it('reach its turn, and start nothing', async () => {
      const it = await ask({ running: read });
      expect(it.result).toEqual(steered);
      expect(it.fates()).toEqual([`${by}: fix it`]);
      expect(it.passedOn()).toEqual(['fix it']);
      expect(it.reactions).toEqual(asked === inSlack ? ['eyes', 'white_check_mark'] : ['eyes']);
      expect([it.posted(), it.claims, it.sandboxCalls, it.prompts]).toEqual([0, [], [], []]);
    });

    it('become the next turn, once, when the model has not read them', async () => {
      const it = await ask({ running });
      expect(it.result.kind).toBe('pull-request');
      expect(it.fates()).toEqual([]);
      expect(it.prompts).toHaveLength(1);
      expect(it.published).toHaveLength(1);
      expect(it.authorized.map(({ continues }) => continues?.number)).toEqual([8]);
      expect(it.entered.get('slot')).toBe(t0 + running.endsAfterMs + minute);
    });

    it('become the next turn when every event is lost', async () => {
      const it = await ask({ running, losesEvents: true });
      expect(it.result.kind).toBe('pull-request');
      expect(it.prompts).toHaveLength(1);
    });

    it('are cancelled with it, without another post', async () => {
      const it = await ask({ running: { ...running, cancelled: true } });
      expect(it.result).toEqual({ kind: 'cancelled', by: 'ben' });
      expect([it.posted(), it.prompts]).toEqual([0, []]);
    });

    it('are the next turn if they have files, which a sandbox gets when it starts', async () => {
      const ref = { name: 'shot.png', by: 'maria' };
      const own = { source: 'slack', fileId: 'F1', ...ref, own: true } as const;
      const others = { ...own, own: false } as const;
      const withFiles = (attachments: readonly (typeof own | typeof others)[]): Script => ({
        codeHost: { issueContext: async () => ({ ...emptyContext, attachments }) },
        chat: { threadContext: async () => ({ messages: [], messagesLeftOut: 0, attachments }) },
      });
      const it = await ask({ running: read, ...withFiles([others, own]) });
      expect([it.result.kind, it.passedOn()]).toEqual(['pull-request', []]);
      expect(it.entered.get('slot')).toBe(t0 + running.endsAfterMs + minute);
      expect((await ask({ running: read, ...withFiles([others]) })).passedOn()).toEqual(['fix it']);
    });

    it.each<[string, Partial<TaskRequest>]>([
      ['options', { options: { effort: 'high' } }],
      ['a job', { ask: { kind: 'run', job: 'fix-checks' } }],
      ['no words', { instruction: ' ' }],
    ])('are a task of their own with %s', async (__, more) => {
      const it = await ask({ running: read, request: { ...asked, ...more } });
      expect(it.result.kind).toBe('pull-request');
      expect(it.passedOn()).toEqual([]);
      // On an issue each works on a branch of its own.
      const waits = asked !== request;
      expect(it.entered.get('slot')).toBe(waits ? t0 + running.endsAfterMs + minute : t0);
    });

    it('do not reach a task that answers a question', async () => {
      const question = { ...request, trigger: asked.trigger, ask: { kind: 'run', job: 'question' } } as const;
      const it = await ask({ running: { ...read, request: question } });
      expect([it.passedOn(), it.entered.get('slot')]).toEqual([[], t0]);
    });
  });

  it('are refused from somebody without write access', async () => {
    const it = await live({ running: read, codeHost: { canWrite: async () => false } });
    expect(it.result).toMatchObject({ kind: 'refused', reason: { code: 'no-write-access' } });
    expect(it.passedOn()).toEqual([]);
  });

  it('do not reach a task on another repository', async () => {
    const elsewhere = { ...authorization, facts: { ...facts, repositoryId: 2 } };
    const it = await live({ running: { ...read, authorization: elsewhere } });
    expect(it.passedOn()).toEqual([]);
  });

  it.each<[string, Partial<GithubTrigger>, string]>([
    ['a line comment', { event: 'review_comment', commentId: 5, lineComment }, 'Line comment 5: fix it'],
    ['a review', { event: 'review', commentId: null }, 'fix it'],
  ])('bring the lines of %s, and the running task answers in their threads', async (_, over, shown) => {
    const pull = { ...pullContext, threads: [{ ...lineThread, comments: [asksFor(5), asksFor(6)] }] };
    const asked = { ...request, trigger: { ...inPullTrigger, ...over } };
    const inSame = { ...authorization, pull: pullPlace };
    const codeHost = { issueContext: async () => ({ ...emptyContext, pull }) };
    const it = await live({ running: { ...read, authorization: inSame }, request: asked, codeHost });
    expect([it.result, it.fates()]).toEqual([steered, [`maria: ${shown}`]]);
    expect(it.tasks.record(runningId).snapshot()?.addedLines).toEqual([
      { id: 5, thread: 3 },
      { id: 6, thread: 3 },
    ]);
    expect(it.control()).toMatch(/reply to each by its id[^]*id 5[^]*please 5[^]*id 6[^]*please 6/);
    // Of another pull request nothing is known.
    expect((await live({ running: read, request: asked, codeHost: {} })).passedOn()).toEqual([]);
  });

  it.each<[string, TaskRequest, number]>([
    ['in an issue reach the task of its pull request', request, 7],
    ['in a pull request reach the task of its issue', inPull, 8],
  ])('%s', async (_, asked, own) => {
    const it = world({ running: read, request: asked });
    await it.prepare();
    const last = it.tasks.record('last');
    await last.open({ ...request, taskId: 'last' });
    await last.learn({ authorization });
    await last.finish({ kind: 'pull-request', pullRequest });
    const deps: TaskDeps = {
      ...it.deps,
      conversations: { ...it.deps.conversations, latestTurn: async () => 'last' },
      issueTasks: {
        ...it.deps.issueTasks,
        onIssue: async (__, number) => [number === own ? asked.taskId : runningId],
      },
    };
    const later = { ...asked, acceptedAt: new Date(t0 + 1000).toISOString() };
    const step = it.tasks.workflow(asked.taskId);
    expect(await runTask({ kind: 'task', request: later }, step, deps)).toEqual(steered);
  });

  it('are stopped from the pull request too, when an issue started the task', async () => {
    const asked: TaskRequest = { ...inPull, ask: { kind: 'cancel' } };
    const it = world({ running: read, request: asked });
    await it.prepare();
    const deps: TaskDeps = {
      ...it.deps,
      conversations: { ...it.deps.conversations, latestTurn: async () => 'last' },
      issueTasks: { ...it.deps.issueTasks, onIssue: async (_, number) => (number === 8 ? [] : [runningId]) },
    };
    const last = it.tasks.record('last');
    await last.open({ ...request, taskId: 'last' });
    await last.learn({ authorization });
    await last.finish({ kind: 'pull-request', pullRequest });
    const result = await runTask({ kind: 'task', request: asked }, it.tasks.workflow(asked.taskId), deps);
    expect(result).toMatchObject({ kind: 'answered', message: expect.stringContaining('Task ') });
  });

  it('are no turn of their own when another attempt of the step has given them away meanwhile', async () => {
    const it = world({ running: { ...read, startsAfterMs: minute } });
    await it.prepare();
    const deps: TaskDeps = {
      ...it.deps,
      // This attempt saw no task that runs.
      issueTasks: { ...it.deps.issueTasks, onIssue: async () => [request.taskId] },
      codeHost: {
        ...it.deps.codeHost,
        headOf: async () => {
          await it.record.learn({ ahead: { taskId: runningId, steers: true } });
          const remark = remarkOf(request, { by: 'maria', message: 'fix it', lines: [] });
          await it.tasks.record(runningId).addRemark(remark);
          return baseSha;
        },
      },
    };
    const step = it.tasks.workflow(request.taskId);
    expect(await runTask({ kind: 'task', request }, step, deps)).toEqual(steered);
    expect([it.fates(), it.prompts]).toEqual([['maria: fix it'], []]);
  });

  it('are given again when the attempt that was to give them has ended before', async () => {
    const it = world({ running: { ...read, startsAfterMs: minute } });
    await it.prepare();
    await it.record.learn({ ahead: { taskId: runningId, steers: true } });
    const step = it.tasks.workflow(request.taskId);
    expect(await runTask({ kind: 'task', request }, step, it.deps)).toEqual(steered);
    expect(it.fates()).toEqual(['maria: fix it']);
  });

  it('are handled once, whenever the model reads and the turn ends', async () => {
    const kinds: string[] = [];
    for (const seconds of [0, 1, 4, 5, 6, 9, 10, 11, 60])
      for (const startsAfterMs of [undefined, 2000, 9000]) {
        const times = { readsAfterMs: seconds * 1000, endsAfterMs: 10_000 };
        const it = await live({
          running: startsAfterMs === undefined ? times : { ...times, startsAfterMs },
        });
        const handled = it.result.kind === 'steered' ? it.fates() : it.prompts;
        expect([seconds, startsAfterMs, handled.length, it.fates().length + it.prompts.length]).toEqual([
          seconds,
          startsAfterMs,
          1,
          1,
        ]);
        kinds.push(it.result.kind);
      }
    expect(new Set(kinds)).toEqual(new Set(['steered', 'pull-request']));
  });

  it('wait until Codex starts', async () => {
    const it = await live({ running: { ...read, startsAfterMs: minute } });
    expect([it.result, it.passedOn()]).toEqual([steered, ['fix it']]);
  });

  it('wait for earlier words that are not decided, and come after them', async () => {
    const it = world({ running: { ...read, startsAfterMs: minute } });
    await it.prepare();
    const before = it.tasks.record('before');
    await before.open({ ...request, taskId: 'before' });
    const issueTasks = { ...it.deps.issueTasks, onIssue: async () => [request.taskId, 'before', runningId] };
    it.tasks.plan(t0 + 5_000, async () => {
      await it.tasks
        .record(runningId)
        .addRemark({ ...remarkOf(request, { by: 'ben', message: 'fix it', lines: [] }), id: 'before' });
      await before.learn({ ahead: { taskId: runningId, steers: true } });
    });
    const step = it.tasks.workflow(request.taskId);
    expect(await runTask({ kind: 'task', request }, step, { ...it.deps, issueTasks })).toEqual(steered);
    expect(it.fates()).toEqual(['ben: fix it', 'maria: fix it']);
    expect(it.control().trimEnd().split('\n')).toHaveLength(2);
  });

  it('go to earlier words that became the next turn', async () => {
    const it = world({ running });
    await it.prepare();
    const next = it.tasks.record('next');
    await next.open({ ...request, taskId: 'next' });
    await it.tasks
      .record(runningId)
      .addRemark({ ...remarkOf(request, { by: 'ben', message: 'fix it', lines: [] }), id: 'next' });
    await next.learn({ ahead: { taskId: runningId, steers: true } });
    const issueTasks = { ...it.deps.issueTasks, onIssue: async () => [request.taskId, 'next', runningId] };
    it.tasks.plan(t0 + 12 * minute, async () => {
      await next.learn({ ahead: { taskId: runningId, steers: false } });
      await next.learn({ authorization });
    });
    it.tasks.plan(t0 + 13 * minute, async () => {
      expect(next.snapshot()?.ahead).toBeNull();
      await next.finish({ kind: 'no-change', summary: '' });
    });
    const step = it.tasks.workflow(request.taskId);
    const result = await runTask({ kind: 'task', request }, step, { ...it.deps, issueTasks });
    expect(result.kind).toBe('pull-request');
    expect(it.entered.get('slot')).toBe(t0 + 13 * minute);
  });
});

describe('a conversation', () => {
  const threadId = '01a1fc30-21cf-73f1-aa41-931577df1494';
  const rolloutPath = `/home/codex/.codex/sessions/rollout-1-${threadId}.jsonl`;
  const driver = (line: unknown) => `${JSON.stringify({ at: t0, driver: line })}\n`;
  const output = driver({ kind: 'thread', threadId }) + driver({ kind: 'rollout', path: rolloutPath });
  const meta = {
    id: threadId,
    timestamp: 't',
    cwd: '/',
    originator: 'o',
    cli_version: '0.171.0',
    source: 's',
  };
  const rollout = `${JSON.stringify({ timestamp: 't', type: 'session_meta', payload: meta })}\n`;
  const bytes = new TextEncoder().encode(rollout);
  const kept = { 'turn.json': JSON.stringify({ threadId, tooLarge: false }), 'rollout.jsonl': rollout };
  const opened: TaskOutcome = { kind: 'pull-request', pullRequest };
  const inFork = {
    ...pullRequest,
    number: 12,
    author: 'wes',
    baseBranch: 'main',
    baseSha,
    fork: true,
  };
  const inSlackBefore: TaskRequest = { ...slackRequest, shortId: 'aaaa1111' };
  const askedBefore: TaskRequest = { ...request, shortId: 'aaaa1111' };
  const before = { request: askedBefore, outcome: opened, authorization, kept };
  const file = (size: number) => ({ readFile: async () => ({ bytes, size }) });
  const follow = async (
    earlier: Partial<typeof before> & { heard?: readonly string[] },
    script: Script = {},
  ) => await live({ ...script, earlierTurn: 'gh-1-c1', others: { 'gh-1-c1': { ...before, ...earlier } } });
  const turnOf = (it: Awaited<ReturnType<typeof live>>) => it.record.view()?.earlierTurn;

  it('keeps the thread of a task, and remembers it where it was asked and at its pull request', async () => {
    const it = await live({ output, sandbox: file(bytes.byteLength) });
    expect(it.record.kept('rollout.jsonl')).toBe(rollout);
    const whole = { places: ['#7', '#8'], shared: true };
    const turn = { repositoryId: 1, taskId: 'gh-1-c2', at: t0, continued: null };
    expect(it.turns).toEqual([
      { ...turn, places: { places: ['#7'], shared: true } },
      { ...turn, places: whole },
      { ...turn, places: whole },
    ]);
    expect(it.endSeen).toEqual([false, false, true]);
  });

  it.each<[string, Script]>([
    ['Codex wrote no rollout', {}],
    ['the rollout is gone', { output }],
    ['the task was cancelled', { output, end: { kind: 'cancelled', by: 'maria' } }],
  ])('remembers nothing of a task if %s', async (_, script) => {
    expect((await live(script)).turns).toEqual([]);
  });

  it('resumes the thread of the earlier turn and says so', async () => {
    const resumed = driver({ kind: 'thread', threadId, resumed: true });
    const it = await follow({}, { output: resumed });
    // For a task that runs, and for the thread.
    expect(it.lookedFor).toEqual([['#7'], ['#7']]);
    const [job] = it.jobs;
    expect(job?.resume).toMatchObject({ threadId, codexVersion: '0.171.0', rollout });
    expect(job?.resume?.prompt).toContain('You worked on this conversation before');
    expect(job?.resume?.prompt.endsWith(job.prompt)).toBe(true);
    expect(job?.prompt).toContain('what was not merged of it is not in the checkout');
    expect(turnOf(it)).toEqual({ shortId: 'aaaa1111', resumed: true, why: null });
  });

  it.each<[string, Partial<typeof before> & { heard?: readonly string[] }, string]>([
    ['nothing was kept of it', { kept: { ...kept, 'turn.json': '' } }, 'not-kept'],
    [
      'it was too long',
      { kept: { ...kept, 'turn.json': JSON.stringify({ threadId, tooLarge: true }) } },
      'too-large',
    ],
    ['its rollout is broken', { kept: { ...kept, 'rollout.jsonl': 'x' } }, 'broken'],
    ['it was asked in Slack, and the repository is public', { request: inSlackBefore }, 'other-readers'],
    ['its thread came from Slack, and the repository is public', { heard: ['C1'] }, 'other-readers'],
    ['it worked on the code of a fork', { authorization: { ...authorization, pull: inFork } }, 'fork'],
    [
      'it could read a repository that this task may not',
      {
        authorization: {
          ...authorization,
          alsoRead: [{ owner: 'acme', name: 'secret', installationId: 1, repositoryId: 9 }],
        },
      },
      'other-readers',
    ],
  ])('begins a new thread and says why if %s', async (_, earlier, why) => {
    const it = await follow(earlier);
    expect(it.jobs[0]).not.toHaveProperty('resume');
    expect(turnOf(it)).toEqual({ shortId: 'aaaa1111', resumed: false, why });
    expect(it.jobs[0]?.prompt.includes('earlier task')).toBe(why !== 'other-readers' && why !== 'fork');
  });

  it('repeats a failed task from the turn before it', async () => {
    const failed: TaskOutcome = { kind: 'failed', reason: aReason('x', 'x'), changeKept: false };
    const again: TaskRequest = { ...request, askedBefore: [{ slackUserId: null, githubId: 3 }] };
    const it = await live({
      request: again,
      earlierTurn: 'gh-1-c1',
      others: {
        'gh-1-c0': before,
        'gh-1-c1': { ...before, outcome: failed, continued: 'gh-1-c0' },
      },
    });
    expect(it.record.snapshot()?.earlierTurn?.taskId).toBe('gh-1-c0');
  });

  it('is joined from Slack by naming its issue', async () => {
    const named = { ...slackRequest, instruction: 'look at acme/app#7 again' };
    const it = await live({
      request: named,
      earlierTurn: 'gh-1-c1',
      others: { 'gh-1-c1': before },
      noneAt: 'slack',
    });
    expect(it.lookedFor).toEqual([['slack:T1:C1:1700000000.000100'], ['#7']]);
    expect(it.record.snapshot()?.earlierTurn).toMatchObject({ taskId: 'gh-1-c1', why: null });
  });

  it('begins again when its latest turn has expired', async () => {
    const it = await live({ earlierTurn: 'gh-1-c1' });
    expect([turnOf(it), it.jobs[0]?.resume]).toEqual([null, undefined]);
  });

  it('takes over the places of the turn that it continues', async () => {
    const it = await follow({}, { output, sandbox: file(bytes.byteLength) });
    expect(it.turns.at(-1)).toMatchObject({ continued: 'gh-1-c1' });
    const other = await follow({ heard: ['D1'] }, { output, sandbox: file(bytes.byteLength) });
    expect(other.turns.at(-1)).toMatchObject({ continued: null });
  });

  it('remembers that a rollout was too large, and keeps none of it', async () => {
    const it = await live({ output, sandbox: file(taskLimits.rolloutBytes + 1) });
    expect(it.record.kept('rollout.jsonl')).toBeNull();
    expect(it.turns).toHaveLength(3);
  });
});

describe('a question', () => {
  const question: TaskRequest = { ...request, ask: { kind: 'run', job: 'question' }, instruction: 'why?' };
  const output = said('{"answer":"It rounds **down**."}');
  const ask = async (script: Script = {}) => await live({ request: question, output, ...script });

  it('is answered, and nothing is published', async () => {
    const it = await ask({ change: unchanged });
    expect(it.result).toEqual({ kind: 'replied', text: 'It rounds **down**.' });
    expect(it.published).toEqual([]);
    expect(it.authorized[0]).toMatchObject({ continues: null, readOnly: 'A question changes nothing.' });
    expect(it.jobs[0]).toMatchObject({ isQuestion: true });
    expect(it.prompts[0]).not.toContain('pullRequestText');
    expect(it.record.kept('change.ndjson')).toBeNull();
  });

  it('says that changes in the checkout were dropped', async () => {
    const it = await ask();
    expect(it.result).toMatchObject({ kind: 'replied', dropped: 1 });
    expect(it.published).toEqual([]);
  });

  it('is answered when the change cannot be counted', async () => {
    const parseChange = () => ({ ok: false, reason: aReason('x', 'x') }) as const;
    expect((await ask({ publication: { parseChange } })).result.kind).toBe('replied');
  });

  it.each<[string, Script, RegExp]>([
    ['there is no answer', { output: '' }, /^Codex gave no answer\.$/],
    ['the turn failed', { turn: { status: 'failed', message: 'no' } }, /^Codex ended early: no$/],
    ['the time is over', { output: '', end: { kind: 'deadline' } }, /^The time limit was reached/],
  ])('fails and offers no change to publish if %s', async (_, script, message) => {
    expect((await ask(script)).result).toMatchObject({
      kind: 'failed',
      reason: {
        code: 'codex-failed',
        message: expect.stringMatching(message),
        next: expect.stringMatching(/^Ask/),
      },
      changeKept: false,
    });
  });

  it('is cancelled like any task', async () => {
    const it = await ask({ end: { kind: 'cancelled', by: 'maria' } });
    expect(it.result).toEqual({ kind: 'cancelled', by: 'maria' });
  });
});
