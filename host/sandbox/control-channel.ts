/**
 * The host's end of the line to a sandbox's init: numbered calls, each with a deadline. Init is untrusted: a frame that is too large, not
 * JSON, or an answer to nothing that was asked means that somebody else speaks in its place, and the line is cut.
 */
import type { Readable, Writable } from 'node:stream';
import { z } from 'zod';
import { encodeFrame, frameReader, type Frame } from './inside/sandbox-frames.ts';

const envelope = z.union([
  z.looseObject({ id: z.int().nonnegative(), ok: z.literal(true) }),
  z.object({ id: z.int().nonnegative(), ok: z.literal(false), problem: z.string().max(1000) }),
]);

/** Init could not do what it was asked to: no such folder, a full disk. The sandbox goes on. */
export class InitProblem extends Error {
  override readonly name = 'InitProblem';
}

/** No answer in time. The sandbox may still be there; what was asked may still happen. */
export class InitTimeout extends Error {
  override readonly name = 'InitTimeout';
}

/** There is nobody at the other end any more. */
export class LineCut extends Error {
  override readonly name = 'LineCut';
}

export interface ControlChannel {
  /** The first frame that init sends of itself. */
  readonly hello: Promise<Frame>;
  /** Resolves with the reason when the line is cut, by either side. */
  readonly cut: Promise<string>;
  /** Rejects with `InitProblem`, `InitTimeout` or `LineCut`. */
  readonly call: (
    header: Readonly<Record<string, unknown>>,
    body: Uint8Array | undefined,
    timeoutMs: number,
  ) => Promise<Frame>;
}

/** A frozen init reads nothing; what we would tell it must not pile up in the host. */
const maxUnsentBytes = 64 * 1024 * 1024;
const maxOpenCalls = 256;

interface Waiting {
  readonly resolve: (frame: Frame) => void;
  readonly reject: (error: Error) => void;
}

export function controlChannel(toInit: Writable, fromInit: Readable): ControlChannel {
  const waiting = new Map<number, Waiting>();
  let nextId = 1;
  let reason: string | null = null;
  const cut = Promise.withResolvers<string>();
  const hello = Promise.withResolvers<Frame>();
  hello.promise.catch(() => undefined);
  waiting.set(0, hello);

  function cutLine(why: string): void {
    if (reason !== null) return;
    reason = why;
    fromInit.destroy();
    toInit.destroy();
    for (const { reject } of waiting.values()) reject(new LineCut(why));
    waiting.clear();
    cut.resolve(why);
  }

  const read = frameReader((frame) => {
    const parsed = envelope.safeParse(frame.header);
    // An answer that comes after its deadline has nobody waiting, but its number was given out.
    if (!parsed.success || parsed.data.id >= nextId) throw new Error('init answered what was not asked');
    const answered = waiting.get(parsed.data.id);
    waiting.delete(parsed.data.id);
    if (parsed.data.ok) answered?.resolve(frame);
    else answered?.reject(new InitProblem(parsed.data.problem));
  });
  fromInit.on('data', (chunk: Buffer) => {
    if (reason !== null) return;
    try {
      read(chunk);
    } catch {
      cutLine('init no longer speaks the protocol');
    }
  });
  fromInit.on('close', () => cutLine('init ended'));
  fromInit.on('error', () => cutLine('init ended'));
  toInit.on('error', () => cutLine('init ended'));

  return {
    hello: hello.promise,
    cut: cut.promise,
    async call(header, body, timeoutMs) {
      if (reason !== null) throw new LineCut(reason);
      if (toInit.writableLength > maxUnsentBytes || waiting.size >= maxOpenCalls)
        throw new InitTimeout('init does not keep up');
      const id = nextId++;
      const answer = Promise.withResolvers<Frame>();
      waiting.set(id, answer);
      const timer = setTimeout(() => {
        waiting.delete(id);
        answer.reject(new InitTimeout(`init did not answer within ${timeoutMs} ms`));
      }, timeoutMs);
      try {
        toInit.write(encodeFrame({ ...header, id }, body));
        return await answer.promise;
      } finally {
        clearTimeout(timer);
        waiting.delete(id);
      }
    },
  };
}
