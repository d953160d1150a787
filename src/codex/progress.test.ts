import { describe, expect, it } from 'vitest';
import type { Progress } from '../core/progress.ts';
import { fold, initialProgress } from './progress.ts';

const event = (method: string, params: unknown, at = 1_000) =>
  JSON.stringify({ at, event: { method, params } });
const driver = (line: unknown) => JSON.stringify({ at: 1_000, driver: line });
const foldAll = (...lines: readonly string[]): Progress =>
  lines.reduce((progress, line) => fold(progress, line, 7).progress, initialProgress);

const command = (fields: Record<string, unknown> = {}) => ({
  type: 'commandExecution',
  id: 'exec-1',
  command: "/bin/bash -c 'npm test'",
  status: 'inProgress',
  aggregatedOutput: null,
  exitCode: null,
  durationMs: null,
  ...fields,
});
const started = (fields: Record<string, unknown> = {}, at = 1_000) =>
  event('item/started', { item: command(fields) }, at);
const completed = (fields: Record<string, unknown> = {}) =>
  event('item/completed', {
    item: command({ status: 'completed', exitCode: 0, durationMs: 5, aggregatedOutput: 'ok\n', ...fields }),
  });
const delta = (itemId: string, text: string) =>
  event('item/commandExecution/outputDelta', { itemId, delta: text });
const said = (text: string, phase: string | null) =>
  event('item/completed', { item: { type: 'agentMessage', id: 'm', text, phase } });

describe('a command', () => {
  it('shows the end of its output while it runs and after it ended', () => {
    const running = foldAll(started(), delta('exec-1', 'a\n'), delta('exec-1', 'b\n'));
    expect(running.commands).toEqual([
      {
        id: 'exec-1',
        command: 'npm test',
        exitCode: null,
        status: 'running',
        outputTail: 'a\nb\n',
        startedAt: 1_000,
        durationMs: null,
      },
    ]);
    const { progress, notable } = fold(running, completed({ aggregatedOutput: 'a\nb\nc\n' }), 7);
    expect(progress.commands).toMatchObject([
      {
        exitCode: 0,
        status: 'completed',
        outputTail: 'a\nb\nc',
        startedAt: 1_000,
        durationMs: 5,
        endedAt: 1_000,
      },
    ]);
    expect(notable).toEqual([
      { kind: 'command.finished', command: 'npm test', exitCode: 0, outputTail: 'a\nb\nc', durationMs: 5 },
    ]);
  });

  it('keeps its own output next to a concurrent one', () => {
    const progress = foldAll(
      started(),
      started({ id: 'exec-2' }),
      delta('exec-1', 'one'),
      delta('exec-2', 'two'),
    );
    expect(progress.commands.map(({ outputTail }) => outputTail)).toEqual(['one', 'two']);
  });

  it('has failed without an exit code', () => {
    expect(foldAll(started(), completed({ exitCode: null, status: 'failed' })).commands).toMatchObject([
      { exitCode: -1, status: 'failed' },
    ]);
  });

  it('is listed even if its start was lost', () => {
    expect(foldAll(completed())).toMatchObject({ commandsTotal: 1, commands: [{ command: 'npm test' }] });
  });

  it('is listed up to the hundredth and counted after it', () => {
    const progress = foldAll(...Array.from({ length: 130 }, (_, index) => started({ id: `exec-${index}` })));
    expect(progress.commands).toHaveLength(100);
    expect(progress.commandsTotal).toBe(130);
    expect(progress.commands.at(-1)?.id).toBe('exec-129');
    expect(fold(progress, completed({ id: 'exec-3' }), 7).progress.commandsTotal).toBe(130);
  });

  it('counts as killed if it still runs at the end of the turn', () => {
    const end = event('turn/completed', { turn: { status: 'interrupted', error: null } });
    expect(foldAll(started(), end).commands).toMatchObject([{ status: 'failed', exitCode: -1 }]);
  });

  it.each([
    ["/bin/bash -lc 'ls && cat a'", 'ls && cat a'],
    [`/bin/bash -c "echo 'it'\\''s' \\$HOME \\n"`, "echo 'it'\\''s' $HOME \\n"],
    [`/bin/bash -lc 'it'"'"'s'`, "it's"],
    ['bash -c ls', 'ls'],
    ['/bin/bash -lc ls extra', '/bin/bash -lc ls extra'],
    ['python3 -c "print(1)"', 'python3 -c "print(1)"'],
    ["/bin/bash -lc 'a\u001b[31mb\u202Ec\u0000d'", 'abcd'],
  ])('is shown without its shell: %s', (wrapped, shown) => {
    expect(foldAll(started({ command: wrapped })).commands[0]?.command).toBe(shown);
  });

  it('is capped to 500 characters and its output to 2,000', () => {
    const progress = foldAll(
      started({ command: `/bin/bash -c '${'x'.repeat(5_000)}'` }),
      ...Array.from({ length: 20 }, () => delta('exec-1', 'y'.repeat(1_000))),
    );
    expect(progress.commands[0]?.command).toHaveLength(500);
    expect(progress.commands[0]?.outputTail).toHaveLength(2_000);
  });
});

