/**
 * The host's end of the channel to a sandbox's init, which is untrusted: numbered calls with deadlines. A
 * frame that is too large, is not JSON, or answers no call or one twice, closes the channel.
 */
import type { Readable, Writable } from 'node:stream';
import { z } from 'zod';
import { encodeFrame, frameReader, type Frame } from './inside/sandbox-frames.ts';

const envelope = z.union([
  z.looseObject({ id: z.int().nonnegative(), ok: z.literal(true) }),
  z.object({ id: z.int().nonnegative(), ok: z.literal(false), problem: z.string().max(1000) }),
]);

/** Init could not carry out the call, as for a missing folder. The sandbox still works. */
export class InitProblem extends Error {
  override readonly name = 'InitProblem';
}

/** Init did not answer in time. The sandbox may still exist, and the call may still take effect. */
export class InitTimeout extends Error {
  override readonly name = 'InitTimeout';
}

/** The channel is closed: init ended or broke the protocol. The sandbox is lost. */
export class ChannelClosed extends Error {
  override readonly name = 'ChannelClosed';
}

export interface ControlChannel {
  /** The first frame, which init sends unasked. */
  readonly hello: Promise<Frame>;
  /** Resolves with the reason when either side closes the channel. */
  readonly closed: Promise<string>;
  /** Sends one call and returns its answer. Rejects with `InitProblem`, `InitTimeout` or `ChannelClosed`. */
  readonly call: (
    header: Readonly<Record<string, unknown>>,
    body: Uint8Array | undefined,
    timeoutMs: number,
  ) => Promise<Frame>;
}

/** Bounds what a frozen init, which reads nothing, makes the host buffer. */
const maxUnsentBytes = 64 * 1024 * 1024;
const maxOpenCalls = 256;

interface OpenCall {
  readonly resolve: (frame: Frame) => void;
  readonly reject: (error: Error) => void;
}

export function controlChannel(toInit: Writable, fromInit: Readable): ControlChannel {
  const openCalls = new Map<number, OpenCall>();
  /** Calls that timed out. Each may still be answered, once. */
  const lateCalls = new Set<number>();
  let nextId = 1;
  let reason: string | null = null;
  const closed = Promise.withResolvers<string>();
  const hello = Promise.withResolvers<Frame>();
  hello.promise.catch(() => undefined);
  openCalls.set(0, hello);

  function close(why: string): void {
    if (reason !== null) return;
    reason = why;
    fromInit.destroy();
    toInit.destroy();
    for (const { reject } of openCalls.values()) reject(new ChannelClosed(why));
    openCalls.clear();
    closed.resolve(why);
  }

  const read = frameReader((frame) => {
    const parsed = envelope.safeParse(frame.header);
    if (!parsed.success) throw new Error('init sent no answer');
    const { id } = parsed.data;
    const answered = openCalls.get(id);
    // Without this, init could keep the host parsing for as long as it likes.
    if (!openCalls.delete(id) && !lateCalls.delete(id)) throw new Error('init answered no call');
    if (parsed.data.ok) answered?.resolve(frame);
    else answered?.reject(new InitProblem(parsed.data.problem));
  });
  fromInit.on('data', (chunk: Buffer) => {
    if (reason !== null) return;
    try {
      read(chunk);
    } catch {
      close('init broke the protocol');
    }
  });
  fromInit.on('close', () => close('init ended'));
  fromInit.on('error', () => close('init ended'));
  toInit.on('error', () => close('init ended'));

  return {
    hello: hello.promise,
    closed: closed.promise,
    async call(header, body, timeoutMs) {
      if (reason !== null) throw new ChannelClosed(reason);
      if (toInit.writableLength > maxUnsentBytes || openCalls.size + lateCalls.size >= maxOpenCalls)
        throw new InitTimeout('init does not keep up with its calls');
      const id = nextId++;
      const answer = Promise.withResolvers<Frame>();
      openCalls.set(id, answer);
      const timer = setTimeout(() => {
        openCalls.delete(id);
        lateCalls.add(id);
        answer.reject(new InitTimeout(`init did not answer within ${timeoutMs} ms`));
      }, timeoutMs);
      try {
        toInit.write(encodeFrame({ ...header, id }, body));
        return await answer.promise;
      } finally {
        clearTimeout(timer);
        openCalls.delete(id);
      }
    },
  };
}
