/** Bounds an await. */

export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/**
 * Rejects with `DeadlineError` after `ms` milliseconds. The work itself is not stopped: what is behind it has
 * to bear a second attempt beside it.
 */
export async function withDeadline<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DeadlineError(`${what} took longer than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
