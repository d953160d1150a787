/** Folds trimmed event files of real runs into progress. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { answerOf } from '../../src/codex/answer.ts';
import { foldAll } from './driver-harness.ts';

const transcript = (name: string) =>
  readFileSync(new URL(`fixtures/${name}.jsonl`, import.meta.url), 'utf8')
    .trimEnd()
    .split('\n');

it.each(['completed', 'completed-top-level-tools'])(
  'the run %s yields plan, command, change and answer',
  (name) => {
    const { progress } = foldAll(transcript(name));
    expect(progress).toMatchObject({
      plan: [{ status: 'completed' }, { status: 'completed' }],
      commands: [{ command: 'cat a.txt', exitCode: 0, outputTail: 'one' }],
      changedFiles: ['a.txt'],
      message: 'Looking.',
      turn: { status: 'completed' },
      rolloutPath: expect.stringMatching(/^\/home\/codex\/\.codex\/sessions\/.*\.jsonl$/),
      unknownEvents: 0,
    });
    expect(answerOf(progress)).toEqual({ title: 'Make it two', summary: 'It was one.', valid: true });
  },
);

it('an interrupted run keeps its output so far', () => {
  const { progress } = foldAll(transcript('interrupted'));
  expect(progress.turn).toEqual({ status: 'interrupted' });
  expect(progress.commands).toMatchObject([
    { status: 'failed', outputTail: expect.stringContaining('tick 3') },
  ]);
  expect(answerOf(progress).valid).toBe(false);
});

it('a refused run shows the message of the service as the reason', () => {
  const { progress } = foldAll(transcript('refused'));
  expect(progress.turn).toEqual({ status: 'failed', message: 'The budget of this task is used up.' });
});

it.each(['completed', 'interrupted', 'refused'])(
  'the run %s folds without an error at any cut of the file',
  (name) => {
    const text = transcript(name).join('\n');
    for (let end = 0; end < text.length; end += 97) {
      const { progress } = foldAll(text.slice(0, end).split('\n'));
      expect(progress.unknownEvents).toBeLessThanOrEqual(1);
    }
  },
);
