import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { encodeFrame, frameReader, maxBodyBytes, type Frame } from './inside/sandbox-frames.ts';
import { controlChannel, InitProblem, InitTimeout, LineCut } from './control-channel.ts';

/** A line whose other end is in the hands of the test. */
function line() {
  const toInit = new PassThrough();
  const fromInit = new PassThrough();
  const asked: Frame[] = [];
  toInit.on(
    'data',
    frameReader((frame) => asked.push(frame)),
  );
  const say = (header: object, body?: Uint8Array) => fromInit.write(encodeFrame(header, body));
  return { channel: controlChannel(toInit, fromInit), asked, say, fromInit };
}

describe('frames', () => {
  it('come out as they went in, however the stream is cut', () => {
    const sent = [
      [{ id: 1, text: 'ü' }, new Uint8Array([0, 255])],
      [{ id: 2 }, new Uint8Array()],
      [{ id: 3 }, new Uint8Array(70_000).fill(7)],
    ] as const;
    const stream = Buffer.concat(sent.map(([header, body]) => encodeFrame(header, body)));
    for (const step of [1, 7, 8, 9, 64_000, stream.length]) {
      const got: Frame[] = [];
      const read = frameReader((frame) =>
        got.push({ header: frame.header, body: Uint8Array.from(frame.body) }),
      );
      for (let at = 0; at < stream.length; at += step) read(stream.subarray(at, at + step));
      expect(got).toEqual(sent.map(([header, body]) => ({ header, body })));
    }
  });

  it.each([
    ['a header without end', [255, 255, 255, 255, 0, 0, 0, 0]],
    ['a body without end', [0, 0, 0, 2, 255, 255, 255, 255]],
    ['a header that is not JSON', [0, 0, 0, 1, 0, 0, 0, 0, 123]],
    ['a header that is not UTF-8', [0, 0, 0, 1, 0, 0, 0, 0, 255]],
  ])('are refused: %s', (_, bytes) => {
    expect(() => frameReader(() => undefined)(Uint8Array.from(bytes))).toThrow(/frame|header/);
  });

  it('are not sent when they would be refused', () => {
    expect(() => encodeFrame({}, new Uint8Array(maxBodyBytes + 1))).toThrow(/too large/);
  });
});

describe('the control line', () => {
  it('brings each answer to its call, in whatever order they come', async () => {
    const { channel, asked, say } = line();
    const calls = ['a', 'b'].map(async (method) => await channel.call({ method }, undefined, 1_000));
    await expect.poll(() => asked.length).toBe(2);
    say({ id: 2, ok: true, is: 'b' });
    say({ id: 1, ok: true, is: 'a' }, new Uint8Array([1]));
    const [first, second] = await Promise.all(calls);
    expect(first?.header).toMatchObject({ is: 'a' });
    expect([...(first?.body ?? [])]).toEqual([1]);
    expect(second?.header).toMatchObject({ is: 'b' });
  });

  it('tells a refusal of init from the end of the line', async () => {
    const { channel, say, fromInit } = line();
    const refused = channel.call({}, undefined, 1_000);
    say({ id: 1, ok: false, problem: 'ENOSPC' });
    await expect(refused).rejects.toThrow(InitProblem);
    const lost = channel.call({}, undefined, 1_000);
    fromInit.destroy();
    await expect(lost).rejects.toThrow(LineCut);
    await expect(channel.call({}, undefined, 1_000)).rejects.toThrow(LineCut);
    expect(await channel.cut).toBe('init ended');
  });

  it('gives up at the deadline, and does not mind the answer that comes after it', async () => {
    const { channel, say } = line();
    await expect(channel.call({}, undefined, 20)).rejects.toThrow(InitTimeout);
    say({ id: 1, ok: true });
    const next = channel.call({}, undefined, 1_000);
    say({ id: 2, ok: true });
    await expect(next).resolves.toMatchObject({ header: { id: 2 } });
  });

  it.each([
    ['an answer to nothing', encodeFrame({ id: 9, ok: true })],
    ['no id', encodeFrame({ ok: true })],
    ['neither yes nor no', encodeFrame({ id: 1 })],
    ['a long complaint', encodeFrame({ id: 1, ok: false, problem: 'x'.repeat(2_000) })],
    ['noise', Uint8Array.from({ length: 100 }, (_, at) => (at * 37) % 256)],
  ])('is cut at %s', async (_, bytes) => {
    const { channel, fromInit } = line();
    const call = channel.call({}, undefined, 1_000);
    fromInit.write(bytes);
    await expect(call).rejects.toThrow(LineCut);
    expect(await channel.cut).toBe('init no longer speaks the protocol');
  });
});
