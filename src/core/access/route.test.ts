import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { routedByWords, route, type RouteInput } from './route.ts';
import type { RepositoryRef } from '../task.ts';

const acme = (name: string): RepositoryRef => ({ owner: 'acme', name });
const [named, threads, channels, only, other] = [
  acme('named'),
  acme('thread'),
  acme('channel'),
  acme('only'),
  acme('other'),
];
const nothing: RouteInput = { explicit: null, thread: null, channelDefault: null, candidates: [] };
const thread = { repository: threads, taskId: 'slack-1' };
const inWords = (repository: RepositoryRef) => ({ repository, by: 'named' }) as const;
const to = (repository: RepositoryRef, by: string, continues: string | null = null) => ({
  kind: 'repository',
  routing: { repository, by },
  continues,
});

describe('route', () => {
  it.each<[string, Partial<RouteInput>, object]>([
    [
      'uses the named repository before all others',
      { explicit: inWords(named), thread, channelDefault: channels, candidates: [only] },
      to(named, 'named'),
    ],
    [
      'uses the repository from the form, and says that it is from the form',
      { explicit: { repository: named, by: 'form' }, thread },
      to(named, 'form'),
    ],
    [
      'continues the earlier task of the thread when a task is retried',
      { explicit: { repository: threads, by: 'again' }, thread },
      to(threads, 'again', 'slack-1'),
    ],
    [
      'uses the repository of the thread’s task when none is named',
      { thread, channelDefault: channels, candidates: [only] },
      to(threads, 'thread', 'slack-1'),
    ],
    [
      'uses the channel’s default when the thread has no task',
      { channelDefault: channels, candidates: [only] },
      to(channels, 'channel'),
    ],
    ['uses the only candidate when the channel has no default', { candidates: [only] }, to(only, 'only')],
    [
      'asks the person when there are several candidates',
      { candidates: [only, other] },
      { kind: 'ask', choices: [only, other] },
    ],
    [
      'counts the same candidate once',
      { candidates: [only, { owner: 'Acme', name: 'ONLY' }] },
      to(only, 'only'),
    ],
    [
      'continues the thread’s task when its repository is named',
      { explicit: inWords({ owner: 'ACME', name: 'Thread' }), thread },
      to({ owner: 'ACME', name: 'Thread' }, 'named', 'slack-1'),
    ],
    [
      'does not continue the thread’s task when another repository is named',
      { explicit: inWords(named), thread },
      to(named, 'named'),
    ],
    [
      'prefers the repository of the thread’s task to candidates',
      { thread, candidates: [only] },
      to(threads, 'thread', 'slack-1'),
    ],
    [
      'prefers the channel’s default to candidates',
      { channelDefault: channels, candidates: [only] },
      to(channels, 'channel'),
    ],
  ])('%s', (_, input, expected) => {
    expect(route({ ...nothing, ...input })).toEqual(expected);
  });

  it('returns no repository to a person who may use none, and says who decides that', () => {
    const verdict = route(nothing);
    expect(verdict).toMatchObject({ kind: 'none', reason: { code: 'no-repository' } });
    expect(verdict.kind === 'none' && verdict.reason.next).toContain('Ask the operator of this bot');
  });

  const anyRef = fc.constantFrom(acme('a'), acme('b'), acme('c'), { owner: 'ACME', name: 'B' });
  const anyInput = fc.record({
    explicit: fc.option(fc.record({ repository: anyRef, by: fc.constantFrom('named', 'form', 'again') })),
    thread: fc.option(fc.record({ repository: anyRef, taskId: fc.constant('slack-1') })),
    channelDefault: fc.option(anyRef),
    candidates: fc.array(anyRef, { maxLength: 6 }),
  });

  it('offers nothing that the person may not use, and never fewer than two', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const verdict = route(input);
        if (verdict.kind !== 'ask') return;
        expect(verdict.choices.length).toBeGreaterThan(1);
        expect(input.candidates).toEqual(expect.arrayContaining([...verdict.choices]));
      }),
    );
  });

  it('ignores all later sources once one has decided', () => {
    fc.assert(
      fc.property(anyInput, anyInput, (input, later) => {
        const verdict = route(input);
        if (verdict.kind !== 'repository') return;
        const { by } = verdict.routing;
        if (by === 'only') return;
        const channelDefault = by === 'channel' ? input.channelDefault : later.channelDefault;
        expect(route({ ...input, channelDefault, candidates: later.candidates })).toEqual(verdict);
      }),
    );
  });

  it('continues a task only on that task’s repository', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const verdict = route(input);
        if (verdict.kind !== 'repository' || verdict.continues === null) return;
        expect(verdict.continues).toBe(input.thread?.taskId);
        expect(verdict.routing.repository.name.toLowerCase()).toBe(
          input.thread?.repository.name.toLowerCase(),
        );
      }),
    );
  });
});

it('gives the reason for the repository in words', () => {
  expect(
    (['named', 'form', 'again', 'thread', 'channel', 'only', 'chosen'] as const).map(routedByWords),
  ).toEqual([
    'named in the message',
    'chosen in the form',
    "the earlier task's repository",
    "this thread's task",
    "this channel's default",
    'the only repository you may use here',
    'chosen by hand',
  ]);
});
