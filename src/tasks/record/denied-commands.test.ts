import { describe, expect, it } from 'vitest';
import { createCodex } from '../../codex/codex.ts';
import { emptyReceipt, type Receipt } from '../../core/grant.ts';
import type { CommandRun, Progress } from '../../core/progress.ts';
import { ranIn, settleCommands, withCommands, type Ran } from './denied-commands.ts';

const { initialProgress } = createCodex({ openaiBaseUrl: 'https://api.openai.com/v1' });
const row = { method: 'GET', host: 'evil.example', path: '/x', rule: 'host', reason: 'no', count: 1, at: 0 };
const receiptOf = (...denied: Receipt['denied']): Receipt => ({
  ...emptyReceipt,
  denied,
  deniedTotal: denied.length,
});

/** `to` null: it still runs. */
const run = (command: string, from: number, to: number | null): CommandRun => ({
  command,
  exitCode: to === null ? null : 0,
  status: to === null ? 'running' : 'completed',
  outputTail: '',
  startedAt: from,
  durationMs: null,
  ...(to === null ? {} : { endedAt: to }),
});
const ran = (commands: readonly CommandRun[], turn: Progress['turn'] = null): Ran => ({
  progress: { ...initialProgress, commands, turn },
  setup: null,
});
const commandAt = (at: number, of: Ran, changes: Partial<typeof row> = {}) =>
  withCommands(receiptOf({ ...row, ...changes, at }), of).denied[0]?.command;

describe('the command that ran when a request was refused', () => {
  const curl = run('curl evil', 10_000, 12_000);
  const wget = run('wget evil', 20_000, 22_000);
  it.each<[string, number, readonly CommandRun[], string | null]>([
    ['the one around it', 11_000, [curl, wget], 'curl evil'],
    ['one that still runs', 21_000, [curl, run('wget evil', 20_000, null)], 'wget evil'],
    ['none before the first', 5_000, [curl, wget], null],
    ['none between two', 16_000, [curl, wget], null],
    ['none after the last', 30_000, [curl, wget], null],
    ['none when nothing ran', 11_000, [], null],
    ['the one whose start Codex reports a little later', 9_800, [curl], 'curl evil'],
    ['the one whose start Codex reports at its end', 9_900, [run('quick', 10_000, 10_001)], 'quick'],
    ['not one that began later', 9_700, [curl], null],
    ['one that ended within the error of the clocks', 12_040, [curl], 'curl evil'],
    ['not one that ended before', 12_100, [curl], null],
    ['the later one of two in a row', 12_100, [curl, run('next', 12_300, 13_000)], 'next'],
    ['none of two at once', 11_000, [curl, run('npm test', 9_000, 15_000)], null],
    ['none of two while one still runs', 11_000, [curl, run('npm start', 9_000, null)], null],
    ['none of two that may have run at the same time', 11_900, [curl, run('next', 12_100, 13_000)], null],
    [
      'none when the end of another one is unknown',
      11_000,
      [{ ...run('killed', 1_000, null), exitCode: -1, status: 'failed' }, curl],
      null,
    ],
    ['without the shell around it', 11_000, [run("/bin/bash -lc 'curl evil'", 10_000, 12_000)], 'curl evil'],
  ])('is %s', (_, at, commands, expected) => {
    expect(commandAt(at, ran(commands))).toBe(expected);
  });

  it('is none for a model request, which Codex itself may have sent', () => {
    const commands = ran([run('npm start', 0, null)]);
    const model = { host: 'api.openai.com', path: '/v1/responses' };
    expect(commandAt(1_000, commands, model)).toBeNull();
    expect(commandAt(1_000, commands, { ...model, path: '/v1/responses/compact' })).toBeNull();
    expect(commandAt(1_000, commands, { ...model, path: '/v1/files' })).toBe('npm start');
    expect(commandAt(1_000, commands, { ...model, host: 'evil.example' })).toBe('npm start');
  });

  it('is cut to 500 characters', () => {
    expect(commandAt(1, ran([run('x'.repeat(10_000), 0, null)]))).toHaveLength(500);
  });
});

describe('during setup', () => {
  const setup = { run: 'npm ci', hosts: [], registries: [], optional: false, services: false };
  const phases = [
    { phase: 'clone', at: 500 },
    { phase: 'setup', at: 1_000 },
  ] as const;
  const during = ranIn({ phases, authorization: { policy: { setup } } }, null);
  const after = ranIn(
    { phases: [...phases, { phase: 'codex', at: 2_000 }], authorization: { policy: { setup } } },
    null,
  );
  it.each<[number, Ran, string | null]>([
    [900, during, null],
    [1_000, during, 'npm ci'],
    [99_000, during, 'npm ci'],
    [1_999, after, 'npm ci'],
    [2_000, after, null],
    [1_500, ranIn({ phases, authorization: { policy: { setup: null } } }, null), null],
    [1_500, ranIn({ phases: [], authorization: null }, null), null],
  ])('names setup or no command at %i', (at, of, expected) => {
    expect(commandAt(at, of)).toBe(expected);
  });
});

describe('the command that the receipt keeps', () => {
  const at = 11_000;
  const pending = receiptOf({ ...row, at });
  it.each<[string, Ran, Receipt]>([
    [
      'pending while the command runs, because another one can run at the same time',
      ran([run('a', 10_000, null)]),
      pending,
    ],
    ['pending before the first line of output', { progress: null, setup: null }, pending],
    ['known once the command ends', ran([run('a', 10_000, 12_000)]), receiptOf({ ...row, at, command: 'a' })],
    [
      'known once a later command has begun',
      ran([run('a', 10_000, 11_100), run('b', 20_000, null)]),
      receiptOf({ ...row, at, command: 'a' }),
    ],
    [
      'known once the turn is over',
      ran([run('a', 10_000, 11_100)], { status: 'completed' }),
      receiptOf({ ...row, at, command: 'a' }),
    ],
    ['null if no command ran', ran([run('b', 20_000, null)]), receiptOf({ ...row, at, command: null })],
  ])('is %s', (_, of, expected) => {
    expect(settleCommands(pending, of)).toEqual(expected);
  });

  it('is kept when the run forgets the command, and is written once', () => {
    const settled = settleCommands(pending, ran([run('a', 10_000, 12_000)]));
    const later = ran([run('z', 90_000, 91_000)], { status: 'completed' });
    expect(settleCommands(settled, later)).toBe(settled);
    expect(withCommands(settled, later)).toEqual(settled);
  });

  it('is pending until setup ends', () => {
    const setup = { command: 'npm ci', from: 10_000, until: Number.POSITIVE_INFINITY };
    expect(settleCommands(pending, { progress: null, setup })).toBe(pending);
    expect(settleCommands(pending, { progress: null, setup: { ...setup, until: 12_000 } }).denied).toEqual([
      { ...row, at, command: 'npm ci' },
    ]);
  });
});
