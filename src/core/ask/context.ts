import type { AttachmentRef } from '../attachment.ts';
import type { PullContext } from './pull-context.ts';

/**
 * The conversation that a task was asked in, as it was at the trigger, and as GitHub displays it. Untrusted.
 * The issue is always part of it; of the comments, which anybody can add, only those of people with write
 * access.
 */
export interface IssueContext {
  readonly number: number;
  /** Empty when `bodyLeftOut`. */
  readonly title: string;
  /** Login, or `ghost` for a deleted account. */
  readonly author: string;
  /** False: title and body are a stranger's words, and the prompt says so. */
  readonly authorCanWrite: boolean;
  /** The app that wrote the issue, in the author's name or its own; null if a person wrote it on GitHub. */
  readonly throughApp: string | null;
  /** Empty when `bodyLeftOut` or `bodyIsInstruction`. Its middle is left out at the size limit. */
  readonly body: string;
  /** True when title and body may have been edited after the trigger. */
  readonly bodyLeftOut: boolean;
  /** True when the issue was the trigger, so that its text is the instruction. */
  readonly bodyIsInstruction: boolean;
  readonly labels: readonly string[];
  /** Oldest first. Never the triggering comment: its text, as delivered, is the instruction. */
  readonly comments: readonly {
    readonly author: string;
    /** As for the issue. */
    readonly throughApp: string | null;
    /** ISO 8601. */
    readonly createdAt: string;
    readonly text: string;
  }[];
  /** Those of people without write access or bots, edited after the trigger, or beyond the limit. */
  readonly commentsLeftOut: number;
  /** What is attached to the instruction and to these texts, the instruction's first. Missing: nothing. */
  readonly attachments?: readonly AttachmentRef[];
  /** What the pull request adds, if it is one; null for an issue. */
  readonly pull: PullContext | null;
}
