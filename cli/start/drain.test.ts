import { expect, it } from 'vitest';
import type { OpenTask } from '../task/bot-api.ts';
import { drain } from './drain.ts';

const task = (shortId: string, state: OpenTask['state'] = 'running'): OpenTask => ({
  shortId,
  state,
  phaseText: 'Codex is working',
  repository: { owner: 'acme', name: 'shop' },
  origin: 'github',
  issueNumber: 12,
  requester: 'maria',
  acceptedAt: '2026-11-21T06:57:55Z',
});
const waits = task('w1', 'waiting');
const [a, b] = [task('a1'), task('b2')];
const lineOf = (id: string) => `  ${id}  running  2 min 5 s  acme/shop#12  maria  Codex is working`;
const begins = (count: string) => [
  `${count}. Waiting for at most 10 min 0 s (AIRLOCK_DRAIN_SECONDS); press Ctrl-C again to end them now.`,
  'What else is asked waits for the next start.',
];

/** What the Worker says at each look, or null, and how many sandboxes there are. */
type Looks = readonly (readonly [tasks: readonly OpenTask[] | null, sandboxes: number])[];

interface When {
  readonly stopAt?: number;
  readonly lateAt?: number;
}

async function linesOf(looks: Looks, { stopAt, lateAt = Infinity }: When = {}) {
  const [said, stopped]: [string[], AbortController] = [[], new AbortController()];
  const start = Date.parse('2026-11-21T07:00:00Z');
  let index = -1;
  await drain(
    {
      openTasks: async () => {
        index += 1;
        if (index === stopAt) stopped.abort();
        const tasks = looks[index]?.[0];
        if (tasks == null) throw new Error('no answer');
        return tasks;
      },
      sandboxes: () => Array.from({ length: looks[index]?.[1] ?? 0 }, String),
      say: (line) => said.push(line),
      now: () => start + (index >= lateAt ? 600_000 : 0),
      pause: async () => await Promise.resolve(),
    },
    600_000,
    stopped.signal,
  );
  return { said, looks: index + 1 };
}

it.each<[what: string, Looks, When, said: readonly string[]]>([
  ['says nothing when nothing runs, whatever waits', [[[waits], 0]], {}, []],
  [
    'names what runs, then counts it, until nothing runs',
    [
      [[a, waits, b], 2],
      [[a, b], 2],
      [[b], 1],
      [[b], 0],
      [[], 0],
    ],
    {},
    [...begins('2 tasks run'), lineOf('a1'), lineOf('b2'), '1 task runs …', 'No task runs any more.'],
  ],
  [
    'waits for a sandbox that no running task has yet',
    [
      [[waits], 1],
      [[a], 1],
      [[], 0],
    ],
    {},
    [...begins('1 sandbox runs'), '1 task runs …', 'No task runs any more.'],
  ],
  [
    'waits on while the Worker does not answer and sandboxes exist',
    [
      [[a], 1],
      [null, 1],
      [[a], 1],
      [null, 0],
    ],
    {},
    [...begins('1 task runs'), lineOf('a1'), 'No task runs any more.'],
  ],
  [
    'says that the time is over',
    [
      [[a, b], 2],
      [[a, b], 2],
    ],
    { lateAt: 1 },
    [
      ...begins('2 tasks run'),
      lineOf('a1'),
      lineOf('b2'),
      '2 tasks run after 10 min 0 s. They end now, and say so where they were asked.',
    ],
  ],
  [
    'ends without a word when it is stopped',
    [
      [[a], 1],
      [[a], 1],
    ],
    { stopAt: 1 },
    [...begins('1 task runs'), lineOf('a1')],
  ],
])('%s', async (_, looks, when, said) => {
  expect(await linesOf(looks, when)).toEqual({ said, looks: looks.length });
});
