/**
 * Decides when a task's post is edited, and edits it one edit after the other so that an older one never
 * overwrites the last. News are collected: a busy task must not use up the rate limit of its installation or
 * workspace.
 */
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
  /** A rate limit asked to wait until then. */
  readonly rateLimitedUntil: number;
}

export function dueToPost(state: PostState, now: number): boolean {
  if (now < state.rateLimitedUntil || now - state.editedAt < taskLimits.commentEveryMs) return false;
  if (state.dirty || (state.phaseEntered && !state.agentRuns)) return true;
  // Shows that Codex still works, and for how long.
  return state.agentRuns && now - state.shownAt >= taskLimits.refreshEveryMs;
}

export interface ProgressPostDeps {
  /** Creates or edits the post. Rejects on transient errors. */
  readonly show: () => Promise<void>;
  /** Milliseconds that a rate limit asks to wait; null if the error is no rate limit. */
  readonly rateLimitMs: (error: unknown) => number | null;
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

  /** Edits the post now. Waits for a rate limit, but for a bounded time. Rejects if the edit fails. */
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
    const { now, show, rateLimitMs } = this.#deps;
    const waitMs = Math.min(this.#rateLimitedUntil - now(), taskLimits.quietMs);
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    try {
      await show();
    } catch (error) {
      const limitedMs = rateLimitMs(error);
      if (limitedMs !== null) this.#rateLimitedUntil = now() + limitedMs;
      throw error;
    }
    this.#shownAt = now();
  }
}
