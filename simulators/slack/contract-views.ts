/** Views of the Slack simulator's state, and the results of its actions. See `contract.ts`. */
import type { KnownBlock } from '@slack/types';

/** A stranger comes from another workspace by Slack Connect; the others have an account here. */
export type PersonKind = 'member' | 'guest' | 'stranger' | 'bot' | 'deactivated';

export interface UserView {
  readonly id: string;
  readonly name: string;
  readonly displayName: string;
  readonly kind: PersonKind;
  /** For a stranger, the id of another workspace. */
  readonly teamId: string;
  /** `<@U…>`. */
  readonly mention: string;
}
export interface ChannelView {
  readonly id: string;
  readonly name: string;
  readonly kind: 'public' | 'private' | 'direct';
  readonly archived: boolean;
  /** User ids, including the bot's if it is a member. */
  readonly members: readonly string[];
}

/** One request to the app. Retries send the same body. */
export interface Delivery {
  readonly id: number;
  readonly kind: 'command' | 'event' | 'interaction' | 'options' | 'raw';
  /** `/codex`, `app_mention`, `block_actions`, … */
  readonly name: string;
  /** The body in its HTTP form, even if it was sent over the socket. */
  readonly body: string;
  readonly contentType: string;
  readonly attempts: readonly DeliveryAttempt[];
}
export interface DeliveryAttempt {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** 0 for the first attempt. */
  readonly retryNum: number;
  /** null if there was no answer in time; `error` has the reason. A socket acknowledgement counts as 200. */
  readonly status: number | null;
  readonly error: string | null;
  readonly ms: number;
}

/** The app's answer within Slack's three seconds. */
export interface Answer {
  readonly delivery: Delivery;
  readonly status: number | null;
  /** Empty for a bare acknowledgement. Over the socket, the acknowledgement's payload as JSON. */
  readonly body: string;
  /** `operation_timeout`, a network error's code, or null. */
  readonly error: string | null;
  readonly ms: number;
}
/** A user action that the app can answer with ephemeral messages. */
export interface Interaction extends Answer {
  readonly triggerId: string;
  /** Ephemeral texts so far, oldest first: the answer itself, then posts to this action's `response_url`. */
  ephemerals(): readonly string[];
  /** The first ephemeral text. Rejects if there is none within `timeoutMs` (default 3,000). */
  reply(timeoutMs?: number): Promise<string>;
}
/** A message that a user posted, edited, deleted or reacted to. */
export interface SentMessage {
  readonly channelId: string;
  readonly ts: string;
  /** The root of the thread, or `ts` for a top-level message. Pass it as `threadTs` to reply. */
  readonly threadTs: string;
  /** One answer per delivered event: `message`, then `app_mention` if the bot was mentioned. */
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
  /** `updated`, `pushed`: another view. `failed`: the answer was missing, late or invalid. */
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
  /** null if the message has none. */
  readonly metadata: { readonly event_type: string; readonly event_payload: unknown } | null;
  readonly deleted: boolean;
  /** Every version of the message, oldest first. */
  readonly versions: readonly MessageVersion[];
  /** The labels of its buttons, in order. */
  readonly buttons: readonly string[];
  /** The visible text: blocks rendered as plain text, one line each. */
  readonly shown: string;
}
/** The status of a thread; `processing` has a Stop button. */
export interface AgentSessionView {
  readonly status: 'active' | 'processing' | 'suspended' | 'closed';
  readonly title: string;
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
  /** A method name, or `response_url`. The log holds no token and no argument except the channel. */
  readonly method: string;
  readonly channel: string | null;
  /** HTTP status; null if the connection was closed before an answer. */
  readonly status: number | null;
  readonly ok: boolean;
  readonly error: string | null;
  readonly ms: number;
}
