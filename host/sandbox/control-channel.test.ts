import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { encodeFrame, frameReader, maxBodyBytes, type Frame } from './inside/sandbox-frames.ts';
import { controlChannel, InitProblem, InitTimeout, ChannelClosed } from './control-channel.ts';

/** A control channel whose other end the test controls. */
function testChannel() {
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

describe('frameReader', () => {
  it('returns the encoded frames, wherever the stream is split into chunks', () => {
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
    ['a header over the cap', [255, 255, 255, 255, 0, 0, 0, 0]],
    ['a body over the cap', [0, 0, 0, 2, 255, 255, 255, 255]],
    ['a header that is not JSON', [0, 0, 0, 1, 0, 0, 0, 0, 123]],
    ['a header that is not UTF-8', [0, 0, 0, 1, 0, 0, 0, 0, 255]],
  ])('are refused: %s', (_, bytes) => {
    expect(() => frameReader(() => undefined)(Uint8Array.from(bytes))).toThrow(/frame|header/);
  });

  it('refuses to encode a frame over the caps', () => {
    expect(() => encodeFrame({}, new Uint8Array(maxBodyBytes + 1))).toThrow(/too large/);
  });
});

describe('controlChannel', () => {
  it('matches each answer to its call, in any order', async () => {
    const { channel, asked, say } = testChannel();
    const calls = ['a', 'b'].map(async (method) => await channel.call({ method }, undefined, 1_000));
    await expect.poll(() => asked.length).toBe(2);
    say({ id: 2, ok: true, is: 'b' });
    say({ id: 1, ok: true, is: 'a' }, new Uint8Array([1]));
    const [first, second] = await Promise.all(calls);
    expect(first?.header).toMatchObject({ is: 'a' });
    expect([...(first?.body ?? [])]).toEqual([1]);
    expect(second?.header).toMatchObject({ is: 'b' });
  });

  it('rejects with InitProblem when init refuses, and with ChannelClosed when the stream ends', async () => {
    const { channel, say, fromInit } = testChannel();
    const refused = channel.call({}, undefined, 1_000);
    say({ id: 1, ok: false, problem: 'ENOSPC' });
    await expect(refused).rejects.toThrow(InitProblem);
    const lost = channel.call({}, undefined, 1_000);
    fromInit.destroy();
    await expect(lost).rejects.toThrow(ChannelClosed);
    await expect(channel.call({}, undefined, 1_000)).rejects.toThrow(ChannelClosed);
    expect(await channel.closed).toBe('init ended');
  });

  it('times out at the deadline and ignores the late answer', async () => {
    const { channel, say } = testChannel();
    await expect(channel.call({}, undefined, 20)).rejects.toThrow(InitTimeout);
    say({ id: 1, ok: true });
    const next = channel.call({}, undefined, 1_000);
    say({ id: 2, ok: true });
    await expect(next).resolves.toMatchObject({ header: { id: 2 } });
  });

  it.each([
    ['an answer to an unknown call', encodeFrame({ id: 9, ok: true })],
    ['an answer without an id', encodeFrame({ ok: true })],
    ['an answer without `ok`', encodeFrame({ id: 1 })],
    ['a problem text over 1,000 characters', encodeFrame({ id: 1, ok: false, problem: 'x'.repeat(2_000) })],
    ['random bytes', Uint8Array.from({ length: 100 }, (_, at) => (at * 37) % 256)],
  ])('closes on %s', async (_, bytes) => {
    const { channel, fromInit } = testChannel();
    const call = channel.call({}, undefined, 1_000);
    fromInit.write(bytes);
    await expect(call).rejects.toThrow(ChannelClosed);
    expect(await channel.closed).toBe('init broke the protocol');
  });

  it('accepts one late answer for each call that timed out, and closes on a second', async () => {
    const { channel, say } = testChannel();
    await expect(channel.call({}, undefined, 20)).rejects.toThrow(InitTimeout);
    say({ id: 1, ok: true });
    const next = channel.call({}, undefined, 60_000);
    say({ id: 1, ok: true });
    await expect(next).rejects.toThrow(ChannelClosed);
  });

  it.each([0, 1])('closes on a second answer to the answered call %s', async (id) => {
    const { channel, say } = testChannel();
    say({ id: 0, ok: true });
    const call = channel.call({}, undefined, 60_000);
    say({ id: 1, ok: true });
    await call;
    say({ id, ok: true });
    expect(await channel.closed).toBe('init broke the protocol');
  });

  it('makes no further call while 256 are unanswered, also when they timed out', async () => {
    const { channel, asked, say } = testChannel();
    say({ id: 0, ok: true });
    await channel.hello;
    const calls = Array.from(
      { length: 256 },
      async () => await channel.call({}, undefined, 20).catch(() => 'late'),
    );
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['late']));
    await expect(channel.call({}, undefined, 60_000)).rejects.toThrow(InitTimeout);
    expect(asked).toHaveLength(256);
    say({ id: 7, ok: true });
    await new Promise((resolve) => setImmediate(resolve));
    const next = channel.call({}, undefined, 60_000);
    say({ id: 257, ok: true });
    await expect(next).resolves.toMatchObject({ header: { id: 257 } });
  });
});
