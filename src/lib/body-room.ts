/** Bounds the memory for unauthenticated bodies: room is reserved before a body is read. */
export interface BodyRoom {
  /** Reserves `bytes`, and returns the function that gives them back; null after `waitMs` without room. */
  reserve(bytes: number, waitMs: number): Promise<(() => void) | null>;
}

export function createBodyRoom(totalBytes: number): BodyRoom {
  let free = totalBytes;
  let waiting: readonly { readonly bytes: number; readonly grant: () => void }[] = [];

  const take = (bytes: number) => {
    free -= bytes;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      free += bytes;
      for (let next = waiting[0]; next !== undefined && next.bytes <= free; next = waiting[0]) next.grant();
    };
  };

  return {
    async reserve(bytes, waitMs) {
      if (waiting.length === 0 && bytes <= free) return take(bytes);
      const { promise, resolve } = Promise.withResolvers<(() => void) | null>();
      const leave = (answer: (() => void) | null) => {
        clearTimeout(timer);
        waiting = waiting.filter((other) => other !== place);
        resolve(answer);
      };
      const timer = setTimeout(() => leave(null), waitMs);
      const place = { bytes, grant: () => leave(take(bytes)) };
      waiting = [...waiting, place];
      return await promise;
    },
  };
}

/** What a request's body can take at most: its declared length, or the cap if it declares none. */
export function roomFor(request: Request, maxBytes: number): number {
  const declared = request.headers.get('content-length');
  return declared !== null && /^\d{1,15}$/.test(declared) ? Math.min(Number(declared), maxBytes) : maxBytes;
}
