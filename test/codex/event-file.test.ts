/** Tests how the driver keeps its event file small, and how it reads its control file. */
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { followControlFile, parseControlLine } from '../../container/control-file.ts';
import { createEventFile, eventLine, maxLineBytes } from '../../container/event-file.ts';
import { parseLine } from '../../src/codex/event.ts';
import { cleanUp, temporaryFolder, until } from './driver-harness.ts';

afterAll(cleanUp);

describe('the output of a running command', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const method = 'item/commandExecution/outputDelta';
  const collect = () => {
    const lines: string[] = [];
    const file = createEventFile((line) => lines.push(line));
    const delta = (text: string, itemId = 'a') =>
      file.notification({ method, params: { itemId, delta: text } });
    return { lines, file, delta };
  };
  const deltas = (lines: readonly string[]) =>
    lines.map(parseLine).map(({ line }) => (line.kind === 'output' ? line.delta : line.kind));

  it('is written every 200 ms, by command', () => {
    const { lines, delta } = collect();
    delta('1');
    delta('2');
    delta('x', 'b');
    expect(lines).toEqual([]);
    vi.advanceTimersByTime(200);
    expect(deltas(lines)).toEqual(['12', 'x']);
  });

  it('is written as its last 2,000 characters, less often after a while, and up to a bound', () => {
    const { lines, delta } = collect();
    for (let ms = 0; ms < 60 * 60 * 1_000; ms += 100) {
      delta('y'.repeat(5_000));
      vi.advanceTimersByTime(100);
    }
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(2_200);
    expect(lines.length).toBeLessThan(2_000);
  });

  it('is not written again if the end of the command includes it', () => {
    const { lines, file, delta } = collect();
    delta('late');
    file.notification({ method: 'item/completed', params: { item: { id: 'a', type: 'reasoning' } } });
    vi.advanceTimersByTime(5_000);
    file.end();
    expect(deltas(lines)).toEqual(['unread']);
  });

  it('is written at the end of the run if the command never ended', () => {
    const { lines, file, delta } = collect();
    delta('last words');
    file.end();
    expect(deltas(lines)).toEqual(['last words']);
  });
});

describe('a line', () => {
  const deepNest: unknown = JSON.parse('['.repeat(900) + ']'.repeat(900));
  const item = (fields: Record<string, unknown>) => ({
    event: { method: 'item/completed', params: { item: fields } },
  });

  it.each([
    ['long output', item({ aggregatedOutput: 'a'.repeat(10_000_000) })],
    [
      'many long strings',
      item(Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`k${index}`, 'ü'.repeat(40_000)]))),
    ],
    ['long keys', item({ ['k'.repeat(1_000_000)]: 1 })],
    ['a deep nest', item({ nest: deepNest })],
    ['very many elements', item({ list: Array.from({ length: 200_000 }, () => 'x') })],
    [
      'very many elements of very many',
      item({ list: Array.from({ length: 500 }, () => Array.from({ length: 500 }, () => 'abc')) }),
    ],
  ])('stays below its bound with %s and stays JSON', (_, content) => {
    const line = eventLine(5, content);
    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(maxLineBytes);
    expect(JSON.parse(line)).toMatchObject({ at: 5 });
  });

  it('keeps both ends of a cut string and says how much was removed', () => {
    const line = eventLine(5, item({ aggregatedOutput: `begin${'-'.repeat(50_000)}end` }));
    expect(line).toMatch(/begin-+\\n\[… 42008 characters cut …\]\\n-+end/);
  });

  it('is not written for notifications that would flood the file', () => {
    const lines: string[] = [];
    const file = createEventFile((text) => lines.push(text));
    for (const method of ['item/agentMessage/delta', 'item/reasoning/textDelta', 'turn/diff/updated']) {
      file.notification({ method, params: {} });
    }
    expect(lines).toEqual([]);
  });
});

describe('the control file', () => {
  it.each([
    ['{"kind":"interrupt"}', { kind: 'interrupt' }],
    ['{"kind":"interrupt","extra":1}', { kind: 'interrupt' }],
    ['{"kind":"steer","id":"a","text":"go left"}', { kind: 'steer', id: 'a', text: 'go left' }],
    ['{"kind":"steer","id":"a","text":"  "}', null],
    ['{"kind":"steer","id":"a"}', null],
    ['{"kind":"steer","id":"","text":"go left"}', null],
    ['{"kind":"steer","text":"go left"}', null],
    ['{"kind":"delete"}', null],
    ['interrupt', null],
    ['null', null],
  ])('reads %s as %j', (line, command) => {
    expect(parseControlLine(line)).toEqual(command);
  });

  it('is executed line by line, each line once, whether it is appended to or replaced', async () => {
    const path = join(temporaryFolder(), 'control.jsonl');
    const seen: string[] = [];
    const close = followControlFile(path, (command) =>
      seen.push(command.kind === 'steer' ? command.text : 'interrupt'),
    );
    const steer = (text: string) => `{"kind":"steer","id":"${text}","text":"${text}"}\n`;
    writeFileSync(path, steer('one'));
    await until(() => seen.length === 1);
    appendFileSync(path, `rubbish\n${steer('two')}{"kind":"inter`);
    await until(() => seen.length === 2);
    appendFileSync(path, 'rupt"}\n');
    await until(() => seen.length === 3);
    writeFileSync(path, `${steer('one')}rubbish\n${steer('two')}{"kind":"interrupt"}\n${steer('three')}`);
    await until(() => seen.length === 4);
    close();
    appendFileSync(path, steer('four'));
    await delay(250);
    expect(seen).toEqual(['one', 'two', 'interrupt', 'three']);
  });
});
