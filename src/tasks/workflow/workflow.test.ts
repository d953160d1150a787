/** The life of a task against fakes of its ports: which end follows from what, and that every end is told and cleaned up. */
import type { WorkflowStep } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { createCodex } from '../../codex/codex.ts';
import type { ChangeSet } from '../../core/change-set.ts';
import type { SlotClaim } from '../../core/admission.ts';
import { emptyReceipt } from '../../core/grant.ts';
import {
  startsFromConfiguredBase,
  type AgentEnd,
  type Approval,
  type Authorization,
} from '../../core/authorization.ts';
import type { PublishInput } from '../../core/ports/publication.ts';
import type { TaskRecordPort } from '../../core/ports/task-record.ts';
import {
  SandboxBusyError,
  SandboxLostError,
  SandboxUnavailableError,
  type ExecResult,
  type TaskSandbox,
} from '../../core/ports/sandbox-port.ts';
import type { SlotAnswer } from '../../core/ports/slots-port.ts';
import type { Chat } from '../../core/ports/chat-port.ts';
import type { Notable, Progress } from '../../core/progress.ts';
import type { TaskView } from '../../core/task-view.ts';
import type { AskedAt, IndexedTask, Routing } from '../../core/chat.ts';
import type { RepositoryRef, TaskOutcome, TaskPhase, TaskRequest } from '../../core/task.ts';
import {
  authorization,
  facts,
  member,
  policy,
  request,
  slackRequest,
  slackTrigger,
} from '../../../test/fixtures/sample-task.ts';
import type { TaskDeps } from './stage.ts';
import { openState, viewOf } from '../record/task-state.ts';
import { runTask } from './workflow.ts';

const baseSha = authorization.baseSha;
const pullRequest = {
  number: 8,
  title: 'Fix it',
  url: 'https://github.com/acme/app/pull/8',
  headRef: 'airlock/x',
  headSha: 'b'.repeat(40),
  draft: false,
};
const changed: ChangeSet = {
  base: baseSha,
  files: [{ type: 'deletion', path: 'x' }],
  skipped: [],
  insertions: 0,
  deletions: 1,
  diff: '',
};
const unchanged: ChangeSet = { ...changed, files: [] };
const ok: ExecResult = { exitCode: 0, stdout: '', stderr: '', truncated: false, timedOut: false };

interface World {
  readonly deps: TaskDeps;
  readonly log: string[];
  readonly told: Notable[];
  readonly claims: SlotClaim[];
  readonly published: PublishInput[];
  readonly grants: string[];
  readonly authorized: Authorization[];
  readonly routed: Routing[];
  /** What Codex was told. */
  readonly prompts: string[];
  /** Where in the order of tasks the thread was looked back from. */
  readonly lookedBackFrom: (AskedAt | undefined)[];
  /** Names of repositories. */
  readonly located: string[];
  readonly indexed: IndexedTask[];
  readonly offered: (readonly RepositoryRef[])[];
  readonly outcome: () => TaskOutcome | null;
}
interface Script {
  readonly kind?: 'task' | 'publish';
  readonly request?: TaskRequest;
  readonly end?: AgentEnd;
  readonly change?: ChangeSet;
  readonly turn?: Progress['turn'];
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
  /** Tasks of the thread before this one: their views in turn, the last one for ever. */
  readonly earlier?: readonly TaskView[];
  /** Tasks that are done anew, by their ids. */
  readonly originals?: Readonly<
    Record<string, { readonly request: TaskRequest; readonly outcome: TaskOutcome }>
  >;
  readonly choice?: RepositoryRef | null;
  /** In turn; granted when there are no more. */
  readonly slotAnswers?: readonly SlotAnswer[];
  readonly setupCache?: TaskDeps['setupCache'];
}

const viewFor = (asked: TaskRequest, progress: Progress | null): TaskView =>
  viewOf(openState(asked, 'nonce', 0), {
    progress,
    receipt: emptyReceipt,
    setup: null,
    costUsd: null,
    now: 0,
  });

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

