import { describe, expect, it } from 'vitest';
import { totalOnly } from '../../core/grant.ts';
import type { TaskPhase } from '../../core/task.ts';
import { taskLimits } from '../limits.ts';
import { acceptedAt, authorization, request } from '../../../test/fixtures/sample-task.ts';
import { enterPhase, grantPhaseOf, openState, type RecordState } from './record-state.ts';
import { grantOf, spentBudget } from './task-grant.ts';

const opened = openState(request, 'nonce', Date.parse(acceptedAt));
const at = (changes: Partial<RecordState>): RecordState => ({ ...opened, ...changes });
const entered = (...phases: TaskPhase[]) => ({ phases: phases.map((phase) => ({ phase, at: 0 })) });
const outcome = { kind: 'no-change', summary: '' } as const;

describe('the grant', () => {
  it.each([
    ['before anything was authorized', {}, null],
    ['before the first phase', { authorization }, 'sealed'],
    ['while cloning', { authorization, ...entered('clone') }, 'clone'],
    ['during setup', { authorization, ...entered('setup') }, 'setup'],
    ['while the change is collected', { authorization, ...entered('codex', 'collect') }, 'sealed'],
    ['while Codex runs', { authorization, ...entered('codex') }, 'run'],
    ['after a cancellation', { authorization, ...entered('codex'), cancelledBy: 'maria' }, 'sealed'],
    ['after a cancellation in setup', { authorization, ...entered('setup'), cancelledBy: 'maria' }, 'sealed'],
    ['after the end', { authorization, ...entered('codex'), outcome }, 'sealed'],
    ['once the sandbox is destroyed', { authorization, ...entered('codex'), closed: true }, 'sealed'],
  ] as const)('%s is %s', (_, changes, phase) => {
    expect(grantOf(at(changes))?.phase ?? null).toBe(phase);
  });

  it('names the one repository, its limits and nothing else', () => {
    expect(grantOf(at({ authorization, ...entered('codex') }))).toEqual({
      taskId: 'gh-1-c2',
      phase: 'run',
      repositories: [{ owner: 'acme', name: 'app', installationId: 1, repositoryId: 1 }],
      alsoRead: [],
      lfs: false,
      setupHosts: [],
      extraHosts: [],
      registries: [],
      models: ['m'],
      canaryNonce: 'nonce',
      budgets: {
        requests: taskLimits.requests,
        tokens: 1000,
        bytesUp: taskLimits.bytesUp,
        bytesDown: taskLimits.bytesDown,
      },
      used: { requests: 0, tokens: 0, bytesUp: 0, bytesDown: 0 },
    });
  });

  it('adds what the configuration opens, each in its own list', () => {
    const design = { owner: 'acme', name: 'design', installationId: 1, repositoryId: 9 };
    const opening = {
      ...authorization,
      policy: {
        ...authorization.policy,
        setup: {
          run: 'npm ci',
          hosts: ['packages.example.com'],
          registries: [],
          optional: false,
          services: false,
        },
        lfs: true,
        extraHosts: ['docs.example.com'],
      },
      alsoRead: [design],
    };
    expect(grantOf(at({ authorization: opening, ...entered('clone') }))).toMatchObject({
      repositories: [{ repositoryId: 1 }],
      alsoRead: [design],
      lfs: true,
      setupHosts: ['packages.example.com'],
      extraHosts: ['docs.example.com'],
    });
  });
});

describe('the phases of the grant', () => {
  const opening = [
    ['clone', 'clone'],
    ['setup', 'setup'],
    ['codex', 'run'],
    ['collect', 'sealed'],
  ] as const;
  const pairs = opening.flatMap(([from], i) =>
    opening.map(([to], j) => ({ from, to, forward: j > i, back: j < i })),
  );

  it.each(opening)('open with the phase %s of the task: %s', (phase, grant) => {
    expect(grantPhaseOf(at(entered('accepted', phase)))).toBe(grant);
  });

  it.each(pairs.filter(({ forward }) => forward))('go forward from $from to $to', ({ from, to }) => {
    const next = enterPhase(at(entered('accepted', from)), to, 1);
    expect(next === null ? null : grantPhaseOf(next)).toBe(new Map<string, string>(opening).get(to));
  });

  it.each(pairs.filter(({ back }) => back))('never go back from $from to $to', ({ from, to }) => {
    expect(enterPhase(at(entered('accepted', from)), to, 1)).toBeNull();
    // Also for a phase that was entered before.
    expect(enterPhase(at(entered('accepted', to, from)), to, 1)).toBeNull();
  });

  it('do not change in a phase that opens none', () => {
    const next = enterPhase(at(entered('accepted', 'codex')), 'acknowledge', 1);
    expect(next === null ? null : grantPhaseOf(next)).toBe('run');
  });
});

describe('spentBudget', () => {
  const none = { requests: 0, tokens: 0, bytesUp: 0, bytesDown: 0 };
  const having = ({ tokens, ...used }: typeof none) => ({ used, usage: totalOnly(tokens) });
  it.each([
    ['nothing', none, null],
    ['one token less than there are', { ...none, tokens: 999 }, null],
    ['all tokens', { ...none, tokens: 1000 }, 'tokens'],
    ['one request less', { ...none, requests: taskLimits.requests - 1 }, null],
    ['all requests', { ...none, requests: taskLimits.requests }, 'requests'],
    [
      'one byte less',
      { ...none, bytesUp: taskLimits.bytesUp - 1, bytesDown: taskLimits.bytesDown - 1 },
      null,
    ],
    ['all bytes up', { ...none, bytesUp: taskLimits.bytesUp }, 'bytesUp'],
    ['more than all bytes down', { ...none, bytesDown: taskLimits.bytesDown + 1 }, 'bytesDown'],
    ['tokens and bytes', { ...none, tokens: 1000, bytesDown: taskLimits.bytesDown }, 'tokens'],
  ])('returns the budget that is used up after %s', (_, used, spent) => {
    expect(spentBudget(at({ authorization, ...having(used) }))).toBe(spent);
  });

  it('returns null before the task is authorized', () => {
    expect(spentBudget(at(having({ ...none, requests: 1e9, tokens: 1e9 })))).toBeNull();
  });
});
