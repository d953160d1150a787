/** Decides when a post is edited, one edit at a time, within the rate limit of its installation. */
import { meaningOf } from '../../core/ports/upstream-error.ts';
import { taskLimits } from '../limits.ts';

export interface PostState {
  /** Something happened that the post does not show yet. */
  readonly dirty: boolean;
  /** A phase was entered. While Codex works this waits, because Codex's own news come first. */
  readonly phaseEntered: boolean;
  readonly agentRuns: boolean;
  /** When the last edit was started, ms since the epoch. */
  readonly editedAt: number;
  /** When the post was last known to be up to date. */
  readonly shownAt: number;
  /** An upstream asked to wait until then. */
  readonly rateLimitedUntil: number;
  /** The post's place is gone or takes no edits: only the end of the task is still tried. */
  readonly closed: boolean;
}

export function dueToPost(state: PostState, now: number): boolean {
  if (state.closed || now < state.rateLimitedUntil || now - state.editedAt < taskLimits.commentEveryMs)
    return false;
  if (state.dirty || (state.phaseEntered && !state.agentRuns)) return true;
  // Shows that Codex still works, and for how long.
  return state.agentRuns && now - state.shownAt >= taskLimits.refreshEveryMs;
}

export interface ProgressPostDeps {
  /** Creates or edits the post; `closed`: its place refused for good. Rejects on transient errors. */
  readonly show: () => Promise<'shown' | 'closed'>;
  readonly agentRuns: () => boolean;
  readonly now: () => number;
  /** An edit of progress failed. It is made again. */
  readonly failed: (error: unknown) => void;
}

export class ProgressPost {
  readonly #deps: ProgressPostDeps;
  #edits: Promise<void> = Promise.resolve();
  #dirty = false;
  #phaseEntered = false;
  #editedAt = 0;
  #rateLimitedUntil = 0;
  #closed = false;
  /** null after a restart. */
  #shownAt: number | null = null;

  constructor(deps: ProgressPostDeps) {
    this.#deps = deps;
  }

  /** Edits the post as soon as the interval between two edits allows. */
  requestUpdate(): void {
    this.#dirty = true;
    this.updateIfDue();
  }

  /** Edits the post at the next look, if Codex does not work by then. */
  requestPhaseUpdate(): void {
    this.#phaseEntered = true;
  }

  updateIfDue(): void {
    const { now, agentRuns, failed } = this.#deps;
    this.#shownAt ??= now();
    const state: PostState = {
      dirty: this.#dirty,
      phaseEntered: this.#phaseEntered,
      agentRuns: agentRuns(),
      editedAt: this.#editedAt,
      shownAt: this.#shownAt,
      rateLimitedUntil: this.#rateLimitedUntil,
      closed: this.#closed,
    };
    if (!dueToPost(state, now())) return;
    this.#dirty = false;
    this.#phaseEntered = false;
    this.#editedAt = now();
    this.update().catch((error: unknown) => {
      this.#dirty = true;
      failed(error);
    });
  }

  /** Waits for a rate limit that is over soon; rejects under a longer one, and if the edit fails. */
  async update(): Promise<void> {
    const edit = this.#edits.then(async () => await this.#show());
    this.#edits = edit.catch(() => undefined); // a failed edit must not stop the next one
    await edit;
  }

  /** Resolves when no edit is under way. */
  async settled(): Promise<void> {
    await this.#edits;
  }

  async #show(): Promise<void> {
    const { now, show } = this.#deps;
    const waitMs = this.#rateLimitedUntil - now();
    // An edit before the time is refused, and can prolong the limit.
    if (waitMs > taskLimits.quietMs) throw new Error(`the post is not edited for ${waitMs} ms: a rate limit`);
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    try {
      this.#closed = (await show()) === 'closed';
    } catch (error) {
      const meaning = meaningOf(error);
      if (meaning?.kind === 'transient') this.#rateLimitedUntil = now() + (meaning.waitMs ?? 0);
      throw error;
    }
    this.#shownAt = now();
  }
}
