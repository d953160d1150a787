import { describe, expect, it } from 'vitest';
import { readBody, type BodyBounds } from './read-body.ts';

const bounds: BodyBounds = { maxBytes: 5, deadlineMs: 60_000 };

/** A response that sends these chunks, then ends, aborts or stalls. */
function sending(chunks: readonly string[], then: 'ends' | 'aborts' | 'stalls') {
  let cancelled = false;
  const rest = chunks.map((chunk) => new TextEncoder().encode(chunk));
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      const chunk = rest.shift();
      if (chunk !== undefined) controller.enqueue(chunk);
      else if (then === 'ends') controller.close();
      else if (then === 'aborts') controller.error(new Error('hung up'));
      else return new Promise<void>(() => undefined);
      return undefined;
    },
    cancel: () => {
      cancelled = true;
    },
  });
  return { response: new Response(stream), wasCancelled: () => cancelled };
}

describe('a body', () => {
  it.each([
    ['no chunks', [], ''],
    ['one chunk', ['abc'], 'abc'],
    ['several chunks up to the limit', ['ab', 'cd', 'e'], 'abcde'],
  ])('of %s is read whole', async (_, chunks, text) => {
    const read = await readBody(sending(chunks, 'ends').response, bounds);
    expect(read).toEqual({ kind: 'bytes', bytes: new TextEncoder().encode(text) });
  });

  it('that is missing is empty', async () => {
    expect(await readBody(new Response(null), bounds)).toEqual({ kind: 'bytes', bytes: new Uint8Array() });
  });

  it.each([
    ['one chunk', ['abcdef']],
    ['several chunks', ['abc', 'def', 'ghi']],
  ])('of too many bytes in %s is refused, and the rest is not read', async (_, chunks) => {
    const { response, wasCancelled } = sending(chunks, 'stalls');
    expect(await readBody(response, bounds)).toEqual({ kind: 'too-large' });
    expect(wasCancelled()).toBe(true);
  });

  it('that declares too many bytes is refused before it is read', async () => {
    const { response, wasCancelled } = sending(['a'], 'stalls');
    response.headers.set('content-length', '6');
    expect(await readBody(response, bounds)).toEqual({ kind: 'too-large' });
    expect(wasCancelled()).toBe(false);
  });

  it('that falls silent is given up at the deadline', async () => {
    const { response, wasCancelled } = sending(['ab'], 'stalls');
    expect(await readBody(response, { ...bounds, deadlineMs: 20 })).toEqual({ kind: 'too-slow' });
    expect(wasCancelled()).toBe(true);
  });

  it('that is aborted is broken', async () => {
    expect(await readBody(sending(['ab'], 'aborts').response, bounds)).toEqual({ kind: 'broken' });
  });
});