function world(script: Script): World {
  const codex = createCodex({ openaiBaseUrl: 'https://api.openai.com/v1' });
  const log: string[] = [];
  const grants: string[] = [];
  const published: PublishInput[] = [];
  const kept = new Map<string, string>();
  const authorized: Authorization[] = [];
  const routed: Routing[] = [];
  const located: string[] = [];
  const indexed: IndexedTask[] = [];
  const offered: (readonly RepositoryRef[])[] = [];
  const prompts: string[] = [];
  const lookedBackFrom: (AskedAt | undefined)[] = [];
  const told: Notable[] = [];
  const claims: SlotClaim[] = [];
  const slotAnswers = [...(script.slotAnswers ?? [])];
  const asked = script.request ?? request;
  const earlierViews = [...(script.earlier ?? [])];
  let outcome: TaskOutcome | null = null;
  let cancelledBy: string | null = null;
  const progress: Progress = { ...codex.initialProgress, turn: script.turn ?? { status: 'completed' } };
  const record: TaskRecordPort = {
    request: async () => asked,
    routedRequest: async () => ({ ...asked, repository: asked.repository ?? request.repository }),
    routed: async ({ routing }) => void routed.push(routing),
    offer: async (choices) => void offered.push(choices),
    choose: async () => true,
    choice: async () => script.choice ?? null,
    approval: async () => script.approval ?? null,
    events: async () => [],
    located: async ({ name }) => void located.push(name),
    authorized: async (given) => void authorized.push(given),
    authorization: async () => authorized.at(-1) ?? authorization,
    queued: async (position) => void log.push(`place ${position}`),
    note: async (text) => void log.push(text),
    tell: async (line) => void told.push(line),
    reopen: async () => ({ reopened: true, attempt: 1, request }),
    enter: async (phase) => {
      if (phase === script.cancelBefore) cancelledBy = 'maria';
      log.push(phase);
      const answer = { cancelledBy };
      if (phase === script.cancelDuring) cancelledBy = 'maria';
      return answer;
    },
    grantPhase: async (phase) => void grants.push(phase),
    canaryNonce: async () => 'nonce',
    saveComment: async () => void log.push('comment'),
    observe: async () => void log.push('observe'),
    agentEnd: async () => script.end ?? { kind: 'exited', exitCode: 0 },
    keep: async (name, content) => void kept.set(name, content),
    kept: async (name) => kept.get(name) ?? null,
    changed: async () => undefined,
    finish: async (first) => void (outcome ??= first),
    view: async () => ({ ...viewFor(asked, progress), outcome }),
    cancel: async () => ({ cancelled: true, reason: 'Cancelled.' }),
    close: async () => void log.push('closed'),
  };
  const sandbox: TaskSandbox = {
    start: async () => undefined,
    writeFile: async () => undefined,
    readFile: async () => null,
    exec: async ({ argv }) => ({
      ...ok,
      stdout: argv.some((word) => word.endsWith('canary.js'))
        ? JSON.stringify({ probes: [{ name: 'a', ok: true, got: '' }] })
        : JSON.stringify({ ok: true, sha: baseSha, found: false, elapsedMs: 1 }),
    }),
    startRun: async () => undefined,
    readRun: async () => ({ bytes: new TextEncoder().encode('lines'), size: 5, exitCode: 0 }),
    destroy: async () => undefined,
    ...script.sandbox,
  };
  const deps: TaskDeps = {
    record,
    sandbox,
    slots: {
      request: async (claim) => {
        claims.push(claim);
        return slotAnswers.shift() ?? { granted: true };
      },
      release: async () => undefined,
    },
    setupCache: script.setupCache ?? null,
    codex: {
      ...codex,
      invocation: (job) => {
        prompts.push(job.prompt);
        return codex.invocation(job);
      },
    },
    codeHost: {
      locate: async () => facts,
      canWrite: async () => true,
      headOf: async () => baseSha,
      issueContext: async () => null,
      react: async () => undefined,
      saveProgressComment: async () => 1,
      tasksOn: async () => [],
      pullRequest: async () => ({ pullRequest, open: true, sameRepository: true, baseBranch: 'main' }),
      account: async (_, login) => ({ login, id: 5 }),
      relocate: async () => facts,
      installedRepositories: async () => [],
      forgetTokens: async () => undefined,
      ...script.codeHost,
    },
    publication: {
      parseChange: () => ({ ok: true, change: script.change ?? changed }),
      gate: () => ({ kind: 'allow' }),
      changeHash: async (lines) => `hash of ${lines}`,
      publish: async (input) => {
        published.push(input);
        return { kind: 'published', pullRequest, added: input.continues !== null };
      },
      ...script.publication,
    },
    policy: {
      mention: 'acme-bot',
      forRepository: () =>
        script.allowed === false
          ? { allowed: false, reason: { code: 'not-listed', message: 'not listed' } }
          : policy,
      named: [{ owner: 'acme', name: 'app' }],
      hasPatterns: false,
      slack: {
        team: 'T1',
        channelDefaults: new Map(),
        githubLogins: new Map([['U1', 'maria-on-github']]),
        replies: 'all',
      },
      ...script.policy,
    },
    chat:
      script.chat === null
        ? null
        : {
            person: async () => member,
            threadContext: async () => null,
            react: async () => void log.push('react'),
            saveTaskMessage: async () => null,
            permalink: async () => 'https://acme.slack.com/archives/C1/p1',
            ...script.chat,
          },
    index: {
      put: async (task) => void indexed.push(task),
      inThread: async (_channel, _thread, before) => {
        lookedBackFrom.push(before);
        return script.earlier === undefined ? null : earlierEntry;
      },
      byMessage: async () => null,
      recent: async () => [],
    },
    costOf: () => null,
    recordOf: (taskId) => {
      const original = script.originals?.[taskId];
      if (original !== undefined)
        return {
          ...record,
          request: async () => original.request,
          view: async () => ({ ...viewFor(original.request, null), outcome: original.outcome }),
        };
      return taskId === earlierEntry.taskId
        ? { ...record, view: async () => earlierViews.shift() ?? script.earlier?.at(-1) ?? null }
        : record;
    },
    publishAgain: async () => ({ started: true }),
    taskUrl: () => null,
    now: () => 0,
    log: () => undefined,
    ...script.deps,
  };
  return {
    deps,
    log,
    told,
    claims,
    grants,
    published,
    authorized,
    routed,
    prompts,
    lookedBackFrom,
    located,
    indexed,
    offered,
    outcome: () => outcome,
  };
}

