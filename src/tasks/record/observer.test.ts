import { describe, expect, it } from 'vitest';
import { readOnlySandbox } from '../../../test/fixtures/read-only-sandbox.ts';
import { createCodex } from '../../codex/codex.ts';
import { SandboxLostError, type RunChunk } from '../../core/ports/sandbox-port.ts';
import { taskLimits } from '../limits.ts';
import { completeLines, observeOnce } from './observer.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const codex = createCodex({ openaiBaseUrl: 'https://api.openai.com/v1' });

async function observe(chunk: RunChunk | Error, offset = 0) {
  const sandbox = readOnlySandbox(async () => (chunk instanceof Error ? Promise.reject(chunk) : chunk));
  return await observeOnce(sandbox, codex, { offset, progress: codex.initialProgress }, 0, () => 0);
}

describe('completeLines', () => {
  it.each([
    ['whole lines', 'a\nb\n', {}, ['a', 'b'], 4],
    ['an incomplete last line', 'a\nb', {}, ['a'], 2],
    ['only an incomplete line', 'ab', {}, [], 0],
    ['an incomplete last line at the end of the run', 'a\nb', { atEnd: true }, ['a', 'b'], 3],
    ['one line longer than a read', 'abc', { full: true }, ['abc'], 3],
    ['a full read that ends within a line', 'a\nbc', { full: true }, ['a'], 2],
    ['an empty read', '', {}, [], 0],
  ])('splits %s', (_, text, flags, lines, consumed) => {
    expect(completeLines(bytes(text), { atEnd: false, full: false, ...flags })).toEqual({ lines, consumed });
  });

  it('never cuts inside a character', () => {
    const text = bytes('ä\nö');
    expect(completeLines(text.subarray(0, 4), { atEnd: false, full: false })).toEqual({
      lines: ['ä'],
      consumed: 3,
    });
  });
});

describe('one observation', () => {
  it('moves the offset past what it has folded', async () => {
    const seen = await observe({ bytes: bytes('{"nonsense":1}\n{"half'), size: 21, exitCode: null }, 100);
    expect(seen.state.offset).toBe(115);
    expect(seen.state.progress.unknownEvents).toBe(1);
    expect(seen.end).toBeNull();
  });

  it.each([
    ['continues while output is left after the exit', { bytes: bytes('x\n'), size: 10, exitCode: 0 }, null],
    ['ends when all is read', { bytes: bytes('x\n'), size: 2, exitCode: 3 }, { kind: 'exited', exitCode: 3 }],
    ['ends without any output', { bytes: bytes(''), size: 0, exitCode: 1 }, { kind: 'exited', exitCode: 1 }],
  ] as const)('%s', async (_, chunk, end) => {
    expect((await observe(chunk)).end).toEqual(end);
  });

  it('reports a lost sandbox as the end of the run', async () => {
    expect((await observe(new SandboxLostError('gone'))).end).toEqual({ kind: 'lost', why: 'gone' });
  });

  it('gives up a run that floods its event file', async () => {
    expect(
      (await observe({ bytes: bytes('x\n'), size: 1e12, exitCode: null }, taskLimits.runOutputBytes)).end,
    ).toMatchObject({ kind: 'lost' });
  });

  it('leaves the run to the next attempt while the host restarts', async () => {
    await expect(observe(new Error('connection refused'))).rejects.toThrow('connection refused');
  });
});