describe('the changed files', () => {
  const change = (paths: readonly string[], status = 'completed', move: string | null = null) =>
    event('item/completed', {
      item: {
        type: 'fileChange',
        id: 'f',
        status,
        changes: paths.map((path) => ({ path, kind: { type: 'update', move_path: move }, diff: '' })),
      },
    });

  it('are relative to the repository, each path once, latest last', () => {
    const progress = foldAll(
      change(['/workspace/repo/a', '/workspace/repo/b']),
      change(['/workspace/repo/a'], 'completed', '/workspace/repo/c'),
      change(['/etc/passwd']),
    );
    expect(progress.changedFiles).toEqual(['b', 'a', 'c', '/etc/passwd']);
  });

  it('do not include a failed change', () => {
    expect(foldAll(change(['/workspace/repo/a'], 'failed')).changedFiles).toEqual([]);
  });

  it('are listed up to 200', () => {
    const paths = Array.from({ length: 300 }, (_, index) => `/workspace/repo/${index}`);
    expect(foldAll(...paths.map((path) => change([path]))).changedFiles).toHaveLength(200);
  });
});

describe('the messages', () => {
  it('are split into commentary and the final answer', () => {
    expect(foldAll(said('Looking.', 'commentary'), said('{"title":"t"}', 'final_answer'))).toMatchObject({
      message: 'Looking.',
      finalMessage: '{"title":"t"}',
    });
  });

  it('have the last one as the answer if the model does not name phases', () => {
    expect(foldAll(said('One', null), said('Two', null), said('{"title":"t"}', null))).toMatchObject({
      message: 'Two',
      finalMessage: '{"title":"t"}',
    });
  });

  it('are capped at 4,000 characters', () => {
    expect(foldAll(said('z'.repeat(90_000), 'commentary')).message).toHaveLength(4_000);
  });
});

describe('the end of the turn', () => {
  it.each([
    ['plain words', 'Budget used up', 'Budget used up'],
    ['an error body', '{"error":{"message":"Budget \\"x\\" used up","code":"b"}}', 'Budget "x" used up'],
    [
      'an answer at its limit',
      'Incomplete response returned, reason: max_output_tokens',
      'The model’s answer reached the limit of output tokens. Ask for less at once. (max_output_tokens)',
    ],
    [
      'a filtered answer',
      'stream disconnected before completion: Incomplete response returned, reason: content_filter',
      'OpenAI’s content filter stopped the model’s answer. Ask in other words. (content_filter)',
    ],
    ['half an error body', '{"error":{"mess', '{"error":{"mess'],
  ])('gives the reason of a failure from %s', (_, message, shown) => {
    const progress = foldAll(event('turn/completed', { turn: { status: 'failed', error: { message } } }));
    expect(progress.turn).toEqual({ status: 'failed', message: shown });
  });

  it('comes from the driver if Codex died before it reported it', () => {
    const error = driver({
      kind: 'error',
      fatal: true,
      message: 'Codex was ended by SIGKILL',
      stderrTail: 'boom',
    });
    expect(foldAll(error, driver({ kind: 'exit', status: 'error', exitCode: 3 })).turn).toEqual({
      status: 'failed',
      message: 'Codex was ended by SIGKILL: boom',
    });
    expect(foldAll(driver({ kind: 'exit', status: 'interrupted', exitCode: 2 })).turn).toEqual({
      status: 'interrupted',
    });
  });

  it('is the one that Codex reported, even if the driver reports another later', () => {
    const end = event('turn/completed', { turn: { status: 'completed', error: null } });
    expect(foldAll(end, driver({ kind: 'exit', status: 'error', exitCode: 3 })).turn).toEqual({
      status: 'completed',
    });
  });

  it('is not set by an error that Codex retries', () => {
    const { progress, notable } = fold(
      initialProgress,
      event('error', { error: { message: 'Reconnecting' }, willRetry: true }),
      7,
    );
    expect(progress).toMatchObject({ turn: null, lastError: 'Reconnecting' });
    expect(notable).toEqual([{ kind: 'error', text: 'Reconnecting', willRetry: true }]);
  });
});

