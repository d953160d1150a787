import { describe, expect, it } from 'vitest';
import type { GrantPhase } from '../../core/grant.ts';
import { taskLimits } from '../limits.ts';
import { acceptedAt, authorization, request } from '../../../test/fixtures/sample-task.ts';
import { advanceGrant, grantOf, spentBudget } from './task-grant.ts';
import { openState, type TaskState } from './task-state.ts';

const opened = openState(request, 'nonce', Date.parse(acceptedAt));
const at = (changes: Partial<TaskState>): TaskState => ({ ...opened, ...changes });
const outcome = { kind: 'no-change', summary: '' } as const;

describe('the grant', () => {
  it.each([
    ['before anything was authorized', {}, null],
    ['before the first phase', { authorization }, 'sealed'],
    ['while cloning', { authorization, grantPhase: 'clone' }, 'clone'],
    ['during setup', { authorization, grantPhase: 'setup' }, 'setup'],
    ['while Codex runs', { authorization, grantPhase: 'run' }, 'run'],
    ['after a cancellation', { authorization, grantPhase: 'run', cancelledBy: 'maria' }, 'sealed'],
    ['after a cancellation in setup', { authorization, grantPhase: 'setup', cancelledBy: 'maria' }, 'sealed'],
    ['after the end', { authorization, grantPhase: 'run', outcome }, 'sealed'],
    ['once the sandbox is destroyed', { authorization, grantPhase: 'run', closed: true }, 'sealed'],
  ] as const)('%s is %s', (_, changes, phase) => {
    expect(grantOf(at(changes))?.phase ?? null).toBe(phase);
  });

  it('names the one repository, its limits and nothing else', () => {
    expect(grantOf(at({ authorization, grantPhase: 'run' }))).toEqual({
      taskId: 'gh-1-c2',
      phase: 'run',
      repositories: [{ owner: 'acme', name: 'app', installationId: 1, repositoryId: 1 }],
      alsoRead: [],
      lfs: false,
      setupHosts: [],
      extraHosts: [],
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
        setup: { run: 'npm ci', hosts: ['packages.example.com'], optional: false },
        lfs: true,
        extraHosts: ['docs.example.com'],
      },
      alsoRead: [design],
    };
    expect(grantOf(at({ authorization: opening, grantPhase: 'clone' }))).toMatchObject({
      repositories: [{ repositoryId: 1 }],
      alsoRead: [design],
      lfs: true,
      setupHosts: ['packages.example.com'],
      extraHosts: ['docs.example.com'],
    });
  });
});

describe('phases of the grant', () => {
  const phases = ['clone', 'setup', 'run', 'sealed'] as const;
  const pairs = phases.flatMap((from) => phases.map((to): [GrantPhase, GrantPhase] => [from, to]));

  it.each(phases)('may begin with %s', (to) => {
    expect(advanceGrant(opened, to)?.grantPhase).toBe(to);
  });

  it.each(pairs.filter(([from, to]) => phases.indexOf(to) > phases.indexOf(from)))(
    'go forward from %s to %s',
    (from, to) => {
      expect(advanceGrant(at({ grantPhase: from }), to)?.grantPhase).toBe(to);
    },
  );

  it.each(pairs.filter(([from, to]) => phases.indexOf(to) < phases.indexOf(from)))(
    'never go back from %s to %s',
    (from, to) => {
      expect(advanceGrant(at({ grantPhase: from }), to)).toBeNull();
    },
  );

  it.each(phases)('change nothing when %s is entered again', (phase) => {
    const state = at({ grantPhase: phase });
    expect(advanceGrant(state, phase)).toBe(state);
  });
});

describe('the budget that is used up', () => {
  const none = { requests: 0, tokens: 0, bytesUp: 0, bytesDown: 0 };
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
  ])('with %s used', (_, used, spent) => {
    expect(spentBudget(at({ authorization, used }))).toBe(spent);
  });

  it('is none before anything was authorized', () => {
    expect(spentBudget(at({ used: { requests: 1e9, tokens: 1e9 } }))).toBeNull();
  });
});
