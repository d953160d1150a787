import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { meterBytes, readWhole, type MeteredBytes } from './metered-stream.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const limits = { maxBytes: 10, idleMs: 1_000 };
function source() {
  let controller: ReadableStreamDefaultController<unknown> | undefined;
  let cancelled: unknown;
  const stream = new ReadableStream<unknown>({
    start: (own) => void (controller = own),
    cancel: (reason) => void (cancelled = reason),
  });
  const ends: MeteredBytes[] = [];
  const metered = meterBytes(stream, limits, (end) => void ends.push(end));
  return {
    send: (chunk: unknown) => controller?.enqueue(chunk),
    close: () => controller?.close(),
    fail: () => controller?.error(new Error('gone')),
    cancelled: () => cancelled,
    ends,
    reader: metered.getReader(),
  };
}
const bytes = (count: number) => new Uint8Array(count);

describe('a metered stream', () => {
  it('passes each piece on as it comes and counts', async () => {
    const { send, close, reader, ends } = source();
    const first = bytes(4);
    send(first);
    expect((await reader.read()).value).toBe(first);
    send(bytes(6));
    await reader.read();
    expect(ends).toEqual([]);
    close();
    expect((await reader.read()).done).toBe(true);
    expect(ends).toEqual([{ bytes: 10, end: 'complete' }]);
  });

  it('ends in an error at the piece that exceeds the limit, and cancels the source', async () => {
    const { send, reader, ends, cancelled } = source();
    send(bytes(10));
    send(bytes(1));
    await reader.read();
    await expect(reader.read()).rejects.toThrow('longer');
    expect(ends).toEqual([{ bytes: 10, end: 'too-long' }]);
    expect(cancelled()).toBe('too long');
  });

  it('ends in an error after a silence since the last piece', async () => {
    const { send, reader, ends, cancelled } = source();
    send(bytes(1));
    await reader.read();
    await vi.advanceTimersByTimeAsync(900);
    send(bytes(1));
    await reader.read();
    await vi.advanceTimersByTimeAsync(900);
    expect(ends).toEqual([]);
    const next = reader.read().catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(1_200);
    expect(await next).toMatchObject({ message: 'the stream is silent' });
    expect(ends).toEqual([{ bytes: 2, end: 'silent' }]);
    expect(cancelled()).toBe('idle');
  });

  it('distinguishes a reader that takes nothing from a source that sends nothing', async () => {
    const { send, reader, ends } = source();
    send(bytes(1));
    send(bytes(1));
    await reader.read();
    await vi.advanceTimersByTimeAsync(2_100);
    expect(ends).toEqual([{ bytes: 2, end: 'stalled' }]);
    await expect(reader.read()).rejects.toThrow('stalled');
  });

  it.each([
    ['the source fails', 'gone', (of: ReturnType<typeof source>) => of.fail()],
    [
      'a piece is not bytes',
      'something other than bytes',
      (of: ReturnType<typeof source>) => of.send('text'),
    ],
  ])('ends in an error when %s', async (_, message, happen) => {
    const subject = source();
    happen(subject);
    await expect(subject.reader.read()).rejects.toThrow(message);
    expect(subject.ends).toEqual([{ bytes: 0, end: 'broken' }]);
  });

  it('reports once that the reader left, and leaves no timer', async () => {
    const { send, reader, ends } = source();
    send(bytes(3));
    await reader.read();
    await reader.cancel('enough');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(ends).toEqual([{ bytes: 3, end: 'cancelled' }]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('readWhole', () => {
  it.each([
    ['returns a body at the limit', [bytes(4), bytes(6)], 10],
    ['returns an empty body', [], 0],
    ['refuses a body that is too long', [bytes(11)], null],
    ['refuses a body that is not bytes', ['text'], null],
  ])('%s', async (_, chunks, length) => {
    const stream = new ReadableStream<unknown>({
      start: (controller) => {
        for (const chunk of chunks) controller.enqueue(chunk);
        controller.close();
      },
    });
    const whole = await readWhole(stream, limits);
    expect(whole?.byteLength ?? null).toBe(length);
  });

  it('returns no bytes for a missing body', async () => {
    expect((await readWhole(null, limits))?.byteLength).toBe(0);
  });
});