describe('the lines of the driver', () => {
  it.each([
    ['/home/codex/.codex/sessions/2026/11/21/rollout-2026-11-21T03-39-35-01a1.jsonl', true],
    ['/home/codex/../../etc/rollout-x.jsonl', false],
    ['/etc/shadow', false],
    ['relative/rollout-x.jsonl', false],
    ['/home/a b/rollout-x.jsonl', false],
  ])('name the rollout file %s, of which %s is accepted', (path, taken) => {
    expect(foldAll(driver({ kind: 'rollout', path, bytes: 1 })).rolloutPath).toBe(taken ? path : null);
  });

  it('name the thread if the id is well-formed', () => {
    expect(
      foldAll(driver({ kind: 'thread', threadId: '01a1fc30-21cf-73f1-aa41-931577df1494' })).threadId,
    ).not.toBeNull();
    expect(foldAll(driver({ kind: 'thread', threadId: '../../x' })).threadId).toBeNull();
  });
});

it('takes no token count from the sandbox, which could claim any', () => {
  const total = { inputTokens: 1, cachedInputTokens: 1, outputTokens: 1, totalTokens: 2 };
  expect(fold(initialProgress, event('thread/tokenUsage/updated', { tokenUsage: { total } }), 7)).toEqual({
    progress: initialProgress,
    notable: [],
  });
});

describe('lines without an event', () => {
  it.each([
    ['nothing', ''],
    ['no JSON', 'panic: oh'],
    ['another shape', '{"at":1}'],
    ['an array', '[]'],
    ['null', 'null'],
    ['an unknown method', event('brand/new', {})],
    ['an unknown line of the driver', driver({ kind: 'brand-new' })],
    ['a plan that is a string', event('turn/plan/updated', { plan: 'x' })],
    ['a command that is a number', started({ command: 5 })],
    ['missing params', event('turn/completed', undefined)],
    ['a prototype as a kind', driver({ kind: '__proto__' })],
    ['a line above all bounds', event('item/completed', { item: { text: 'x'.repeat(400_000) } })],
    ['a deep nest', '['.repeat(50_000)],
  ])('are counted and change nothing else: %s', (_, line) => {
    expect(fold(initialProgress, line, 7)).toEqual({
      progress: { ...initialProgress, unknownEvents: 1 },
      notable: [],
    });
  });

  it.each([
    ['an ignored item', event('item/completed', { item: { type: 'reasoning', id: 'r', summary: [] } })],
    ['an ignored notification', event('turn/started', {})],
  ])('are not counted if they are known: %s', (_, line) => {
    expect(fold(initialProgress, line, 7)).toEqual({ progress: initialProgress, notable: [] });
  });
});

it('the progress does not grow with the lines that a command writes', () => {
  let progress = foldAll(...Array.from({ length: 100 }, (_, index) => started({ id: `exec-${index}` })));
  const line = delta('exec-99', 'x'.repeat(2_000));
  for (let count = 0; count < 1_000; count += 1) progress = fold(progress, line, 7).progress;
  expect(JSON.stringify(progress).length).toBeLessThan(500_000);
});