/** Runs steps at once, with retries but without waiting, as the platform would with its back-off left out. */
function stepper(): WorkflowStep {
  const run = async (
    _name: string,
    config: { retries?: { limit: number } },
    work: () => Promise<unknown>,
  ): Promise<unknown> => {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const result = await work();
        // What a step returns is stored as JSON by the platform.
        return result === undefined ? undefined : JSON.parse(JSON.stringify(result));
      } catch (error) {
        if (attempt >= (config.retries?.limit ?? 0)) throw error;
      }
    }
  };
  const step: unknown = {
    do: run,
    sleep: async () => undefined,
    waitForEvent: async () => ({ payload: {}, type: 'agent-finished' }),
  };
  // oxlint-disable-next-line typescript/consistent-type-assertions, typescript/no-unsafe-type-assertion -- the methods that runTask uses
  return step as WorkflowStep;
}

async function live(script: Script) {
  const it = world(script);
  const outcome = await runTask(
    { kind: script.kind ?? 'task', request: script.request ?? request },
    stepper(),
    it.deps,
  );
  return { ...it, result: outcome };
}

describe('a repository that was renamed while the task ran', () => {
  const present = { ...facts, name: 'other' };
  const moved = { kind: 'rejected', reason: { code: 'repository-moved', message: 'no' } } as const;

  it('ends a task that fails with the rename as its reason, keeps the change and posts under the new name', async () => {
    const { result, located } = await live({
      codeHost: { relocate: async () => present },
      publication: { publish: async () => moved },
    });
    expect(result).toEqual({
      kind: 'failed',
      changeKept: true,
      reason: {
        code: 'repository-renamed',
        message:
          '`acme/app` was renamed or moved while this task ran; it is `acme/other` now. Make sure that the configuration allows the new name, then retry the publication.',
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
          name === 'app' ? policy : { allowed: false, reason: { code: 'not-listed', message: 'no' } },
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
    expect(unknown.result).toEqual({ ...moved, kind: 'failed', changeKept: true });
  });
});

describe('a task', () => {
  it('goes through its phases in order and ends in a pull request', async () => {
    const { result, log, grants, published } = await live({});
    expect(result).toEqual({ kind: 'pull-request', pullRequest });
    expect(log.filter((name) => name !== 'comment')).toEqual([
      'authorize',
      'acknowledge',
      'slot',
      'provision',
      'canary',
      'clone',
      'codex',
      'observe',
      'collect',
      'gate',
      'publish',
      'report',
      'closed',
    ]);
    expect(grants).toEqual(['clone', 'run', 'sealed']);
    expect(published[0]).toMatchObject({ draft: false, remarks: [], baseBranch: 'main' });
  });

  it.each<[string, Script, Partial<TaskOutcome>]>([
    ['the repository is not allowed', { allowed: false }, { kind: 'refused' }],
    ['the requester may not write', { codeHost: { canWrite: async () => false } }, { kind: 'refused' }],
    [
      'the base branch does not exist',
      { codeHost: { headOf: async () => null } },
      { kind: 'refused', reason: expect.objectContaining({ code: 'base-missing' }) },
    ],
    [
      'the mention could not be understood',
      { request: { ...request, ask: { kind: 'invalid', message: 'what?' } } },
      { kind: 'refused', reason: { code: 'mention-invalid', message: 'what?' } },
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
            stdout: JSON.stringify({ probes: [{ name: 'no raw connection', ok: false, got: 'connected' }] }),
          }),
        },
      },
      { kind: 'failed', reason: expect.objectContaining({ code: 'not-sealed' }) },
    ],
    [
      'the canary says nothing',
      { sandbox: { exec: async () => ok } },
      { kind: 'failed', reason: expect.objectContaining({ code: 'not-sealed' }) },
    ],
    ['nothing was changed', { change: unchanged }, { kind: 'no-change' }],
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
    [
      'the run was cancelled',
      { end: { kind: 'cancelled', by: 'maria' } },
      { kind: 'cancelled', by: 'maria' },
    ],
    [
      'the sandbox was lost',
      { end: { kind: 'lost', why: 'gone' } },
      { kind: 'failed', reason: expect.objectContaining({ code: 'sandbox-lost' }) },
    ],
    [
      'the change does not parse',
      { publication: { parseChange: () => ({ ok: false, reason: { code: 'bad', message: 'bad' } }) } },
      { kind: 'failed', changeKept: false },
    ],
    [
      'the gate holds the change',
      {
        publication: {
          gate: () => ({ kind: 'hold', reason: { code: 'secret', message: 'a key' }, approvable: true }),
        },
      },
      { kind: 'held', reason: { code: 'secret', message: 'a key' }, changeHash: 'hash of lines' },
    ],
    [
      'the gate holds what no approval helps',
      {
        publication: {
          gate: () => ({ kind: 'hold', reason: { code: 'w', message: 'w' }, approvable: false }),
        },
      },
      { kind: 'held', reason: { code: 'w', message: 'w' }, changeHash: null },
    ],
    [
      'GitHub does not take the change',
      { publication: { publish: async () => ({ kind: 'rejected', reason: { code: 'no', message: 'no' } }) } },
      { kind: 'failed', changeKept: true },
    ],
    [
      'the repository is nowhere any more',
      {
        codeHost: { relocate: async () => null },
        publication: { publish: async () => ({ kind: 'rejected', reason: { code: 'gone', message: 'no' } }) },
      },
      { kind: 'failed', changeKept: true, reason: { code: 'gone', message: 'no' } },
    ],
    [
      'publishing keeps failing',
      { publication: { publish: async () => Promise.reject(new Error('502')) } },
      {
        kind: 'failed',
        changeKept: true,
        reason: expect.objectContaining({ message: expect.stringContaining('The change is kept') }),
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
  ])('ends, is told and cleaned up when %s', async (_, script, expected) => {
    const { result, log, outcome } = await live(script);
    expect(result).toMatchObject(expected);
    expect(outcome()).toEqual(result);
    expect(log.slice(-2).sort()).toEqual(['closed', 'comment']);
  });

  it('starts its sandbox once it has a slot, and says its place until then', async () => {
    const waits = (place: number) => ({ granted: false, place }) as const;
    const { result, log, claims } = await live({ slotAnswers: [waits(17), waits(2)] });
    expect(result.kind).toBe('pull-request');
    expect(log.filter((line) => /^(?:slot|place|provision|canary)/.test(line))).toEqual([
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
    [
      'a budget is used up, as an earlier version wrote it',
      { end: { kind: 'budget' } },
      /The token budget was used up/,
    ],
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

  it('is authorized for what the configuration opens, by id', async () => {
    const design = { owner: 'acme', name: 'design' };
    const setup = { run: 'npm ci', hosts: ['packages.example.com'], optional: false };
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

  it('is not stopped by a reaction or a comment that GitHub does not take', async () => {
    const { result } = await live({ codeHost: { react: async () => Promise.reject(new Error('422')) } });
    expect(result.kind).toBe('pull-request');
  });

  it('tries again what may pass', async () => {
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

  it('waits its turn while there is no room for another sandbox', async () => {
    let starts = 0;
    const start = async () => {
      starts += 1;
      if (starts < 4) throw new SandboxBusyError('full');
    };
    const { result, log } = await live({ sandbox: { start } });
    expect(result.kind).toBe('pull-request');
    expect(log.filter((line) => line.startsWith('Waiting'))).toHaveLength(3);
  });

  it('waits out a platform that breaks off the start for longer than a failed step is tried again', async () => {
    let starts = 0;
    const start = async () => {
      starts += 1;
      if (starts < 12) throw new SandboxUnavailableError('Network connection lost.');
    };
    const { result } = await live({ sandbox: { start } });
    expect(result.kind).toBe('pull-request');
    expect(starts).toBe(12);
  });

  it('does not wait for ever for a platform that breaks off every start', async () => {
    let starts = 0;
    const start = async () => {
      starts += 1;
      throw new SandboxUnavailableError('Network connection lost.');
    };
    const { result } = await live({ sandbox: { start } });
    expect(result).toMatchObject({ kind: 'failed', reason: { code: expect.stringMatching(/^step-failed/) } });
    expect(starts).toBe(36);
  });

  it('publishes a kept change again without a sandbox', async () => {
    const unexpected = async () => Promise.reject(new Error('no sandbox is needed'));
    const { result, log, published } = await live({
      kind: 'publish',
      sandbox: { start: unexpected, exec: unexpected, startRun: unexpected },
    });
    expect(result).toEqual({ kind: 'pull-request', pullRequest });
    expect(published).toHaveLength(1);
    expect(log).toEqual(['gate', 'publish', 'report', 'comment', 'closed']);
  });

  it.each<[string, TaskOutcome | null, RegExp]>([
    [
      'a kept change',
      { kind: 'failed', reason: { code: 'x', message: 'x' }, changeKept: true },
      /published again/,
    ],
    [
      'nothing kept',
      { kind: 'failed', reason: { code: 'x', message: 'x' }, changeKept: false },
      /Nothing on this issue/,
    ],
    ['no failure', { kind: 'no-change', summary: '' }, /Nothing on this issue/],
  ])('answers `retry` with %s', async (_, earlier, answer) => {
    const it = world({});
    const earlierRecord: TaskRecordPort = {
      ...it.deps.record,
      view: async () => ({
        ...viewFor(request, null),
        outcome: earlier,
      }),
    };
    const deps = {
      ...it.deps,
      codeHost: { ...it.deps.codeHost, tasksOn: async () => ['gh-1-c1'] },
      recordOf: () => earlierRecord,
    };
    const result = await runTask(
      { kind: 'task', request: { ...request, ask: { kind: 'retry' } } },
      stepper(),
      deps,
    );
    expect(result).toEqual({ kind: 'answered', message: expect.stringMatching(answer) });
  });
});

describe('a task from Slack', () => {
  const shop = { owner: 'acme', name: 'shop' };
  const app = { owner: 'acme', name: 'app' };
  const ended = (outcome: TaskOutcome | null, asked: TaskRequest = request): TaskView => ({
    ...viewFor(asked, null),
    outcome,
  });
  const inSlack = async (script: Script) => await live({ request: slackRequest, ...script });

  it('is routed before anything else, and works on the repository that routing named', async () => {
    const { log, routed, authorized, published, result, indexed } = await inSlack({});
    expect(result.kind).toBe('pull-request');
    expect(log.filter((name) => name !== 'comment').slice(0, 3)).toEqual([
      'route',
      'authorize',
      'acknowledge',
    ]);
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

  it('goes on without that account when GitHub cannot find it', async () => {
    const { published, result } = await inSlack({
      codeHost: { account: async () => Promise.reject(new Error('502')) },
    });
    expect(result.kind).toBe('pull-request');
    expect(published[0]).toMatchObject({ reviewer: null, request: { requester: null } });
  });

  it.each([
    ['a public one does not show where it was asked', false, null],
    ['a private one links there', true, 'https://acme.slack.com/archives/C1/p1'],
  ] as const)('on a repository: %s', async (_, isPrivate, conversationUrl) => {
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

    it('asks, and works on what was chosen', async () => {
      const { offered, routed, result } = await inSlack({ ...several, choice: shop });
      expect(offered).toEqual([[app, shop]]);
      expect(routed).toEqual([{ repository: shop, by: 'chosen' }]);
      expect(result.kind).toBe('pull-request');
    });

    it('ends when nobody chooses', async () => {
      const { result, log } = await inSlack({ ...several, choice: null });
      expect(result).toMatchObject({ kind: 'refused', reason: { code: 'no-choice' } });
      expect(log).not.toContain('provision');
    });

    it('ends when it is cancelled instead', async () => {
      const { result } = await inSlack({ ...several, choice: null, cancelDuring: 'route' });
      expect(result).toEqual({ kind: 'cancelled', by: 'maria' });
    });
  });

  describe('in the thread of another', () => {
    const published: TaskOutcome = { kind: 'pull-request', pullRequest };

    it('adds to its pull request', async () => {
      const it = await inSlack({ earlier: [ended(published)] });
      expect(it.routed).toEqual([{ repository: app, by: 'thread' }]);
      expect(it.authorized[0]).toMatchObject({ continues: pullRequest, baseBranch: 'airlock/x' });
      expect(it.result).toEqual({ kind: 'pull-request', pullRequest, added: true });
    });

    it('waits while that one runs', async () => {
      const it = await inSlack({ earlier: [ended(null), ended(null), ended(null), ended(published)] });
      expect(it.log).toContain('Waiting for the task before it in this thread.');
      expect(it.authorized[0]?.continues).toEqual(pullRequest);
    });

    it.each<[string, Script]>([
      [
        'it is closed',
        {
          codeHost: {
            pullRequest: async () => ({ pullRequest, open: false, sameRepository: true, baseBranch: 'main' }),
          },
        },
      ],
      [
        'it lies in a fork',
        {
          codeHost: {
            pullRequest: async () => ({ pullRequest, open: true, sameRepository: false, baseBranch: 'main' }),
          },
        },
      ],
      ['it is gone', { codeHost: { pullRequest: async () => null } }],
      ['another base is asked for', { request: { ...slackRequest, options: { base: 'next' } } }],
    ])('makes a pull request of its own when %s', async (_, script) => {
      const it = await inSlack({ earlier: [ended(published)], ...script });
      expect(it.authorized[0]?.continues).toBeNull();
      expect(it.result).toEqual({ kind: 'pull-request', pullRequest });
    });

    it('makes one of its own after a task that came to nothing', async () => {
      const it = await inSlack({ earlier: [ended({ kind: 'no-change', summary: '' })] });
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
        { kind: 'failed', reason: { code: 'x', message: 'x' }, changeKept: true },
        /published again/,
      ],
    ])('answers %o about it', async (ask, outcome, answer) => {
      const it = await inSlack({ request: { ...slackRequest, ask }, earlier: [ended(outcome)] });
      expect(it.result).toEqual({ kind: 'answered', message: expect.stringMatching(answer) });
      expect(it.indexed).toEqual([]);
    });
  });

  describe('tells Codex of the task before it', () => {
    const failed: TaskOutcome = { kind: 'failed', reason: { code: 'x', message: 'x' }, changeKept: false };
    const onPullRequest = { continues: { number: pullRequest.number, url: pullRequest.url } };
    const isThere = 'already in the checkout';

    it.each<[string, Script, string]>([
      [
        'that its work is there, on its branch',
        { earlier: [ended({ kind: 'pull-request', pullRequest })] },
        isThere,
      ],
      [
        'that only what was merged is there, once its pull request is closed',
        {
          earlier: [ended({ kind: 'pull-request', pullRequest })],
          codeHost: {
            pullRequest: async () => ({ pullRequest, open: false, sameRepository: true, baseBranch: 'main' }),
          },
        },
        'what was not merged of it is not in the checkout',
      ],
      [
        'that only what was merged is there, on another base',
        {
          earlier: [ended({ kind: 'pull-request', pullRequest })],
          request: { ...slackRequest, options: { base: 'next' } },
        },
        'what was not merged of it is not in the checkout',
      ],
      [
        'that nothing is there, after one that failed',
        { earlier: [ended(failed)] },
        'nothing of what it did',
      ],
      [
        'that nothing is there, after one that was cancelled',
        { earlier: [ended({ kind: 'cancelled', by: 'Maria' })] },
        'nothing of what it did',
      ],
      [
        'that nothing of it is there, after one that failed on a pull request which this goes on with',
        { earlier: [{ ...ended(failed), ...onPullRequest }] },
        'nothing of what it did',
      ],
    ])('%s', async (_, script, says) => {
      const { prompts } = await inSlack(script);
      expect(prompts[0]).toContain(says);
      expect(prompts[0]?.includes(isThere)).toBe(says === isThere);
    });

    it('after one that failed, still on the pull request that it worked on', async () => {
      const { authorized } = await inSlack({ earlier: [{ ...ended(failed), ...onPullRequest }] });
      expect(authorized[0]?.continues).toEqual(pullRequest);
    });
  });

  describe('that is another one anew', () => {
    const failed: TaskOutcome = { kind: 'failed', reason: { code: 'x', message: 'x' }, changeKept: false };
    const published: TaskOutcome = { kind: 'pull-request', pullRequest };
    const original: TaskRequest = {
      ...slackRequest,
      taskId: 'slack-a',
      acceptedAt: '2026-11-21T09:00:00.000Z',
    };
    const anew = (
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
      ['Retry', anew('retry', 'slack-a')],
      ['Change', anew('change', 'slack-a', 'form')],
      ['Retry of a retry', anew('retry', 'slack-b')],
    ])('looks for what was before the first: %s', async (_, request) => {
      const { lookedBackFrom, prompts } = await inSlack({
        request,
        originals: {
          'slack-a': { request: original, outcome: failed },
          'slack-b': { request: { ...anew('retry', 'slack-a'), taskId: 'slack-b' }, outcome: failed },
        },
      });
      expect(lookedBackFrom).toEqual([before]);
      expect(prompts[0]).not.toContain('earlier task');
    });

    it('goes on with the pull request that the first went on with', async () => {
      const { authorized, prompts } = await inSlack({
        request: anew('retry', 'slack-a'),
        originals: { 'slack-a': { request: original, outcome: failed } },
        earlier: [ended(published)],
      });
      expect(authorized[0]?.continues).toEqual(pullRequest);
      expect(prompts[0]).toContain('already in the checkout');
    });

    it.each<[string, TaskOutcome, TaskOutcome]>([
      ['the one that is tried again', published, failed],
      ['an earlier try', failed, published],
    ])('is a change of its own once there is one: of %s', async (_, last, first) => {
      const { authorized, prompts, result } = await inSlack({
        request: anew('retry', 'slack-b'),
        originals: {
          'slack-a': { request: original, outcome: first },
          'slack-b': { request: { ...anew('retry', 'slack-a'), taskId: 'slack-b' }, outcome: last },
        },
        earlier: [ended(published)],
      });
      expect(authorized[0]?.continues).toBeNull();
      expect(result).toEqual({ kind: 'pull-request', pullRequest });
      expect(prompts[0]).toContain('what was not merged of it is not in the checkout');
    });

    it('starts also when the first is forgotten', async () => {
      const it = world({ request: anew('retry', 'slack-a') });
      const forgotten: TaskDeps = {
        ...it.deps,
        recordOf: (taskId) => ({
          ...it.deps.recordOf(taskId),
          request: async () => null,
          view: async () => null,
        }),
      };
      const result = await runTask({ kind: 'task', request: anew('retry', 'slack-a') }, stepper(), forgotten);
      expect(result.kind).toBe('pull-request');
    });

    it.each<[string, TaskRequest, string]>([
      ['words', { ...slackRequest, repository: app }, 'named'],
      ['a form', { ...slackRequest, repository: app, trigger: { ...slackTrigger, event: 'form' } }, 'form'],
      ['Change', anew('change', 'slack-a', 'form'), 'form'],
      ['Retry', anew('retry', 'slack-a'), 'again'],
      ['Retry of a form', anew('retry', 'slack-a', 'form'), 'again'],
    ])('says where its repository comes from: %s', async (_, request, by) => {
      const { routed } = await inSlack({
        request,
        originals: { 'slack-a': { request: original, outcome: failed } },
      });
      expect(routed).toEqual([{ repository: app, by }]);
    });
  });

  it('waits until it is known which repository the task before it is about', async () => {
    const routing = ended(null, slackRequest);
    const { routed, log } = await inSlack({
      earlier: [routing, routing, ended({ kind: 'pull-request', pullRequest })],
    });
    expect(routed).toEqual([{ repository: app, by: 'thread' }]);
    expect(log.filter((name) => name === 'route').length).toBeGreaterThanOrEqual(3);
  });

  it('does not wait while people are asked that', async () => {
    const asking = { ...ended(null, slackRequest), choices: [app, shop] };
    const { routed } = await inSlack({ earlier: [asking] });
    expect(routed).toEqual([{ repository: app, by: 'only' }]);
  });

  it('is in the index before it looks for the task before it, a command in a thread is not', async () => {
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

  it('of a guest is not in the index: it would stand between the tasks of a thread', async () => {
    const { indexed } = await inSlack({ chat: { person: async () => ({ ...member, kind: 'guest' }) } });
    expect(indexed).toEqual([]);
  });

  it('says so when there is no task to be cancelled', async () => {
    const { result } = await inSlack({ request: { ...slackRequest, ask: { kind: 'cancel' } } });
    expect(result).toEqual({ kind: 'answered', message: expect.stringContaining('no task in this thread') });
  });
});

describe('an approval', () => {
  const held: Script = {
    publication: {
      gate: (_, approvedBy) =>
        approvedBy === null
          ? { kind: 'hold', reason: { code: 'secret', message: 'a key' }, approvable: true }
          : { kind: 'mark', remarks: [`approved by ${approvedBy}`] },
    },
  };

  it('of this change lets it pass as a draft', async () => {
    const { result, published } = await live({
      ...held,
      approval: { by: 'Maria', changeHash: 'hash of lines' },
    });
    expect(result.kind).toBe('pull-request');
    expect(published[0]).toMatchObject({ draft: true, remarks: ['approved by Maria'] });
  });

  it('of another change counts for nothing', async () => {
    const { result } = await live({ ...held, approval: { by: 'Maria', changeHash: 'hash of others' } });
    expect(result.kind).toBe('held');
  });
});
