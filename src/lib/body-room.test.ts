import { describe, expect, it } from 'vitest';
import { createBodyRoom, roomFor } from './body-room.ts';

describe('the room for bodies', () => {
  it('lets requests in until it is full, then in their order as others leave', async () => {
    const room = createBodyRoom(10);
    const [first, second] = [await room.reserve(6, 0), await room.reserve(4, 0)];
    const order: string[] = [];
    const large = room.reserve(6, 60_000).then((leave) => (order.push('large'), leave));
    const small = room.reserve(1, 60_000).then((leave) => (order.push('small'), leave));
    second?.();
    expect(order).toEqual([]); // the small one does not overtake
    first?.();
    await Promise.all([large, small]);
    expect(order).toEqual(['large', 'small']);
  });

  it('refuses a request after its wait, and keeps its place free for others', async () => {
    const room = createBodyRoom(10);
    const leave = await room.reserve(10, 0);
    expect(await room.reserve(1, 1)).toBeNull();
    leave?.();
    leave?.(); // giving back twice frees nothing twice
    expect(await room.reserve(10, 0)).not.toBeNull();
    expect(await room.reserve(1, 1)).toBeNull();
  });

  it.each([
    [null, 100],
    ['7', 7],
    ['700', 100],
    ['-7', 100],
    ['7, 7', 100],
  ])('reserves for a declared length of %j with a cap of 100: %i', (declared, bytes) => {
    const headers = new Headers(declared === null ? {} : { 'content-length': declared });
    expect(roomFor(new Request('http://x.test', { headers }), 100)).toBe(bytes);
  });
});
