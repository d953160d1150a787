import { expect, it } from 'vitest';
import type { OpenTask } from '../task/bot-api.ts';
import { openTaskLines } from './open-task-lines.ts';

const now = Date.parse('2026-11-21T07:00:00Z');
const task: OpenTask = {
  shortId: 'abcd1234',
  state: 'running',
  phaseText: 'Codex is working',
  repository: { owner: 'acme', name: 'shop' },
  origin: 'github',
  issueNumber: 12,
  requester: 'maria',
  acceptedAt: '2026-11-21T06:57:55Z',
};

it('shows what runs, then what waits, then what is held, with the counts at the end', () => {
  const tasks: readonly OpenTask[] = [
    { ...task, state: 'held', phaseText: 'held for approval', acceptedAt: '2026-11-21T02:00:00Z' },
    {
      ...task,
      shortId: 'e1',
      state: 'waiting',
      origin: 'slack',
      repository: null,
      issueNumber: null,
      requester: 'Ma\u001b[2J\u202eria',
      phaseText: 'finding the repository',
    },
    { ...task, shortId: 'f2', origin: 'api', issueNumber: null, requester: null },
    task,
  ];
  expect(openTaskLines(tasks, now)).toEqual([
    'f2        running  2 min 5 s  acme/shop from the API        –         Codex is working',
    'abcd1234  running  2 min 5 s  acme/shop#12                  maria     Codex is working',
    'e1        waiting  2 min 5 s  no repository yet from Slack  Ma[2Jria  finding the repository',
    'abcd1234  held     5 h 0 min  acme/shop#12                  maria     held for approval',
    '2 running, 1 waiting, 1 held.',
  ]);
});

it('shows only the counts when there is nothing', () => {
  expect(openTaskLines([], now)).toEqual(['0 running, 0 waiting, 0 held.']);
});
