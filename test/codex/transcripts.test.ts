/** Event files of real runs, trimmed, and the progress that they fold into. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { answerOf } from '../../src/codex/answer.ts';
import { foldAll } from './driver-harness.ts';

const transcript = (name: string) =>
  readFileSync(new URL(`fixtures/${name}.jsonl`, import.meta.url), 'utf8')
    .trimEnd()
    .split('\n');

it.each(['completed', 'completed-top-level-tools'])('%s: plan, command, change and answer', (name) => {
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
});

it('interrupted: the output so far is kept', () => {
  const { progress } = foldAll(transcript('interrupted'));
  expect(progress.turn).toEqual({ status: 'interrupted' });
  expect(progress.commands).toMatchObject([
    { status: 'failed', outputTail: expect.stringContaining('tick 3') },
  ]);
  expect(answerOf(progress).valid).toBe(false);
});

it('refused: the service’s words are the reason', () => {
  const { progress } = foldAll(transcript('refused'));
  expect(progress.turn).toEqual({ status: 'failed', message: 'The budget of this task is used up.' });
});

it.each(['completed', 'interrupted', 'refused'])('%s: any cut of the file folds without harm', (name) => {
  const text = transcript(name).join('\n');
  for (let end = 0; end < text.length; end += 97) {
    const { progress } = foldAll(text.slice(0, end).split('\n'));
    expect(progress.unknownEvents).toBeLessThanOrEqual(1);
  }
});
