/** What the Slack simulator shows of its state, and what its actions resolve with. See `contract.ts`. */
import type { KnownBlock } from '@slack/types';

export type PersonKind = 'member' | 'guest' | 'stranger' | 'bot' | 'deactivated';

export interface UserView {
  readonly id: string;
  readonly name: string;
  readonly displayName: string;
  readonly kind: PersonKind;
  /** Another one than the workspace's for a stranger. */
  readonly teamId: string;
  /** `<@U…>`. */
  readonly mention: string;
}
export interface ChannelView {
  readonly id: string;
  readonly name: string;
  readonly kind: 'public' | 'private' | 'direct';
  readonly archived: boolean;
  /** User ids, the bot's among them when it is in. */
  readonly members: readonly string[];
}

/** One request to the app. Every attempt sends the same body. */
export interface Delivery {
  readonly id: number;
  readonly kind: 'command' | 'event' | 'interaction' | 'options' | 'raw';
  /** `/codex`, `app_mention`, `block_actions`, … */
  readonly what: string;
  /** As it is sent over HTTP, also when it went over the socket. */
  readonly body: string;
  readonly contentType: string;
  readonly attempts: readonly DeliveryAttempt[];
}
export interface DeliveryAttempt {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** 0 for the first. */
  readonly retryNum: number;
  /** null when nothing was answered in time; `error` then says why. An acknowledgement over the socket counts as 200. */
  readonly status: number | null;
  readonly error: string | null;
  readonly ms: number;
}

/** What the app answered within Slack's three seconds. */
export interface Answer {
  readonly delivery: Delivery;
  readonly status: number | null;
  /** Empty for a bare acknowledgement. Over the socket: the acknowledgement's payload as JSON. */
  readonly body: string;
  /** `operation_timeout`, a network error's code, or null. */
  readonly error: string | null;
  readonly ms: number;
}
/** An action of a person that the app may answer to that person alone. */
export interface Interaction extends Answer {
  readonly triggerId: string;
  /** So far, oldest first: the answer's own text and what was sent to this action's `response_url` for the person alone. */
  ephemerals(): readonly string[];
  /** The first of them. Rejects when there is none within `timeoutMs` (3,000). */
  reply(timeoutMs?: number): Promise<string>;
}
export interface Said {
  readonly channelId: string;
  readonly ts: string;
  /** The root of the thread: `ts` itself for a message at the top. Pass it as `threadTs` to reply. */
  readonly threadTs: string;
  /** One for each event that was delivered: `message`, then `app_mention` when the bot is mentioned. */
  readonly answers: readonly Answer[];
}

export interface OpenView {
  readonly id: string;
  readonly userId: string;
  readonly callbackId: string;
  readonly title: string;
  readonly blocks: readonly KnownBlock[];
  readonly privateMetadata: string;
  readonly hash: string;
}
export interface Submission extends Interaction {
  /**
   * `closed`: the form is gone. `errors`: it is still open and shows them. `updated`, `pushed`: another view is shown.
   * `failed`: Slack shows “We had some trouble connecting”, because the answer was none, late or not understood.
   */
  readonly outcome: 'closed' | 'errors' | 'updated' | 'pushed' | 'failed';
  /** By block id. */
  readonly errors: Readonly<Record<string, string>>;
}
export interface Option {
  readonly text: string;
  readonly value: string;
}

/** One state of a message. */
export interface MessageVersion {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly text: string;
  readonly blocks: readonly KnownBlock[];
}
export interface MessageView extends MessageVersion {
  readonly channelId: string;
  readonly ts: string;
  readonly threadTs: string | null;
  readonly userId: string;
  readonly fromBot: boolean;
  /** `null` when none was given. */
  readonly metadata: { readonly event_type: string; readonly event_payload: unknown } | null;
  readonly deleted: boolean;
  /** Every state it was in, first to present. */
  readonly versions: readonly MessageVersion[];
  /** Texts of its buttons, in order. */
  readonly buttons: readonly string[];
  /** All that a person would read, blocks as text, one line each. */
  readonly shown: string;
}
export interface EphemeralView {
  readonly channelId: string;
  readonly ts: string;
  readonly threadTs: string | null;
  readonly userId: string;
  readonly text: string;
  readonly blocks: readonly KnownBlock[];
  readonly shown: string;
  readonly via: 'answer' | 'response_url' | 'chat.postEphemeral';
}
export interface CallView {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** `chat.postMessage`, or `response_url`. Never a token or an argument but the channel. */
  readonly method: string;
  readonly channel: string | null;
  /** HTTP status; null when the connection was cut before an answer. */
  readonly status: number | null;
  readonly ok: boolean;
  readonly error: string | null;
  readonly ms: number;
}
